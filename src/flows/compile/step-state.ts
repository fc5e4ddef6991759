import type { FallbackStep, RetryStep, SequenceStep, Step, WhenStep, WithinStep } from '../step.ts';
import { strategyNames } from '../walk.ts';
import { ask } from './ask.ts';
import type { Skipped } from './attempt.ts';
import type { ComposedState } from './composed-setup.ts';
import type { ComposedContext } from './contract.ts';
import { tellApart } from './names.ts';
import type { Parts } from './parts.ts';
import { pauseAfter, pauseSpread } from './pause.ts';
import { inWords, type Place, withDeadline } from './place.ts';
import { keyOf, raceState } from './race-state.ts';
import { strategyState } from './strategy-state.ts';

/** The state of a step and all that is in it. */
export function stepState(step: Step, place: Place, parts: Parts): ComposedState {
  switch (step.kind) {
    case 'strategy':
      return strategyState(step.strategy, place, parts);
    case 'sequence':
      return sequenceState(step, place, parts);
    case 'race':
      return raceState(
        { ...step, name: 'race', isRanked: parts.isRanked, isSelective: parts.isSelective },
        place,
        parts,
        stepState,
      );
    case 'when':
      return whenState(step, place, parts);
    case 'retry':
      return retryState(step, place, parts);
    case 'within':
      return withinState(step, place, parts);
    case 'fallback':
      return fallbackState(step, place, parts);
  }
}

function sequenceState({ steps }: Pick<SequenceStep, 'steps'>, place: Place, parts: Parts): ComposedState {
  const { path, lost } = place;
  const keys = tellApart(steps.map(keyOf));
  const states = steps.map((step, i): [string, ComposedState] => {
    const next = keys[i + 1];
    const target = next === undefined ? lost : `#${path}.${next}`;
    return [keys[i]!, stepState(step, { ...place, path: `${path}.${keys[i]}`, lost: target }, parts)];
  });
  return {
    description: 'one after the other, until one succeeds',
    initial: keys[0]!,
    states: Object.fromEntries(states),
  };
}

function whenState({ evidence, step }: WhenStep, place: Place, parts: Parts): ComposedState {
  const { path, lost } = place;
  const [key] = tellApart([keyOf(step)], ['deciding']) as [string];
  const skipped = ({ context: { facts } }: { context: ComposedContext }): Skipped => ({
    step: path,
    strategies: strategyNames(step),
    reason: `skipped: ${ask(evidence, facts).reason}`,
  });
  return {
    description: `only if ${evidence.name}`,
    initial: 'deciding',
    states: {
      deciding: {
        always: [
          // The types know the guards that all machines have; this one is this machine's own.
          { guard: parts.evidence(evidence) as 'succeeded', target: key },
          { target: lost, actions: { type: 'noteSkipped', params: skipped } },
        ],
      },
      [key]: stepState(step, { ...place, path: `${path}.${key}` }, parts),
    },
  };
}

function retryState({ step, times, backoff, longest }: RetryStep, place: Place, parts: Parts): ComposedState {
  const { path, lost, retries } = place;
  const [key] = tellApart([keyOf(step)], ['pausing']) as [string];
  const pause = parts.delay('pause of retry', ({ context: { tries, jitter } }) =>
    pauseAfter(tries[path]!, { backoff, longest, jitter }),
  );
  return {
    description: triesInWords({ times, backoff, longest }),
    entry: { type: 'beginTries', params: { step: path } },
    initial: key,
    states: {
      [key]: stepState(
        step,
        { ...place, path: `${path}.${key}`, lost: `#${path}.pausing`, retries: [...retries, path] },
        parts,
      ),
      pausing: {
        entry: { type: 'countTry', params: { step: path } },
        always: { guard: { type: 'triesOver', params: { step: path, times } }, target: lost },
        after: { [pause]: key },
      },
    },
  };
}

/** With the shortest pause that there may be, and the longest. */
function triesInWords({ times, ...pauses }: Pick<RetryStep, 'times' | 'backoff' | 'longest'>): string {
  if (times === 1) return 'once';
  const { least } = pauseSpread(1, pauses);
  const { most } = pauseSpread(times - 1, pauses);
  return `${times} times at most, after pauses of ${inWords(Math.round(least))} to ${inWords(most)}`;
}

function withinState({ step, time }: WithinStep, place: Place, parts: Parts): ComposedState {
  const { path, lost } = place;
  const key = keyOf(step);
  const delay = parts.delay('time of within', time);
  return {
    description: `at most ${inWords(time)}`,
    initial: key,
    after: { [delay]: lost },
    states: { [key]: stepState(step, { ...withDeadline(place, delay, time), path: `${path}.${key}` }, parts) },
  };
}

function fallbackState({ step, backup, after }: FallbackStep, place: Place, parts: Parts): ComposedState {
  const steps = [step, backup];
  if (after === undefined) return sequenceState({ steps }, place, parts);
  return raceState(
    { name: 'fallback', steps, stagger: after, isRanked: false, isSelective: false },
    place,
    parts,
    stepState,
  );
}
