/** Every code that Sallyport gives; `docs/errors.md` explains each. Codes are stable, messages are not. */
export type ErrorCode =
  | 'ERR_ABORTED'
  | 'ERR_BUSY'
  | 'ERR_CLOSED'
  | 'ERR_CONNECTION_REFUSED'
  | 'ERR_CONNECTION_RESET'
  | 'ERR_DECLINED'
  | 'ERR_DECODE'
  | 'ERR_GATEWAY_PROTOCOL'
  | 'ERR_IDENTITY_FILE'
  | 'ERR_MAPPING_CONFLICT'
  | 'ERR_MAPPING_EXHAUSTED'
  | 'ERR_MAPPING_REFUSED'
  | 'ERR_MAPPING_UNAVAILABLE'
  | 'ERR_NETWORK'
  | 'ERR_NOT_AVAILABLE'
  | 'ERR_OFFER_EXPIRED'
  | 'ERR_OFFER_REJECTED'
  | 'ERR_PEER_GONE'
  | 'ERR_PEER_KEY'
  | 'ERR_PEER_UNKNOWN'
  | 'ERR_POLICY'
  | 'ERR_PORT_IN_USE'
  | 'ERR_PORT_NOT_PERMITTED'
  | 'ERR_PROTOCOL'
  | 'ERR_PUNCH_EXHAUSTED'
  | 'ERR_REGISTRATION_REPLACED'
  | 'ERR_RELAY_REFUSED'
  | 'ERR_RELAY_UNREACHABLE'
  | 'ERR_RESOLVE'
  | 'ERR_SERVER_REFUSED'
  | 'ERR_SERVER_UNREACHABLE'
  | 'ERR_SESSION_HANDSHAKE'
  | 'ERR_SESSION_PLATFORM'
  | 'ERR_STREAM_RESET'
  | 'ERR_STUN_TIMEOUT'
  | 'ERR_STUN_RESPONSE'
  | 'ERR_TICKET_EXPIRED'
  | 'ERR_TICKET_MALFORMED'
  | 'ERR_TICKET_REJECTED'
  | 'ERR_TIMEOUT'
  | 'ERR_TOKEN'
  | 'ERR_TOO_LARGE'
  | 'ERR_USAGE'
  | 'ERR_VERSION';

/** The one base error. Match on `code`, never on the message. */
export class TraversalError extends Error {
  override readonly name: string = 'TraversalError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Bytes that are not what they claim to be. `where` is a path such as `stun/xor-mapped-address/family`. */
export class DecodeError extends TraversalError {
  override readonly name = 'DecodeError';
  readonly where: string;

  constructor(where: string, detail?: string) {
    super('ERR_DECODE', detail === undefined ? `cannot decode ${where}` : `cannot decode ${where}: ${detail}`);
    this.where = where;
  }
}

/** The error itself when it is ours, else wrapped under `code`. */
export function asTraversalError(error: unknown, code: ErrorCode): TraversalError {
  if (error instanceof TraversalError) return error;
  return new TraversalError(code, messageOf(error), { cause: error });
}

/** What was thrown, in words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A stream was reset; `resetCode` is the application's code, where it is known (RFC 9000 section 19.4). */
export class StreamResetError extends TraversalError {
  override readonly name = 'StreamResetError';
  readonly resetCode: number | undefined;

  constructor(message: string, resetCode?: number, options?: { cause?: unknown }) {
    super('ERR_STREAM_RESET', message, options);
    this.resetCode = resetCode;
  }
}

/** A gateway said no to a port mapping, in its own words. */
export class GatewayError extends TraversalError {
  override readonly name = 'GatewayError';
  /** What the protocol calls it, such as `NOT_AUTHORIZED` or `718 ConflictInMappingEntry`. */
  readonly result: string;
  /** ms for which the same request will meet the same answer, where the gateway says so. */
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, { result, retryAfter }: { result: string; retryAfter?: number }) {
    super(code, message);
    this.result = result;
    this.retryAfter = retryAfter;
  }
}
