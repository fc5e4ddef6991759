import type { AnyEventObject } from 'xstate';
import { messageOf } from '../../core/errors.ts';
import type { ComposedContext, StepAttempt, StepFailed } from './contract.ts';

/** The state of a strategy, and what may end it. */
export interface Leaf {
  readonly step: string;
  readonly strategy: string;
  /** Types of the events that end its time, its own and that of the steps around it, with what they mean. */
  readonly deadlines: Readonly<Record<string, string>>;
}

/** Strategies that were not run, and why. */
export interface Skipped {
  readonly step: string;
  readonly strategies: readonly string[];
  readonly reason: string;
}

/** What the event that left a strategy's state says of its run. An actor that a user provided gives a result and no attempts. */
export function attemptsAtExit({ step, strategy, deadlines }: Leaf, event: AnyEventObject): readonly StepAttempt[] {
  const failed = (reason: string, code?: StepAttempt['code']): readonly StepAttempt[] => [
    { step, strategy, ok: false, reason, ...(code && { code }) },
  ];
  if (event.type === `xstate.done.actor.${step}`) {
    const { output } = event;
    if (output?.attempts !== undefined) return output.attempts;
    if (output?.ok === true) return [{ step, strategy, ok: true, reason: 'it succeeded' }];
    return failed(output?.reason ?? 'it gave no result', output?.code);
  }
  if (event.type === `xstate.error.actor.${step}`) return failed(messageOf(event.error));
  const deadline = deadlines[event.type];
  if (deadline !== undefined) return failed(deadline, 'ERR_TIMEOUT');
  const faster = event.type.startsWith('xstate.done.actor.') && event.output?.ok === true;
  return failed(faster ? `${event.output.strategy ?? 'another'} was faster` : 'not wanted any more', 'ERR_ABORTED');
}

export function attemptsSkipped({ step, strategies, reason }: Skipped): readonly StepAttempt[] {
  return strategies.map((strategy) => ({ step, strategy, ok: false, reason }));
}

/** That nothing succeeded, and for each strategy how it failed last. */
export function failureOfAll({ attempts }: ComposedContext): StepFailed {
  const last = new Map(attempts.map((attempt) => [attempt.strategy, attempt]));
  const reason = [...last.values()].map(({ strategy, reason }) => `${strategy}: ${reason}`).join('; ');
  const code = attempts.at(-1)?.code;
  return { ok: false, reason, ...(code && { code }), attempts };
}
