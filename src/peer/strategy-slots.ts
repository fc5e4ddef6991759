import type { AnyActorRef } from 'xstate';
import type { Facts } from '../core/strategy.ts';
import type { Attempt } from '../core/verdict.ts';
import type { ConnectionServices } from './connection-services.ts';
import type { Slot } from './runtime-contract.ts';

/** The actors that run a connection's strategies, one a slot at a time, and what they tell of their attempts. */
export class StrategySlots {
  readonly #services: SlotServices;
  readonly #actors = new Map<Slot, AnyActorRef>();
  #roundBegan = Number.NEGATIVE_INFINITY;

  constructor(services: SlotServices) {
    this.#services = services;
  }

  /** `clock.now()` when the last round of punching began. */
  get roundBegan(): number {
    return this.#roundBegan;
  }

  has(slot: Slot): boolean {
    return this.#actors.has(slot);
  }

  /** This actor runs the strategies of that slot from now on. */
  follow(slot: Slot, actor: AnyActorRef): void {
    const { accounts, env } = this.#services;
    this.#note(slot);
    accounts.forget(slot);
    this.#actors.set(slot, actor);
    if (slot === 'punch') this.#roundBegan = env.clock.now();
  }

  /** It has ended, with this output. */
  leave(slot: Slot, output: unknown): void {
    this.#actors.delete(slot);
    this.#services.attempts.note(output, this.#services.elapsed);
  }

  /** Its machine broke. */
  abandon(slot: Slot, error: unknown): void {
    const { attempts, elapsed } = this.#services;
    this.#note(slot);
    this.#actors.delete(slot);
    attempts.add(slot, { strategy: slot, ok: false, reason: String(error), startedAt: elapsed, endedAt: elapsed });
  }

  tell(facts: Facts): void {
    for (const actor of this.#actors.values()) actor.send({ type: 'facts.changed', facts });
  }

  /** What strategies have tried, see {@link AttemptLog.list}. Nothing that ends later is told. */
  settle(closedAt?: number): readonly Attempt[] {
    for (const slot of this.#actors.keys()) this.#note(slot);
    this.#actors.clear();
    return this.#services.attempts.list(closedAt);
  }

  #note(slot: Slot): void {
    this.#services.attempts.note(this.#actors.get(slot)?.getSnapshot().context, this.#services.elapsed);
  }
}

type SlotServices = Pick<ConnectionServices, 'accounts' | 'attempts' | 'elapsed' | 'env'>;
