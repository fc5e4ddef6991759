import type { Random } from '../../core/random.ts';
import type { ServerLimits } from './server-limits.ts';
import type { ServerSession } from './session-table.ts';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';

/** A connection, by whatever number the transport gave it. */
export type ClientId = number;

/** What the server knows of one connected client. */
export interface ServerClient {
  readonly id: ClientId;
  /** 32 bytes that a registration on this connection must sign. */
  readonly challenge: Uint8Array;
  readonly control: TokenBucket;
  readonly requests: TokenBucket;
  readonly relay: TokenBucket;
  /** The key that it is registered under, as {@link idKey} writes it. */
  key: string | undefined;
  /** Sessions that it is an end of, kept by the session table. */
  readonly sessions: Set<ServerSession>;
  /** Those of them that it was offered and has not answered, oldest first. */
  readonly unanswered: Set<ServerSession>;
}

export function createServerClient(id: ClientId, limits: ServerLimits, random: Random, now: number): ServerClient {
  return {
    id,
    challenge: random.bytes(32),
    control: createTokenBucket(limits.control, now),
    requests: createTokenBucket(limits.requests, now),
    relay: createTokenBucket(limits.relay, now),
    key: undefined,
    sessions: new Set(),
    unanswered: new Set(),
  };
}

/** Bytes of an id or key as a Map key. */
export function idKey(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1');
}
