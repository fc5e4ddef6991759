import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compose } from '../../src/flows/compile/compose.ts';
import { pauseAfter } from '../../src/flows/compile/pause.ts';
import { evidence } from '../../src/flows/evidence.ts';
import { fallback } from '../../src/flows/fallback.ts';
import { race } from '../../src/flows/race.ts';
import { retry } from '../../src/flows/retry.ts';
import { sequence } from '../../src/flows/sequence.ts';
import type { Step } from '../../src/flows/step.ts';
import { when } from '../../src/flows/when.ts';
import { within } from '../../src/flows/within.ts';
import { runComposed, type Script, scripted } from './scripted.ts';

/** What each combinator means, said once more: when the step ends, in ms, if it starts at `start`. */
type Meaning = (start: number) => { readonly at: number; readonly ok: boolean };

interface Nested {
  readonly step: Step<'direct'>;
  readonly meaning: Meaning;
  /** ms that it may take at most, by its bounds alone. */
  readonly longest: number;
}

const JITTER = 0.3;

function leaf(id: number, { duration, ok, time }: Script & { time: number }): Nested {
  // Fractions of a millisecond, so that no two things happen at once.
  const ends = duration === undefined ? undefined : duration + id / 1_000;
  const isInTime = ends !== undefined && ends < time;
  return {
    step: scripted(`s${id}`, { ...(ends !== undefined && { duration: ends }), ok: ok ?? false, time }),
    meaning: (start) => (isInTime ? { at: start + ends, ok: ok ?? false } : { at: start + time, ok: false }),
    longest: time,
  };
}

function inSequence(children: readonly Nested[]): Nested {
  return {
    step: sequence(stepsOf(children)),
    meaning: (start) => {
      let last = { at: start, ok: false };
      for (const { meaning } of children) if (!last.ok) last = meaning(last.at);
      return last;
    },
    longest: sum(children.map(({ longest }) => longest)),
  };
}

function inRace(children: readonly Nested[], stagger: number, bound: number | undefined): Nested {
  const free: Meaning = (start) => {
    const ends: { at: number; ok: boolean }[] = [];
    let begins = start;
    for (const [i, { meaning }] of children.entries()) {
      if (i > 0) {
        const allLost = ends.every(({ ok }) => !ok) ? Math.max(...ends.map(({ at }) => at)) : Infinity;
        begins = Math.min(begins + stagger, Math.max(begins, allLost));
      }
      ends.push(meaning(begins));
    }
    const wins = ends.filter(({ ok }) => ok).map(({ at }) => at);
    return wins.length > 0
      ? { at: Math.min(...wins), ok: true }
      : { at: Math.max(...ends.map(({ at }) => at)), ok: false };
  };
  const longest = Math.max(...children.map((child, i) => i * stagger + child.longest));
  return {
    step: race(stepsOf(children), { stagger, ...(bound !== undefined && { within: bound }) }),
    meaning: bound === undefined ? free : bounded(free, bound),
    longest: Math.min(longest, bound ?? Infinity),
  };
}

function bounded(meaning: Meaning, time: number): Meaning {
  return (start) => {
    const end = meaning(start);
    return end.at < start + time ? end : { at: start + time, ok: false };
  };
}

const nested = fc.letrec<{ leaf: Nested; node: Nested; step: Nested }>((tie) => {
  const children = fc.array(tie('step'), { minLength: 1, maxLength: 3 });
  const time = fc.integer({ min: 100, max: 3_000 });
  return {
    step: fc.oneof({ maxDepth: 3, withCrossShrink: true }, tie('leaf'), tie('node')),
    leaf: fc
      .record({
        id: fc.integer({ min: 1, max: 999 }),
        duration: fc.option(fc.integer({ min: 1, max: 2_000 }), { nil: undefined }),
        ok: fc.boolean(),
        time,
      })
      .map(({ id, duration, ok, time }) => leaf(id, { ...(duration !== undefined && { duration }), ok, time })),
    node: fc.oneof(
      children.map(inSequence),
      fc
        .tuple(children, fc.constantFrom(0, 150, 400), fc.option(time, { nil: undefined }))
        .map(([steps, stagger, bound]) => inRace(steps, stagger, bound)),
      fc.tuple(tie('step'), fc.boolean()).map(
        ([{ step, meaning, longest }, holds]): Nested => ({
          step: when(
            evidence(`it is ${holds}`, () => holds),
            step,
          ),
          meaning: holds ? meaning : (start) => ({ at: start, ok: false }),
          longest: holds ? longest : 0,
        }),
      ),
      fc.tuple(tie('step'), time).map(
        ([{ step, meaning, longest }, time]): Nested => ({
          step: within(time, step),
          meaning: bounded(meaning, time),
          longest: Math.min(time, longest),
        }),
      ),
      fc.tuple(tie('step'), fc.integer({ min: 1, max: 3 })).map(([child, times]) => retried(child, times)),
      fc
        .tuple(tie('step'), tie('step'), fc.option(time, { nil: undefined }))
        .map(([first, second, after]) => inFallback(first, second, after)),
    ),
  };
}).step;

function retried({ step, meaning, longest }: Nested, times: number): Nested {
  const pause = (tries: number): number => pauseAfter(tries, { backoff: 100, longest: 150, jitter: JITTER });
  return {
    step: retry(step, { times, backoff: 100, longest: 150 }),
    meaning: (start) => {
      let end = meaning(start);
      for (let tries = 1; tries < times && !end.ok; tries += 1) end = meaning(end.at + pause(tries));
      return end;
    },
    longest: times * longest + (times - 1) * 150,
  };
}

function inFallback(first: Nested, second: Nested, after: number | undefined): Nested {
  const { meaning, longest } =
    after === undefined ? inSequence([first, second]) : inRace([first, second], after, undefined);
  return { step: fallback(first.step, second.step, { ...(after !== undefined && { after }) }), meaning, longest };
}

test('nested at will: ends when and as it should, with one winner at most, and nothing left running', async () => {
  await fc.assert(
    fc.asyncProperty(nested, async ({ step, meaning, longest }) => {
      const { output, host, endedAt } = await runComposed(compose('punch', step), { jitter: JITTER });
      const expected = meaning(0);
      expect(output.ok).toBe(expected.ok);
      expect(endedAt).toBeCloseTo(expected.at, 1);
      expect(endedAt).toBeLessThanOrEqual(longest + 0.001);
      expect(output.attempts.filter(({ ok }) => ok)).toHaveLength(expected.ok ? 1 : 0);
      expect(host.running).toBe(0);
      const begun = host.happenings.filter(({ what }) => what === 'begin').length;
      expect(host.happenings).toHaveLength(2 * begun);
      expect(
        host.happenings
          .filter(({ what }) => what === 'begin')
          .map((one) => one.step)
          .sort(),
      ).toEqual(
        output.attempts
          .filter(({ reason }) => !reason.startsWith('skipped'))
          .map((one) => one.step)
          .sort(),
      );
    }),
    { numRuns: 150 },
  );
});

function stepsOf(children: readonly Nested[]): [Step<'direct'>, ...Step<'direct'>[]] {
  return children.map(({ step }) => step) as [Step<'direct'>, ...Step<'direct'>[]];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
