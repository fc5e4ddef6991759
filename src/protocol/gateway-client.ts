import { type Endpoint, sameEndpoint } from '../core/endpoint.ts';
import { DecodeError } from '../core/errors.ts';

/**
 * A client of one gateway, without input or output of its own: NAT-PMP and PCP are two dialects of it.
 * After every `handle`, and when a `wait` has run out, call `poll` until it gives the next `wait`. `now` is in ms and never goes back.
 */
export interface GatewayClient<Request, Response> {
  /** Never throws, whatever a gateway or somebody else sends. */
  handle(input: GatewayInput<Request>, now: number): void;
  poll(now: number): GatewayOutput<Response>;
  /** Whether the gateway has answered or announced anything yet. */
  readonly heard: boolean;
  /** Datagrams that changed nothing, by the reason. */
  readonly dropped: Readonly<Record<GatewayDrop, number>>;
}

export type GatewayInput<Request> =
  /** Sends a request until it is answered, cancelled, or `timeout` ms are over. `id` is the caller's, unique while it is under way. */
  | { readonly type: 'request'; readonly id: number; readonly request: Request; readonly timeout: number }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'datagram'; readonly data: Uint8Array; readonly from: Endpoint };

export type GatewayOutput<Response> =
  | { readonly type: 'transmit'; readonly to: Endpoint; readonly bytes: Uint8Array }
  | { readonly type: 'event'; readonly event: GatewayEvent<Response> }
  /** Nothing to do until this time, or until the next input if `until` is undefined. */
  | { readonly type: 'wait'; readonly until: number | undefined };

export type GatewayEvent<Response> =
  /** The response may be an error of the gateway. */
  | { readonly type: 'answered'; readonly id: number; readonly response: Response }
  | { readonly type: 'unanswered'; readonly id: number; readonly sends: number }
  /** The gateway has lost its mappings, or they have another external address now. */
  | { readonly type: 'restarted'; readonly reason: RestartReason };

export type RestartReason = 'epoch' | 'external-address';

/** `foreign`: not from the gateway's address and port. `unmatched`: no request under way that it could answer. */
export type GatewayDrop = 'foreign' | 'malformed' | 'unmatched';

/** What sets one dialect apart. */
export interface GatewayDialect<Request, Response> {
  encode(request: Request): Uint8Array;
  /** Throws `DecodeError`. */
  decode(bytes: Uint8Array): Response;
  answers(response: Response, request: Request): boolean;
  /** Said by the gateway to all its clients, unasked. */
  isAnnouncement(response: Response): boolean;
  /** Is told each response that was accepted, in order, and compares it with those before. */
  restartOf(response: Response, now: number): RestartReason | undefined;
  /** ms from a transmission to the next; `previous` is undefined for the first. `Infinity` when it was the last. */
  nextInterval(previous: number | undefined, sends: number): number;
}

/** `server` is the gateway's address and port: the only source that is listened to. */
export function createGatewayClient<Request, Response>(
  server: Endpoint,
  dialect: GatewayDialect<Request, Response>,
): GatewayClient<Request, Response> {
  /** Oldest first. */
  const transactions = new Map<number, Transaction<Request>>();
  const outputs: GatewayOutput<Response>[] = [];
  const dropped: Record<GatewayDrop, number> = { foreign: 0, malformed: 0, unmatched: 0 };
  let heard = false;

  function receive(data: Uint8Array, from: Endpoint, now: number): void {
    if (!sameEndpoint(from, server)) {
      dropped.foreign++;
      return;
    }
    const response = decodeOrUndefined(() => dialect.decode(data));
    if (response === undefined) {
      dropped.malformed++;
      return;
    }
    const answered = [...transactions].find(([, { request }]) => dialect.answers(response, request));
    if (answered === undefined && !dialect.isAnnouncement(response)) {
      dropped.unmatched++;
      return;
    }
    heard = true;
    const reason = dialect.restartOf(response, now);
    if (reason !== undefined) outputs.push({ type: 'event', event: { type: 'restarted', reason } });
    if (answered === undefined) return;
    transactions.delete(answered[0]);
    outputs.push({ type: 'event', event: { type: 'answered', id: answered[0], response } });
  }

  function work(id: number, transaction: Transaction<Request>, now: number): void {
    if (now >= transaction.expiresAt) {
      transactions.delete(id);
      outputs.push({ type: 'event', event: { type: 'unanswered', id, sends: transaction.sends } });
    } else if (now >= transaction.sendAt) {
      transaction.sends++;
      transaction.interval = dialect.nextInterval(transaction.interval, transaction.sends);
      transaction.sendAt = now + transaction.interval;
      outputs.push({ type: 'transmit', to: server, bytes: transaction.bytes });
    }
  }

  return {
    handle(input, now) {
      switch (input.type) {
        case 'request': {
          const { id, request, timeout } = input;
          const bytes = dialect.encode(request);
          transactions.set(id, {
            request,
            bytes,
            sends: 0,
            interval: undefined,
            sendAt: now,
            expiresAt: now + timeout,
          });
          break;
        }
        case 'cancel':
          transactions.delete(input.id);
          break;
        case 'datagram':
          receive(input.data, input.from, now);
          break;
      }
    },
    poll(now) {
      if (outputs.length === 0) for (const [id, transaction] of transactions) work(id, transaction, now);
      const next = outputs.shift();
      if (next !== undefined) return next;
      const times = [...transactions.values()].map(({ sendAt, expiresAt }) => Math.min(sendAt, expiresAt));
      return { type: 'wait', until: times.length === 0 ? undefined : Math.min(...times) };
    },
    get heard() {
      return heard;
    },
    dropped,
  };
}

/** One request under way. Times are in ms. */
interface Transaction<Request> {
  readonly request: Request;
  readonly bytes: Uint8Array;
  sends: number;
  interval: number | undefined;
  sendAt: number;
  readonly expiresAt: number;
}

function decodeOrUndefined<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
