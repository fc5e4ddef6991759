import type { Arbitrary } from 'fast-check';
import { TraversalError } from '../../core/errors.ts';
import type { ModelEvent, ModelStep } from './model-event.ts';
import { ModelFailure } from './model-failure.ts';
import { checkModel, checkOptions, type TestPathOptions, testPath } from './test-path.ts';
import type { TraversalModel } from './traversal-model.ts';

export interface PropertyTestOptions extends TestPathOptions {
  readonly model: TraversalModel;
  /** Sequences to try, 1 at least. Default 100. */
  readonly runs?: number;
  /** Of the sequences, and of the chance in their worlds, of 32 bits; default: another one each time. A failure tells it. */
  readonly seed?: number;
  /** Events after the dial, at most. Default 8. */
  readonly longest?: number;
  /** ms that the world is left alone between two events, at most. Default 3,000. */
  readonly longestPause?: number;
}

/** What was tried without a failure. */
export interface PropertyTestReport {
  readonly runs: number;
  readonly seed: number;
}

/**
 * Makes random sequences of events happen, each to a pair in a world of its own, with the model as oracle. What fails is shrunk to the
 * fewest events that still fail; the trace, if one is wanted, is that of the shrunk run. Needs the package `fast-check`. Errors: a
 * {@link ModelFailure} with seed and shrunk sequence; `ERR_NOT_AVAILABLE` without the package; `ERR_USAGE`.
 */
export async function propertyTest(options: PropertyTestOptions): Promise<PropertyTestReport> {
  const { runs, seed, longest, longestPause } = readNumbers(options);
  const { model, invariants, trace, inspect } = options;
  const fc = await loadFastCheck();
  const step = stepArbitrary(fc, model.events, longestPause);
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: BEFORE }),
    fc.array(step, { maxLength: longest }),
    fc.noShrink(fc.nat()),
    async (before, after, world) => {
      await testPath(model, { steps: possibleSteps(model, before, after) }, { invariants, inspect, seed: world });
    },
  );
  const result = await fc.check(property, { numRuns: runs, seed });
  if (!result.failed) return { runs: result.numRuns, seed: result.seed };
  const { errorInstance, counterexample, numRuns, numShrinks } = result;
  if (counterexample === null) throw errorInstance;
  const [before, after, world] = counterexample;
  const steps = possibleSteps(model, before, after);
  if (trace !== undefined) await retrace(model, steps, { invariants, inspect, seed: world, trace });
  const found = `Run ${numRuns} of ${runs} failed; seed ${result.seed}, shrunk ${numShrinks} times`;
  if (errorInstance instanceof ModelFailure) throw new ModelFailure(errorInstance.run, { found });
  const reason = `the run broke: ${String(errorInstance)}`;
  const run = { steps, at: steps.length, seed: world, model: model.code, reason };
  throw new ModelFailure(run, { found, cause: errorInstance });
}

function readNumbers(options: PropertyTestOptions) {
  checkModel(options?.model);
  const fields = checkOptions(options, 'model', 'runs', 'longest', 'longestPause');
  return {
    runs: fields.integer('runs', { min: 1, max: MOST }) ?? 100,
    seed: fields.integer('seed', { min: -MOST - 1, max: MOST }),
    longest: fields.integer('longest', { min: 0, max: MOST }) ?? 8,
    longestPause: fields.integer('longestPause', { min: 0, max: MOST }) ?? 3_000,
  };
}

type FastCheck = typeof import('fast-check');

/** Errors: `ERR_NOT_AVAILABLE`. */
async function loadFastCheck(): Promise<FastCheck> {
  try {
    return await import('fast-check');
  } catch (cause) {
    throw new TraversalError('ERR_NOT_AVAILABLE', 'propertyTest needs the package fast-check: install it', { cause });
  }
}

/** Time passes as often as anything else happens, or little would ever come to rest. */
function stepArbitrary(fc: FastCheck, events: readonly ModelEvent[], longestPause: number): Arbitrary<ModelStep> {
  const others = events.filter(({ type }) => type !== 'time.passed' && type !== 'dialed');
  const time = fc.constant<ModelEvent>({ type: 'time.passed' });
  const event =
    others.length === 0
      ? time
      : fc.oneof({ weight: 1, arbitrary: time }, { weight: 2, arbitrary: fc.constantFrom(...others) });
  return fc.record({ event, pause: fc.nat(longestPause) });
}

/** What is drawn, with the dial in its place and without what cannot happen where it stands. */
function possibleSteps(
  model: TraversalModel,
  before: readonly ModelStep[],
  after: readonly ModelStep[],
): readonly ModelStep[] {
  const dial: ModelStep = { event: { type: 'dialed' }, pause: after.length === 0 ? 0 : after[0]!.pause };
  let snapshot = model.initial();
  return [...before, dial, ...after].filter(({ event }) => {
    if (snapshot.status !== 'active' || !snapshot.can(event)) return false;
    snapshot = model.next(snapshot, event);
    return true;
  });
}

/** Makes the failing run once more, for its trace; that it fails is known. */
async function retrace(model: TraversalModel, steps: readonly ModelStep[], options: TestPathOptions): Promise<void> {
  try {
    await testPath(model, { steps }, options);
  } catch (error) {
    if (!(error instanceof ModelFailure)) throw error;
  }
}

/** Events before the dial, at most. */
const BEFORE = 2;
/** What fast-check takes: whole numbers of 32 bits. */
const MOST = 2 ** 31 - 1;
