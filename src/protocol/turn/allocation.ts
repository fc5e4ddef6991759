import { byteKey } from '../../core/byte-key.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import { createTokenBucket, type TokenBucket } from '../../core/token-bucket.ts';
import type { EncodableAttribute, EncodeOptions, StunMessage } from '../stun/index.ts';
import type { AllocateWish } from './allocate-request.ts';
import { Channels } from './channels.ts';
import { type FiveTuple, fiveTupleKey } from './five-tuple.ts';
import { Permissions } from './permissions.ts';
import type { TurnServerLimits } from './server-limits.ts';

/** A request whose sender is known. */
export interface AuthenticRequest {
  readonly request: StunMessage;
  readonly client: FiveTuple;
  readonly user: string;
  /** How its response is to be encoded. */
  readonly signing: EncodeOptions;
}

/** An Allocate request that waits for a socket. */
export interface PendingAllocate extends AuthenticRequest {
  readonly wish: AllocateWish;
  /** Relayed transport addresses that were tried, the present one included. */
  readonly attempts: number;
}

/** A relayed transport address and whose it is (RFC 8656 section 6). */
export class Allocation {
  readonly client: FiveTuple;
  /** Of the client. */
  readonly key: string;
  readonly user: string;
  readonly relayed: Endpoint;
  /** What the response to the request says besides addresses and lifetime. */
  readonly remarks: readonly EncodableAttribute[];
  readonly permissions: Permissions;
  readonly channels: Channels;
  /** Bytes of data. */
  readonly bandwidth: TokenBucket;
  /** In ms. */
  expiresAt: number;
  /** What is to be answered once the relayed transport address is bound; until then nothing else can be asked for. */
  pending: PendingAllocate | undefined;
  readonly #transaction: string;

  constructor(
    pending: PendingAllocate,
    relayed: Endpoint,
    options: { remarks: readonly EncodableAttribute[]; limits: TurnServerLimits; expiresAt: number; now: number },
  ) {
    const { limits } = options;
    this.client = pending.client;
    this.key = fiveTupleKey(pending.client);
    this.user = pending.user;
    this.relayed = relayed;
    this.remarks = options.remarks;
    this.permissions = new Permissions(limits.permissionsPerAllocation);
    this.channels = new Channels(limits.channelsPerAllocation);
    this.bandwidth = createTokenBucket(limits.relay, options.now);
    this.expiresAt = options.expiresAt;
    this.pending = pending;
    this.#transaction = byteKey(pending.request.transactionId);
  }

  /** Whether the request is the one that has made this allocation, come again. */
  isFrom(request: StunMessage): boolean {
    return byteKey(request.transactionId) === this.#transaction;
  }
}
