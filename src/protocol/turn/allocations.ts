import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { sourceNetwork } from '../../core/source-network.ts';
import type { Allocation } from './allocation.ts';
import { type FiveTuple, fiveTupleKey } from './five-tuple.ts';
import type { TurnServerLimits } from './server-limits.ts';

/** The allocations of a server, in bounded number. */
export class Allocations {
  readonly #limits: TurnServerLimits;
  readonly #byClient = new Map<string, Allocation>();
  readonly #byRelayed = new Map<string, Allocation>();
  readonly #ofUser = new Map<string, number>();
  readonly #ofSource = new Map<string, number>();
  /** In ms: not later than the first of them ends; an earlier time costs a look at them all. */
  #wakeAt: number | undefined;

  constructor(limits: TurnServerLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#byClient.size;
  }

  get wakeAt(): number | undefined {
    return this.#wakeAt;
  }

  /** Why there is no room for one more, as an error code (RFC 8656 section 7.2). */
  refusal(client: FiveTuple, user: string): 486 | 508 | undefined {
    const { allocations, allocationsPerUser, allocationsPerSource } = this.#limits;
    if ((this.#ofUser.get(user) ?? 0) >= allocationsPerUser) return 486;
    if ((this.#ofSource.get(sourceOf(client)) ?? 0) >= allocationsPerSource) return 486;
    return this.size >= allocations ? 508 : undefined;
  }

  add(allocation: Allocation): void {
    this.#byClient.set(allocation.key, allocation);
    this.#byRelayed.set(formatEndpoint(allocation.relayed), allocation);
    count(this.#ofUser, allocation.user, 1);
    count(this.#ofSource, sourceOf(allocation.client), 1);
    this.wakeBy(allocation.expiresAt);
  }

  remove(allocation: Allocation): void {
    if (!this.#byClient.delete(allocation.key)) return;
    this.#byRelayed.delete(formatEndpoint(allocation.relayed));
    count(this.#ofUser, allocation.user, -1);
    count(this.#ofSource, sourceOf(allocation.client), -1);
    if (this.size === 0) this.#wakeAt = undefined;
  }

  /** The end of an allocation has been set to that time. */
  wakeBy(at: number): void {
    this.#wakeAt = Math.min(at, this.#wakeAt ?? at);
  }

  of(client: FiveTuple): Allocation | undefined {
    return this.#byClient.get(fiveTupleKey(client));
  }

  at(relayed: Endpoint): Allocation | undefined {
    return this.#byRelayed.get(formatEndpoint(relayed));
  }

  /** Those whose time is over, to be removed by the caller. */
  expired(now: number): readonly Allocation[] {
    if (this.#wakeAt === undefined || this.#wakeAt > now) return [];
    const all = [...this.#byClient.values()];
    this.#wakeAt = undefined;
    for (const { expiresAt } of all) if (expiresAt > now) this.wakeBy(expiresAt);
    return all.filter(({ expiresAt }) => expiresAt <= now);
  }
}

function sourceOf({ client }: FiveTuple): string {
  return sourceNetwork(client.address, 32);
}

function count(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const left = (counts.get(key) ?? 0) + change;
  if (left === 0) counts.delete(key);
  else counts.set(key, left);
}
