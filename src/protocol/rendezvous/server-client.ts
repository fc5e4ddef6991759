import type { Random } from '../../core/random.ts';
import { createTokenBucket, type TokenBucket } from '../../core/token-bucket.ts';
import type { ServerLimits } from './server-limits.ts';
import type { ServerSource } from './server-source.ts';
import type { ServerSession } from './session-table.ts';

/** A connection, by whatever number the transport gave it. */
export type ClientId = number;

/** What the server knows of one connected client. */
export interface ServerClient {
  readonly id: ClientId;
  readonly source: ServerSource;
  /** The server's name as this client knows it: what a registration on this connection must sign. */
  readonly name: string;
  /** 32 bytes that a registration on this connection must sign. */
  readonly challenge: Uint8Array;
  /** What it may do, and with it all clients of its source. */
  readonly control: TokenBucket;
  readonly requests: TokenBucket;
  readonly relay: TokenBucket;
  /** What it may do, whoever else there is. */
  readonly registrations: TokenBucket;
  /** What is borne with: frames refused, datagrams dropped. */
  readonly refusals: TokenBucket;
  readonly drops: TokenBucket;
  /** Why it is to be disconnected, once it has gone too far. */
  offence: string | undefined;
  /** The key that it is registered under, as `byteKey` writes it. */
  key: string | undefined;
  /** Sessions that it is an end of, kept by the session table. */
  readonly sessions: Set<ServerSession>;
  /** Those of them that it was offered and has not answered, oldest first. */
  readonly unanswered: Set<ServerSession>;
}

export interface ServerClientOptions {
  readonly id: ClientId;
  readonly source: ServerSource;
  readonly name: string;
  readonly limits: ServerLimits;
  readonly random: Random;
}

export function createServerClient(options: ServerClientOptions, now: number): ServerClient {
  const { id, source, name, limits, random } = options;
  return {
    id,
    source,
    name,
    challenge: random.bytes(32),
    control: createTokenBucket(limits.control, now, source.control),
    requests: createTokenBucket(limits.requests, now, source.requests),
    relay: createTokenBucket(limits.relay, now, source.relay),
    registrations: createTokenBucket(limits.registrations, now),
    refusals: createTokenBucket(limits.refusals, now),
    drops: createTokenBucket(limits.drops, now),
    offence: undefined,
    key: undefined,
    sessions: new Set(),
    unanswered: new Set(),
  };
}

/** What a frame counts for: one for each begun 4 KiB, and one for an empty frame. */
export function frameCost(length: number): number {
  return Math.max(1, Math.ceil(length / 4_096));
}
