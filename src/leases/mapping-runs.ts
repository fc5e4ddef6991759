import { asTraversalError } from '../core/errors.ts';
import type { Mapping, MappingRequest, PortMapper } from '../core/port-mapper.ts';
import type { MappingEnvironment, StrategyInput, StrategyResult } from '../core/strategy.ts';
import {
  type AttemptCounts,
  RaceAccounts,
  RunScope,
  type RunWorld,
  type StepInput,
  type Strategy,
} from '../flows/index.ts';
import { isSameEntry } from './gateway-entry.ts';
import { LeaseEnvironment } from './mapping-environment.ts';

export interface MappingRunsOptions {
  readonly request: MappingRequest;
  readonly mappers: readonly PortMapper[];
  readonly world: RunWorld;
  /** STUN servers that are known by now, `host:port`. */
  readonly stun: () => readonly string[];
  /** Given each mapping that was obtained and is not the one that is kept, with who made it. */
  readonly discard: (mapping: Mapping, maker: PortMapper) => void;
}

/** A mapping that stands at the gateway, and who made it. */
export interface Made {
  readonly mapping: Mapping;
  readonly maker: PortMapper;
}

/** What is left of a race when it is over. */
export interface EndedRace {
  /** The mapping that it is won by; absent where no mapper made that. */
  readonly won: Made | undefined;
  /** Whether others were asking when this one won: a gateway that keeps one entry for all protocols may lose it to their taking back. */
  readonly contested: boolean;
  /** When each run was, by the path of its step; the last one of each. */
  readonly times: ReadonlyMap<string, AttemptCounts>;
}

/**
 * The runs of one lease's strategies, in one race after the other. Whatever they obtain, one mapping of each race is kept: the others are
 * given back, also those that come when the race is over.
 */
export class MappingRuns {
  readonly #options: MappingRunsOptions;
  /** Of mappers that have not answered yet; none rejects. */
  readonly #calls = new Set<Promise<void>>();
  readonly #running = new Map<StepInput, RunScope>();
  #race = new Race();

  constructor(options: MappingRunsOptions) {
    this.#options = options;
  }

  begin(strategy: Strategy, step: StepInput): StrategyInput<'mapping'> {
    const { world, request, stun, mappers } = this.#options;
    const race = this.#race;
    const scope = new RunScope(world, strategy, race.accounts.open(strategy.bounds.packets, step.budgets));
    this.#running.set(step, scope);
    const mapper: MappingEnvironment['mapper'] = (via) => {
      const maker = mappers.find(({ name }) => name === via);
      return maker && { map: () => this.#ask(maker, race, scope.signal) };
    };
    const env = new LeaseEnvironment(world, scope, { request, stun: stun(), mapper });
    const { role, policy, local, remote, behaviors } = step.facts;
    return { role, policy, local, remote, behaviors, env };
  }

  end(step: StepInput, { ok }: StrategyResult): AttemptCounts {
    const scope = this.#running.get(step);
    if (scope === undefined) throw new Error(`no strategy runs at ${step.step}`);
    this.#running.delete(step);
    const counts = scope.end();
    this.#race.times.set(step.step, counts);
    if (ok) this.#race.contested ??= this.#running.size > 0;
    return counts;
  }

  /** The race is over, and this is the mapping that it gave, if it did; the next one begins with the next run. */
  conclude(given: Mapping | undefined): EndedRace {
    const race = this.#race;
    this.#race = new Race();
    race.isOver = true;
    race.won = given && race.made.find(({ mapping }) => mapping.via === given.via && isSameEntry(mapping, given));
    for (const made of race.made) this.#discardUnlessWon(race, made);
    return { won: race.won, contested: race.contested ?? false, times: race.times };
  }

  /** Fulfils when no mapper is being asked any more. */
  async settled(): Promise<void> {
    while (this.#calls.size > 0) await Promise.all(this.#calls);
  }

  #ask(maker: PortMapper, race: Race, signal: AbortSignal): Promise<Mapping> {
    const answer = maker.map(this.#options.request, { signal }).catch((error: unknown) => {
      throw asTraversalError(error, 'ERR_NETWORK');
    });
    // Before whoever has asked hears of it.
    const kept = answer.then(
      (mapping) => this.#keep({ mapping, maker }, race),
      () => {},
    );
    this.#calls.add(kept);
    void kept.then(() => this.#calls.delete(kept));
    return answer;
  }

  #keep(made: Made, race: Race): void {
    if (race.isOver) this.#discardUnlessWon(race, made);
    else race.made.push(made);
  }

  #discardUnlessWon({ won }: Race, { mapping, maker }: Made): void {
    if (won === undefined || !isSameEntry(mapping, won.mapping)) this.#options.discard(mapping, maker);
  }
}

/** Those that began between two conclusions. */
class Race {
  readonly accounts = new RaceAccounts();
  readonly made: Made[] = [];
  readonly times = new Map<string, AttemptCounts>();
  isOver = false;
  won: Made | undefined;
  contested: boolean | undefined;
}
