import { type AnyActorLogic, type AnyActorRef, createActor, toPromise } from 'xstate';
import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { messageOf, TraversalError } from '../../core/errors.ts';
import type { Mapping } from '../../core/port-mapper.ts';
import type { Failed, StrategyInput, StrategyResult, Success } from '../../core/strategy.ts';
import type { Strategy } from '../strategy.ts';
import type { AttemptCounts, StepInput, StepOutput } from './contract.ts';
import type { StrategyHost } from './strategy-host.ts';

export interface RunOptions {
  readonly host: StrategyHost;
  readonly step: StepInput;
  /** Abandons the run. */
  readonly signal: AbortSignal;
  /** Whose child the actor of a strategy that is a machine becomes. */
  readonly parent: AnyActorRef;
}

/** One run of a strategy, from the host's `begin` to its `end`. Never rejects: whatever goes wrong is the strategy's failure. */
export async function runStrategy(strategy: Strategy, options: RunOptions): Promise<StepOutput> {
  const { host, step, signal } = options;
  const begun = begin(strategy, options);
  if ('ok' in begun) return outputOf(strategy, step, begun);
  if ('elsewhere' in begun) return outputOf(strategy, step, await settled(strategy, () => begun.elsewhere));
  let counts: AttemptCounts | undefined;
  const end = (result: StrategyResult): void => {
    counts ??= host.end(step, result);
  };
  const abandon = (): void => end({ ok: false, reason: 'not wanted any more', code: 'ERR_ABORTED' });
  signal.addEventListener('abort', abandon);
  const result = standing(await settled(strategy, () => run(strategy, begun.input, options)), host, step);
  signal.removeEventListener('abort', abandon);
  end(result);
  return outputOf(strategy, step, result, counts);
}

function begin(
  strategy: Strategy,
  { host, step, signal }: RunOptions,
): { input: StrategyInput } | { elsewhere: Promise<StrategyResult> } | Failed {
  try {
    const elsewhere = host.elsewhere?.(strategy, step, signal);
    return elsewhere === undefined ? { input: host.begin(strategy, step, signal) } : { elsewhere };
  } catch (error) {
    return failureOf(error);
  }
}

function run({ logic }: Strategy, input: StrategyInput, options: RunOptions): Promise<StrategyResult> {
  return 'run' in logic ? logic.run(input) : runMachine(logic.machine, input, options);
}

function runMachine(
  machine: AnyActorLogic,
  input: StrategyInput,
  { step, signal, parent }: RunOptions,
): Promise<StrategyResult> {
  const actor = createActor(machine, { id: step.strategy, input, parent });
  // XState stops an actor by this event; its `stop()` is for those that have no parent.
  signal.addEventListener('abort', () => actor.send({ type: 'xstate.stop' }));
  const output = toPromise(actor);
  actor.start();
  return output;
}

async function settled(strategy: Strategy, work: () => Promise<StrategyResult>): Promise<StrategyResult> {
  try {
    const result = await work();
    return isResult(strategy, result) ? result : { ok: false, reason: `it gave no result: ${JSON.stringify(result)}` };
  } catch (error) {
    return failureOf(error);
  }
}

function failureOf(error: unknown): Failed {
  if (error instanceof TraversalError) return { ok: false, reason: error.message, code: error.code };
  return { ok: false, reason: messageOf(error) };
}

/** The same, unless it is a path that is not there. */
function standing(result: StrategyResult, host: StrategyHost, step: StepInput): StrategyResult {
  const { path } = result as Partial<Success<'direct'>>;
  if (path === undefined || host.stands?.(step, path) !== false) return result;
  return { ok: false, reason: `it gave a path that does not stand: ${path}` };
}

/** Strategies may be written without types. */
function isResult({ gives }: Strategy, result: StrategyResult | undefined): boolean {
  if (typeof result?.ok !== 'boolean') return false;
  if (!result.ok) return typeof result.reason === 'string';
  if (gives === 'mapping') return isMapping((result as Partial<Success<'mapping'>>).mapping);
  return gives === 'candidates' || ('path' in result && typeof result.path === 'string');
}

function isMapping(mapping: Partial<Mapping> | undefined): boolean {
  const isEnd = (end: Partial<Endpoint> | undefined): boolean =>
    typeof end?.address === 'string' && typeof end.port === 'number';
  return isEnd(mapping?.external) && isEnd(mapping?.internal);
}

function outputOf(strategy: Strategy, step: StepInput, result: StrategyResult, counts?: AttemptCounts): StepOutput {
  const at = { step: step.step, strategy: strategy.name };
  const reason = result.ok ? reasonOf(strategy, result) : result.reason;
  const code = result.ok ? undefined : result.code;
  const attempts = [{ ...at, ok: result.ok, reason, ...(code && { code }), ...counts }];
  return result.ok ? { ...result, ...at, attempts } : { ...result, attempts };
}

function reasonOf({ gives }: Strategy, result: Success): string {
  if (gives === 'candidates') return 'done';
  if (gives !== 'mapping') return `path ${(result as Success<'direct'>).path}`;
  const { external, internal } = (result as Success<'mapping'>).mapping;
  return `${formatEndpoint(external)} leads to ${formatEndpoint(internal)}`;
}
