import type {
  AnyActorRef,
  EventObject,
  MetaObject,
  ParameterizedObject,
  StateMachine,
  StateSchema,
  StateValue,
} from 'xstate';
import type { Product } from '../../core/strategy.ts';
import type { Step } from '../step.ts';
import { failureOfAll } from './attempt.ts';
import { type ComposedState, composedSetup } from './composed-setup.ts';
import type { ComposedContext, ComposedEvent, ComposedInput, StepOutput } from './contract.ts';
import { tellApart } from './names.ts';
import { type ComposeOptions, Parts } from './parts.ts';
import type { Place } from './place.ts';
import { keyOf } from './race-state.ts';
import { stepState } from './step-state.ts';
import type { StepLogic } from './strategy-slot.ts';

/** Steps as one machine. Its strategies are slots until a host is bound; each has its name, and so have evidence and delays. */
export type ComposedMachine<P extends Product = Product> = StateMachine<
  ComposedContext,
  ComposedEvent,
  Record<string, AnyActorRef | undefined>,
  { src: string; logic: StepLogic; id: string | undefined },
  ParameterizedObject,
  ParameterizedObject,
  string,
  StateValue,
  string,
  ComposedInput,
  StepOutput<P>,
  EventObject,
  MetaObject,
  StateSchema
>;

/** The machine of a step: it ends with the first success, or when the step has failed. */
export function compose<P extends Product>(id: string, step: Step<P>, options?: ComposeOptions): ComposedMachine<P> {
  const parts = new Parts(options);
  const [key] = tellApart([keyOf(step)], OUTCOMES) as [string];
  const state = stepState(step, placeOf(`${id}.${key}`, id), parts);
  return machineOf<P>(id, parts, {
    on: { 'facts.changed': { actions: 'noteFacts' } },
    initial: key,
    states: { [key]: state, won: { type: 'final' }, lost: { type: 'final' } },
  });
}

/**
 * The machine of steps that all run, side by side: it ends when all have ended, with the first success if there was one. What they
 * choose by is what is known as it starts.
 */
export function composeAll<P extends Product>(id: string, steps: readonly Step<P>[]): ComposedMachine<P> {
  const parts = new Parts();
  const keys = tellApart(steps.map(keyOf));
  const regions = steps.map((step, i): [string, ComposedState] => {
    const region = `${id}.${keys[i]}`;
    const [key] = tellApart([keyOf(step)], OUTCOMES) as [string];
    const state = stepState(step, placeOf(`${region}.${key}`, region), parts);
    return [keys[i]!, { initial: key, states: { [key]: state, won: { type: 'final' }, lost: { type: 'final' } } }];
  });
  return machineOf<P>(id, parts, { type: 'parallel', states: Object.fromEntries(regions) });
}

function machineOf<P extends Product>(
  id: string,
  parts: Parts,
  root: Pick<ComposedState, 'type' | 'on' | 'initial' | 'states'>,
): ComposedMachine<P> {
  return composedSetup<P>(parts).createMachine({
    id,
    context: ({ input }) => contextOf(input),
    output: ({ context }) => outputOf<P>(context),
    ...root,
  });
}

function contextOf({ id, facts, jitter = 0.5, ranks = {}, leftOut = [] }: ComposedInput): ComposedContext {
  return { id, facts, jitter, ranks, leftOut, attempts: [], winner: undefined, started: [], lost: [], tries: {} };
}

function outputOf<P extends Product>(context: ComposedContext): StepOutput<P> {
  const { winner, attempts } = context;
  // The steps of a machine all give the same product.
  return winner === undefined ? failureOfAll(context) : { ...(winner as StepOutput<P> & { ok: true }), attempts };
}

function placeOf(path: string, parent: string): Place {
  return {
    path,
    won: `#${parent}.won`,
    lost: `#${parent}.lost`,
    budgets: [],
    retries: [],
    deadlines: {},
    longest: Infinity,
  };
}

const OUTCOMES = ['won', 'lost'];
