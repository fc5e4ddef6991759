import type { Evidence } from '../evidence.ts';
import type { Strategy } from '../strategy.ts';
import { ask } from './ask.ts';
import type { Implementations } from './composed-setup.ts';
import type { ComposedContext } from './contract.ts';
import { untaken } from './names.ts';
import { type StrategySlot, strategySlot } from './strategy-slot.ts';

/** What the input of a machine may change of its races. Default: nothing, so that they run as they are written. */
export interface ComposeOptions {
  /** They heed its `ranks`. */
  readonly ranked?: boolean;
  /** They heed its `leftOut`. */
  readonly selective?: boolean;
}

type Delay = Implementations['delays'][string];

/**
 * The actors, guards and delays of a machine as it is composed. Things that differ get names that differ. Nothing is inherited: names are
 * those of users, and `constructor` is one.
 */
export class Parts implements Implementations {
  readonly actors: Record<string, StrategySlot> = Object.create(null);
  readonly guards: Implementations['guards'] = Object.create(null);
  readonly delays: Record<string, Delay> = Object.create(null);
  /** Whether the machine's races can be told another order than that of the code. */
  readonly isRanked: boolean;
  /** Whether they can be told to leave children out. */
  readonly isSelective: boolean;
  readonly #evidence = new Map<string, Evidence['test']>();

  constructor({ ranked = false, selective = false }: ComposeOptions = {}) {
    this.isRanked = ranked;
    this.isSelective = selective;
  }

  /** The actor's name: the strategy's. */
  strategy(strategy: Strategy): string {
    const name = untaken(strategy.name, (other) => (this.actors[other]?.strategy ?? strategy) !== strategy);
    this.actors[name] ??= strategySlot(strategy);
    return name;
  }

  /** The guard's name: the evidence's. */
  evidence(evidence: Evidence): string {
    const { name, test } = evidence;
    const key = untaken(name, (other) => OWN.has(other) || (this.#evidence.get(other) ?? test) !== test);
    this.#evidence.set(key, test);
    this.guards[key] = ({ context }: { context: ComposedContext }) => ask(evidence, context.facts).holds;
    return key;
  }

  delay(name: string, delay: Delay): string {
    const key = untaken(name, (other) => (this.delays[other] ?? delay) !== delay);
    this.delays[key] = delay;
    return key;
  }
}

/** Guards that every composed machine has. */
const OWN: ReadonlySet<string> = new Set(['succeeded', 'hasTurn', 'isNext', 'isLeftOut', 'triesOver']);
