import { assign, setup } from 'xstate';
import type { Product } from '../../core/strategy.ts';
import { attemptsAtExit, attemptsSkipped, type Leaf, type Skipped } from './attempt.ts';
import type { ComposedContext, ComposedEvent, ComposedInput, StepOutput, StepSuccess } from './contract.ts';
import type { StepLogic } from './strategy-slot.ts';
import { hasTurn, isLeftOut, isNext, type Turn } from './turn.ts';

/** What one composed machine has of its own, by name. */
export interface Implementations {
  readonly actors: Record<string, StepLogic>;
  /** Evidence. */
  readonly guards: Record<string, (args: { context: ComposedContext }) => boolean>;
  /** ms. */
  readonly delays: Record<string, number | ((args: { context: ComposedContext }) => number)>;
}

/** The types, actions and guards of all composed machines, and what one has of its own. */
export function composedSetup<P extends Product>({ actors, guards, delays }: Implementations) {
  return setup({
    types: {
      context: {} as ComposedContext,
      events: {} as ComposedEvent,
      input: {} as ComposedInput,
      output: {} as StepOutput<P>,
    },
    actors,
    delays,
    actions: {
      noteFacts: assign(({ event }) => ({ facts: event.facts })),
      /** The strategy whose state is left has ended. */
      noteAttempt: assign(({ context, event }, leaf: Leaf) => ({
        attempts: [...context.attempts, ...attemptsAtExit(leaf, event)],
      })),
      noteSkipped: assign(({ context }, skipped: Skipped) => ({
        attempts: [...context.attempts, ...attemptsSkipped(skipped)],
      })),
      noteWinner: assign(({ context, event }, { step, strategy }: Pick<Leaf, 'step' | 'strategy'>) => ({
        winner: context.winner ?? { ...successOf(event), step, strategy, attempts: [] },
      })),
      /** Again inside a `retry`. */
      beginRace: assign(({ context }, { step }: { step: string }) => ({
        started: context.started.filter((child) => !child.startsWith(`${step}.`)),
        lost: context.lost.filter((child) => !child.startsWith(`${step}.`)),
      })),
      noteStarted: assign(({ context }, { step }: { step: string }) => ({ started: [...context.started, step] })),
      noteLost: assign(({ context }, { step }: { step: string }) => ({ lost: [...context.lost, step] })),
      beginTries: assign(({ context }, { step }: { step: string }) => ({ tries: { ...context.tries, [step]: 0 } })),
      countTry: assign(({ context }, { step }: { step: string }) => ({
        tries: { ...context.tries, [step]: (context.tries[step] ?? 0) + 1 },
      })),
    },
    guards: {
      ...guards,
      /** The strategy that ended has succeeded. */
      succeeded: ({ event }) => 'output' in event && (event.output as { ok?: unknown } | undefined)?.ok === true,
      hasTurn: ({ context }, turn: Turn) => hasTurn(context, turn),
      isNext: ({ context }, turn: Turn) => isNext(context, turn),
      isLeftOut: ({ context }, turn: Turn) => isLeftOut(context, turn),
      triesOver: ({ context }, { step, times }: { step: string; times: number }) => (context.tries[step] ?? 0) >= times,
    },
  });
}

/** What the event of an actor's end gave; a guard has seen that it is a success. */
function successOf(event: object): Omit<StepSuccess, 'step' | 'strategy' | 'attempts'> {
  return (event as { output: StepSuccess }).output;
}

/** The config of a state inside of a composed machine. */
export type ComposedState = Parameters<ReturnType<typeof composedSetup>['createStateConfig']>[0];
