import type { Endpoint } from '../core/endpoint.ts';
import { formatEndpoint } from '../core/endpoint.ts';
import { type ErrorCode, TraversalError } from '../core/errors.ts';
import { attribute, BINDING, type StunMessage } from '../protocol/stun/index.ts';

/** What a Binding response says, whatever it came over. */
export interface BindingResponse {
  /** XOR-MAPPED-ADDRESS. */
  readonly mapped: Endpoint;
  /** OTHER-ADDRESS (RFC 5780 section 7.4), where given. */
  readonly other?: Endpoint;
}

/**
 * Reads the response of a server (RFC 8489 sections 6.3.3 and 6.3.4); a sentence when it is an error, lacks XOR-MAPPED-ADDRESS, or has
 * attributes that must be understood and are not.
 */
export function readBindingResponse(message: StunMessage): BindingResponse | string {
  if (message.method !== BINDING) return `method ${message.method}`;
  if (message.class === 'error') {
    const error = attribute(message, 'error-code');
    return error === undefined ? 'error without a code' : `error ${error.code} ${error.reason}`;
  }
  if (message.unknownRequired.length > 0) return `unknown attributes ${message.unknownRequired.join(', ')}`;
  const mapped = attribute(message, 'xor-mapped-address');
  if (mapped === undefined) return 'no XOR-MAPPED-ADDRESS';
  const other = attribute(message, 'other-address');
  return { mapped: mapped.endpoint, ...(other && { other: other.endpoint }) };
}

/** Why a transaction with this server gave nothing. */
export function stunFailure(code: ErrorCode, server: Endpoint, detail: string): TraversalError {
  return new TraversalError(code, `STUN server ${formatEndpoint(server)}: ${detail}`);
}
