import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Network } from '../../core/network.ts';
import type { Random } from '../../core/random.ts';
import type { BaseEnvironment } from '../../core/strategy.ts';
import type { RunScope, RunWorld } from './run-scope.ts';

/** What every strategy has of the world, for one run. */
export class RunEnvironment implements BaseEnvironment {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly stun: readonly string[];
  readonly signal: AbortSignal;

  constructor({ clock, random, log }: RunWorld, { network, signal }: RunScope, stun: readonly string[]) {
    this.network = network;
    this.clock = clock;
    this.random = random;
    this.log = log;
    this.stun = stun;
    this.signal = signal;
  }

  /** It is the only live thing in what a strategy is given, which charts keep and traces show. */
  toJSON(): string {
    return 'env';
  }
}
