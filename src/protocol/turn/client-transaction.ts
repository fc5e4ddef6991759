import type { TurnTransport } from './five-tuple.ts';
import type { KeptPeer } from './kept-peers.ts';

/** What a client asks for. */
export type TurnRequest =
  | { readonly type: 'allocate' }
  | { readonly type: 'refresh' }
  | { readonly type: 'keep'; readonly kept: KeptPeer }
  /** Ends the allocation. */
  | { readonly type: 'release' };

/** A request as it is sent. */
interface RequestMessage {
  readonly bytes: Uint8Array;
  /** Whether it has credentials. */
  readonly signed: boolean;
  /** How often the same was asked for in vain for want of a fresh nonce, this time not included. */
  readonly retries: number;
}

/** One request under way. */
export class TurnTransaction {
  readonly request: TurnRequest;
  readonly bytes: Uint8Array;
  readonly signed: boolean;
  readonly retries: number;
  /** A response came that was not signed as it must be. */
  violated = false;
  readonly #schedule: Schedule;
  readonly #startedAt: number;
  #sends = 0;

  constructor(
    request: TurnRequest,
    { bytes, signed, retries }: RequestMessage,
    { transport, rto, now }: { transport: TurnTransport; rto: number; now: number },
  ) {
    this.request = request;
    this.bytes = bytes;
    this.signed = signed;
    this.retries = retries;
    this.#schedule = transport === 'udp' ? { rto, rc: 7, rm: 16 } : STREAM_SCHEDULE;
    this.#startedAt = now;
  }

  /** When it is to be sent again, or given up. */
  get nextAt(): number {
    const { rto, rc, rm } = this.#schedule;
    if (this.#sends < rc) return this.#startedAt + rto * (2 ** this.#sends - 1);
    return this.#startedAt + rto * (2 ** (rc - 1) - 1 + rm);
  }

  /** What is due by now; a transmission counts as done. */
  take(now: number): 'transmit' | 'expire' | undefined {
    if (this.nextAt > now) return undefined;
    if (this.#sends >= this.#schedule.rc) return 'expire';
    this.#sends++;
    return 'transmit';
  }
}

/** When a request is sent, and given up (RFC 8489 section 6.2.1). */
interface Schedule {
  /** ms until the first retransmission; doubles. */
  readonly rto: number;
  /** Transmissions in all. */
  readonly rc: number;
  /** The last transmission is waited for `rm` times `rto`. */
  readonly rm: number;
}

/** Sent once, and waited for as long as over UDP (RFC 8489 section 6.2.2). */
const STREAM_SCHEDULE: Schedule = { rto: 39_500, rc: 1, rm: 1 };
