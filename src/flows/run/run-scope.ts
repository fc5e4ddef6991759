import type { Environment } from '../../core/environment.ts';
import { TraversalError } from '../../core/errors.ts';
import type { AttemptCounts } from '../compile/contract.ts';
import type { Strategy } from '../strategy.ts';
import type { PacketAccount } from './packet-account.ts';
import { ScopedNetwork } from './scoped-network.ts';

/** The world that peers and port leases share with the strategies that they run. */
export type RunWorld = Pick<Environment, 'network' | 'clock' | 'random' | 'log'>;

/** One run of a strategy that makes no path: what is counted, and what is closed at its end. */
export class RunScope {
  readonly network: ScopedNetwork;
  readonly #world: RunWorld;
  readonly #strategy: Strategy;
  readonly #account: PacketAccount;
  readonly #startedAt: number;
  readonly #end = new AbortController();

  constructor(world: RunWorld, strategy: Strategy, account: PacketAccount) {
    this.#world = world;
    this.#strategy = strategy;
    this.#account = account;
    this.#startedAt = world.clock.now();
    const { bounds } = strategy;
    this.network = new ScopedNetwork({
      network: world.network,
      account,
      sockets: bounds.sockets,
      signal: this.#end.signal,
    });
  }

  /** Aborted when the run has ended or is not wanted any more, with `ERR_ABORTED`. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** What it left open is closed, and logged. Times are those of `clock.now()`. */
  end(): AttemptCounts {
    const { name } = this.#strategy;
    this.#end.abort(new TraversalError('ERR_ABORTED', `the run of ${name} is over`));
    const sockets = this.network.closeAll();
    if (sockets > 0) this.#world.log('strategy.left-open', { strategy: name, sockets });
    const { sent, received } = this.#account;
    return { startedAt: this.#startedAt, endedAt: this.#world.clock.now(), sent, received };
  }
}
