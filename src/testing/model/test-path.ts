import type { InspectionEvent } from 'xstate';
import { Fields, type Range, usage } from '../../sim/fields.ts';
import type { TraceSink } from '../../trace/index.ts';
import type { World } from './driver.ts';
import type { Invariant, Moment } from './invariant.ts';
import { invariants as allInvariants } from './invariants.ts';
import type { ModelStep } from './model-event.ts';
import { ModelFailure } from './model-failure.ts';
import type { ModelSnapshot } from './model-paths.ts';
import { type Observation, SIDES } from './sight.ts';
import { checkSequence, describeState, type ModelPath, PAUSE, type TraversalModel } from './traversal-model.ts';

export interface TestPathOptions {
  /** Of all chance in the world. Default 1. */
  readonly seed?: number;
  /** Default: {@link allInvariants}. */
  readonly invariants?: readonly Invariant[];
  /** Where the trace of the run is written. */
  readonly trace?: TraceSink;
  /** Sees the charts of both peers at work; `coverage().inspect` is one. */
  readonly inspect?: (event: InspectionEvent) => void;
}

/**
 * Makes one path happen to a pair in a fresh world of the model's driver. After each event, what is seen must be what the state of the
 * model allows, at the latest when the driver's patience is over, and every invariant must hold; in the end nothing must be left. Errors:
 * a {@link ModelFailure}; `ERR_USAGE` for a step that cannot be; those of the driver.
 */
export async function testPath(
  model: TraversalModel,
  path: Pick<ModelPath, 'steps'>,
  options: TestPathOptions = {},
): Promise<void> {
  checkModel(model);
  checkSteps(model, path?.steps);
  checkOptions(options);
  const { steps } = path;
  const { seed = 1, trace, inspect } = options;
  const world = await model.driver.start({ flow: model.flow, seed, trace, inspect });
  const run = new PathRun(model, world, steps, options);
  try {
    await run.perform();
  } catch (error) {
    await world.end().catch((another) => {
      throw new AggregateError([error, another], `${String(error)}; and the world did not end: ${String(another)}`);
    });
    throw error;
  }
  await run.end();
}

/** Errors: `ERR_USAGE`. */
export function checkModel(model: TraversalModel): void {
  if (model?.driver === undefined) throw usage('model', 'is no model; createTraversalModel makes one');
}

/** `names`: those that there are beside {@link TestPathOptions}, for a reader of their own. Errors: `ERR_USAGE`. */
export function checkOptions(options: TestPathOptions, ...names: readonly string[]): Fields {
  const fields = new Fields(options, 'options', ['seed', 'invariants', 'trace', 'inspect', ...names]);
  fields.integer('seed', SEED);
  fields.list('invariants', (value, path) => {
    const { name, check } = Object(value) as Partial<Invariant>;
    if (typeof name !== 'string' || typeof check !== 'function') throw usage(path, 'must have a name and a check');
  });
  for (const name of ['trace', 'inspect'] as const) {
    const sink = options[name];
    if (sink !== undefined && typeof sink !== 'function') throw usage(fields.at(name), 'must be a function');
  }
  return fields;
}

function checkSteps(model: TraversalModel, steps: readonly ModelStep[] | undefined): void {
  if (!Array.isArray(steps)) throw usage('steps', 'must be a list of steps');
  const events = steps.map((step, i) => {
    const fields = new Fields(step, `steps[${i}]`, ['event', 'pause']);
    fields.required('pause', fields.number('pause', PAUSE));
    return step.event;
  });
  checkSequence(model, events, 'steps');
}

class PathRun {
  readonly #model: TraversalModel;
  readonly #world: World;
  readonly #steps: readonly ModelStep[];
  readonly #seed: number;
  readonly #invariants: readonly Invariant[];
  #snapshot: ModelSnapshot;
  #at = -1;

  constructor(
    model: TraversalModel,
    world: World,
    steps: readonly ModelStep[],
    { seed = 1, invariants = allInvariants }: TestPathOptions,
  ) {
    this.#model = model;
    this.#world = world;
    this.#steps = steps;
    this.#seed = seed;
    this.#invariants = invariants;
    this.#snapshot = model.initial();
  }

  async perform(): Promise<void> {
    this.#judge();
    for (const [i, { event, pause }] of this.#steps.entries()) {
      this.#at = i;
      this.#snapshot = this.#model.next(this.#snapshot, event);
      if (event.type === 'time.passed') {
        await this.#rest();
      } else {
        await this.#world.perform(event);
        this.#judge();
      }
      if (this.#snapshot.status === 'active') await this.#pass(pause);
    }
    if (this.#snapshot.status !== 'active') await this.#rest();
  }

  /** Ends the world, and looks at what it leaves. */
  async end(): Promise<void> {
    const observation = this.#world.observe();
    const remains = await this.#world.end();
    this.#at = this.#steps.length;
    this.#hold({ ...this.#moment(observation, false), remains });
  }

  /** Lets time pass until what is seen is what the model says, and stays so. */
  async #rest(): Promise<void> {
    const patience = this.#world.observe().at + this.#model.driver.bounds.rest;
    for (let step = SHORTEST_LOOK; ; step = Math.min(step * 1.5, LONGEST_LOOK)) {
      const observation = this.#judge();
      const calmFor = observation.at - Math.max(...SIDES.map((side) => observation[side].since));
      if (this.#mismatch(observation) === undefined && calmFor >= CALM) break;
      if (observation.at > patience) {
        const state = describeState(this.#snapshot);
        throw this.#failure(`the model is ${state}, but ${this.#mismatch(observation) ?? 'nothing comes to rest'}`);
      }
      await this.#world.pass(step);
    }
    this.#hold(this.#moment(this.#world.observe(), true));
  }

  async #pass(ms: number): Promise<void> {
    await this.#world.pass(ms);
    this.#judge();
  }

  #judge(): Observation {
    const observation = this.#world.observe();
    this.#hold(this.#moment(observation, false));
    return observation;
  }

  #hold(moment: Moment): void {
    for (const { name, check } of this.#invariants) {
      const problem = check(moment);
      if (problem !== undefined) throw this.#failure(`${name}: ${problem}`);
    }
  }

  /** How what is seen differs from what the state of the model allows. */
  #mismatch(observation: Observation): string | undefined {
    const allowed = this.#model.sees(this.#snapshot);
    for (const side of SIDES) {
      const { sight } = observation[side];
      if (!allowed[side].includes(sight)) return `the ${side} is ${sight}, not ${allowed[side].join(' or ')}`;
    }
    return undefined;
  }

  #moment(observation: Observation, atRest: boolean): Moment {
    return { model: this.#model, snapshot: this.#snapshot, observation, atRest };
  }

  #failure(reason: string): ModelFailure {
    return new ModelFailure({
      steps: this.#steps,
      at: this.#at,
      seed: this.#seed,
      model: this.#model.code,
      reason,
    });
  }
}

const SEED: Range = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };
/** ms by the driver's clock between two looks. */
const SHORTEST_LOOK = 50;
const LONGEST_LOOK = 2_000;
/** ms without a change after which a pair is at rest. */
const CALM = 1_500;
