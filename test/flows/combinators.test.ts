import { describe, expect, test } from 'vitest';
import { type AnyMachineSnapshot, initialTransition, transition } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { type ComposedMachine, compose, composeAll } from '../../src/flows/compile/compose.ts';
import type { StepInput } from '../../src/flows/compile/contract.ts';
import { evidence } from '../../src/flows/evidence.ts';
import { fallback } from '../../src/flows/fallback.ts';
import { race } from '../../src/flows/race.ts';
import { retry } from '../../src/flows/retry.ts';
import { sequence } from '../../src/flows/sequence.ts';
import { when } from '../../src/flows/when.ts';
import { within } from '../../src/flows/within.ts';
import { broke, expired, facts, failed, scripted, won } from './scripted.ts';

const [a, b, c] = [scripted('a'), scripted('b'), scripted('c')];
const yes = evidence('it is so', () => true);
const relayOnly = evidence('only relays are allowed', ({ policy }) => policy === 'relay-only');

/** By pure transitions alone: nothing runs. */
function run(machine: ComposedMachine, events: readonly never[], input: object = {}) {
  let [snapshot, actions] = initialTransition(machine, { id: 'c', facts, ...input });
  for (const event of events) [snapshot, actions] = transition(machine, snapshot, event);
  const { value, status, output, context } = snapshot;
  return { value, status, output, context, actions };
}

describe('a strategy', () => {
  const machine = compose('punch', a);

  test('is a state that its actor ends, or its time', () => {
    expect(run(machine, []).value).toBe('a');
    expect(run(machine, [won('punch.a', 'a')])).toMatchObject({
      value: 'won',
      output: { ok: true, path: 'a', strategy: 'a', step: 'punch.a' },
    });
    expect(run(machine, [failed('punch.a')])).toMatchObject({
      value: 'lost',
      output: { ok: false, reason: 'a: no answer', attempts: [{ strategy: 'a', ok: false, reason: 'no answer' }] },
    });
    expect(run(machine, [broke('punch.a')]).output).toMatchObject({ ok: false, reason: 'a: broken' });
    expect(run(machine, [expired('time of a', 'punch.a')]).output).toMatchObject({
      ok: false,
      reason: 'a: not done within 10 s',
      code: 'ERR_TIMEOUT',
    });
  });

  test('is asked for with plain data', () => {
    const { actions } = run(compose('punch', race([race([a], { packets: 5 })], { packets: 9 })), []);
    const inputs = actions.flatMap(({ params }) => (params as { input?: StepInput }).input ?? []);
    expect(inputs).toEqual([
      {
        id: 'c',
        step: 'punch.race.race.race.a.a',
        strategy: 'a',
        facts,
        budgets: [
          { id: 'punch.race', packets: 9 },
          { id: 'punch.race.race.race', packets: 5 },
        ],
      },
    ]);
  });

  test('that ended without a result has failed', () => {
    expect(run(machine, [{ type: 'xstate.done.actor.punch.a', output: undefined } as never])).toMatchObject({
      value: 'lost',
      output: { ok: false, reason: 'a: it gave no result' },
    });
  });

  test('is given the facts of its start', () => {
    const changed = { type: 'facts.changed', facts: { ...facts, role: 'listener' } } as never;
    const { actions } = run(compose('punch', sequence([a, b])), [changed, failed('punch.sequence.a')]);
    expect(actions).toContainEqual(
      expect.objectContaining({
        params: expect.objectContaining({
          src: 'b',
          input: expect.objectContaining({ facts: { ...facts, role: 'listener' } }),
        }),
      }),
    );
  });
});

describe('sequence', () => {
  const machine = compose('punch', sequence([a, b]));

  test('goes on when one has failed, and ends with the first success', () => {
    expect(run(machine, []).value).toEqual({ sequence: 'a' });
    expect(run(machine, [failed('punch.sequence.a')]).value).toEqual({ sequence: 'b' });
    expect(run(machine, [won('punch.sequence.a')]).value).toBe('won');
    expect(run(machine, [failed('punch.sequence.a'), won('punch.sequence.b')]).value).toBe('won');
  });

  test('has failed when all have, with each one’s reason', () => {
    const lost = run(machine, [failed('punch.sequence.a', 'x'), failed('punch.sequence.b', 'y')]);
    expect(lost.output).toMatchObject({ ok: false, reason: 'a: x; b: y' });
  });
});

describe('race', () => {
  const staggered = compose('punch', race([a, b, c], { stagger: 400 }));
  const [atA, atB, atC] = ['punch.race.a.a', 'punch.race.b.b', 'punch.race.c.c'] as const;
  const next = (key: string) => expired('stagger of race', `punch.race.${key}.next`);

  test('starts all at once where nothing is staggered', () => {
    expect(run(compose('punch', race([a, b])), []).value).toEqual({ race: { a: 'a', b: 'b' } });
  });

  test('starts the next at its stagger', () => {
    expect(run(staggered, []).value).toEqual({ race: { a: 'a', b: 'next', c: 'waiting' } });
    expect(run(staggered, [next('b')]).value).toEqual({ race: { a: 'a', b: 'b', c: 'next' } });
    expect(run(staggered, [next('b'), next('c')]).value).toEqual({ race: { a: 'a', b: 'b', c: 'c' } });
  });

  test('starts the next as soon as all before it have failed', () => {
    expect(run(staggered, [failed(atA)]).value).toEqual({ race: { a: 'lost', b: 'b', c: 'next' } });
    expect(run(staggered, [next('b'), failed(atB)]).value).toEqual({ race: { a: 'a', b: 'lost', c: 'next' } });
    expect(run(staggered, [next('b'), failed(atB), failed(atA)]).value).toEqual({
      race: { a: 'lost', b: 'lost', c: 'c' },
    });
  });

  test('is left at once when one wins, and the others are stopped', () => {
    const end = run(staggered, [next('b'), won(atB, 'b')]);
    expect(end).toMatchObject({ value: 'won', status: 'done', output: { ok: true, strategy: 'b' } });
    expect(end.actions.map(({ type }) => String(type)).filter((type) => type === 'xstate.stopChild')).toHaveLength(2);
    expect(end.output?.attempts).toEqual([
      { step: atB, strategy: 'b', ok: true, reason: 'done' },
      { step: atA, strategy: 'a', ok: false, reason: 'b was faster', code: 'ERR_ABORTED' },
    ]);
  });

  test('has failed when all have', () => {
    const end = run(staggered, [failed(atA), failed(atB), failed(atC)]);
    expect(end).toMatchObject({
      value: 'lost',
      output: { ok: false, reason: 'a: no answer; b: no answer; c: no answer' },
    });
  });

  test('has failed when its time is over', () => {
    const machine = compose('punch', race([a, b], { within: 5_000 }));
    expect(run(machine, [expired('time of race', 'punch.race')]).output).toMatchObject({
      ok: false,
      reason: 'b: not done within 5 s; a: not done within 5 s',
      code: 'ERR_TIMEOUT',
    });
  });

  const ranked = compose('punch', race([a, b, c], { stagger: 400 }), { ranked: true, selective: true });

  test('starts those of a better rank first, where it was composed so', () => {
    const ranks = { a: 3, b: 1, c: 2 };
    expect(run(ranked, [], { ranks }).value).toEqual({ race: { a: 'waiting', b: 'b', c: 'next' } });
    expect(run(ranked, [failed(atB), next('a')], { ranks }).value).toEqual({
      race: { a: 'a', b: 'lost', c: 'c' },
    });
  });

  test('runs as it is written where it was not', () => {
    expect(run(staggered, [], { ranks: { a: 9 }, leftOut: ['a'] }).value).toEqual(run(staggered, []).value);
    const regions = Object.values(staggered.states.race!.states).map(({ states }) => Object.keys(states));
    expect(regions).toEqual([
      ['waiting', 'a', 'lost'],
      ['waiting', 'next', 'b', 'lost'],
      ['waiting', 'next', 'c', 'lost'],
    ]);
  });

  test('ranks a child by the best of its strategies', () => {
    const machine = compose('punch', race([a, sequence([b, c])], { stagger: 400 }), { ranked: true });
    expect(run(machine, [], { ranks: { c: -1 } }).value).toEqual({
      race: { a: 'next', sequence: { sequence: 'b' } },
    });
  });

  test('does not start what is left out, and says so', () => {
    const end = run(ranked, [], { leftOut: ['a', 'c'] });
    expect(end.value).toEqual({ race: { a: 'lost', b: 'b', c: 'lost' } });
    expect(end.context.attempts.map(({ strategy, reason }) => `${strategy} ${reason.slice(0, 8)}`)).toEqual([
      'a left out',
      'c left out',
    ]);
    expect(run(ranked, [], { leftOut: ['a', 'b', 'c'] }).value).toBe('lost');
  });
});

describe('when', () => {
  const machine = compose('punch', sequence([when(relayOnly, a), b]));

  test('skips what the evidence is not there for, with the reason', () => {
    const { value, context } = run(machine, []);
    expect(value).toEqual({ sequence: 'b' });
    expect(context.attempts).toEqual([
      {
        step: 'punch.sequence.when',
        strategy: 'a',
        ok: false,
        reason: 'skipped: nothing shows that only relays are allowed',
      },
    ]);
  });

  test('decides by what is known when its turn comes', () => {
    const relayed = { ...facts, policy: 'relay-only' };
    expect(run(machine, [], { facts: relayed }).value).toEqual({ sequence: { when: 'a' } });
    const late = compose('punch', sequence([a, when(relayOnly, b)]));
    const changed = { type: 'facts.changed', facts: relayed } as never;
    expect(run(late, [changed, failed('punch.sequence.a')]).value).toEqual({ sequence: { when: 'b' } });
  });
});

describe('retry', () => {
  const machine = compose('punch', retry(a, { times: 3, backoff: 100, longest: 150 }));
  const pause = expired('pause of retry', 'punch.retry.pausing');

  test('tries again after a pause, as often as it was told', () => {
    const no = failed('punch.retry.a');
    expect(run(machine, [no]).value).toEqual({ retry: 'pausing' });
    expect(run(machine, [no, pause]).value).toEqual({ retry: 'a' });
    expect(run(machine, [no, pause, no, pause]).value).toEqual({ retry: 'a' });
    const end = run(machine, [no, pause, no, pause, no]);
    expect(end).toMatchObject({ value: 'lost', output: { ok: false, reason: 'a: no answer' } });
    expect(end.output?.attempts).toHaveLength(3);
    expect(run(machine, [no, pause, won('punch.retry.a')]).value).toBe('won');
  });

  test('pauses twice as long each time, with jitter, within its bounds', () => {
    const delayAfter = (tries: number, jitter: number): number => {
      const events = Array.from({ length: tries }, () => [failed('punch.retry.a'), pause])
        .flat()
        .slice(0, -1);
      const { actions } = run(machine, events, { jitter });
      return actions.flatMap(({ params }) => (params as { delay?: number }).delay ?? [])[0]!;
    };
    for (const jitter of [0, 0.25, 0.5, 0.999]) {
      expect(delayAfter(1, jitter)).toBeGreaterThanOrEqual(50);
      expect(delayAfter(1, jitter)).toBeLessThanOrEqual(100);
      expect(delayAfter(2, jitter)).toBeGreaterThanOrEqual(75);
      expect(delayAfter(2, jitter)).toBeLessThanOrEqual(150);
    }
    expect(new Set([0, 0.25, 0.5].map((jitter) => delayAfter(1, jitter))).size).toBe(3);
  });

  test('begins what is in it from the beginning', () => {
    const racing = compose('punch', retry(race([a, b], { stagger: 400 }), { times: 2 }));
    const [atA, atB] = ['punch.retry.race.a.a', 'punch.retry.race.b.b'] as const;
    const again = run(racing, [failed(atA), failed(atB), pause]);
    expect(again.value).toEqual({ retry: { race: { a: 'a', b: 'next' } } });
    const nested = compose('punch', retry(retry(a, { times: 2 }), { times: 2 }));
    const inner = failed('punch.retry.retry.a');
    const innerPause = expired('pause of retry 2', 'punch.retry.retry.pausing');
    const outerPause = expired('pause of retry', 'punch.retry.pausing');
    expect(run(nested, [inner, innerPause, inner]).value).toEqual({ retry: 'pausing' });
    const inAgain = run(nested, [inner, innerPause, inner, outerPause, inner]);
    expect(inAgain.value).toEqual({ retry: { retry: 'pausing' } });
  });
});

describe('within', () => {
  test('ends what takes longer', () => {
    const machine = compose('punch', within(2_000, sequence([a, b])));
    const end = run(machine, [failed('punch.within.sequence.a'), expired('time of within', 'punch.within')]);
    expect(end).toMatchObject({ value: 'lost', output: { ok: false, reason: 'a: no answer; b: not done within 2 s' } });
  });

  test('leaves alone what is done in time', () => {
    const machine = compose('punch', sequence([within(2_000, a), b]));
    expect(run(machine, [expired('time of within', 'punch.sequence.within')]).value).toEqual({ sequence: 'b' });
    expect(run(machine, [won('punch.sequence.within.a')]).value).toBe('won');
  });
});

describe('fallback', () => {
  test('waits for the failure', () => {
    const machine = compose('punch', fallback(a, b));
    expect(run(machine, []).value).toEqual({ fallback: 'a' });
    expect(run(machine, [failed('punch.fallback.a')]).value).toEqual({ fallback: 'b' });
  });

  test('waits no longer than it was told, and the first goes on', () => {
    const machine = compose('punch', fallback(a, b, { after: 1_000 }));
    const time = expired('stagger of fallback', 'punch.fallback.b.next');
    expect(run(machine, [], { ranks: { a: 9 } }).value).toEqual({ fallback: { a: 'a', b: 'next' } });
    expect(run(machine, [time]).value).toEqual({ fallback: { a: 'a', b: 'b' } });
    expect(run(machine, [time, won('punch.fallback.a.a')]).value).toBe('won');
    expect(run(machine, [failed('punch.fallback.a.a')]).value).toEqual({ fallback: { a: 'lost', b: 'b' } });
  });
});

describe('discover', () => {
  const machine = composeAll('discover', [scripted('a', {}, 'candidates'), scripted('b', {}, 'candidates')]);

  test('runs all its steps, and ends when all have', () => {
    expect(run(machine, []).value).toEqual({ a: 'a', b: 'b' });
    const first = run(machine, [won('discover.a.a')]);
    expect(first).toMatchObject({ value: { a: 'won', b: 'b' }, status: 'active' });
    const end = run(machine, [won('discover.a.a', 'a'), failed('discover.b.b')]);
    expect(end).toMatchObject({ value: { a: 'won', b: 'lost' }, status: 'done', output: { ok: true, strategy: 'a' } });
    expect(end.output?.attempts.map(({ ok }) => ok)).toEqual([true, false]);
    expect(run(machine, [failed('discover.b.b'), failed('discover.a.a')]).output).toMatchObject({ ok: false });
  });
});

describe('names', () => {
  test('are those of the code, and tell the same apart', () => {
    const other = scripted('a', { time: 5_000 });
    const machine = compose('punch', race([a, a, other, sequence([b]), sequence([c])]));
    expect(Object.keys(machine.states.race!.states)).toEqual(['a', 'a 2', 'a 3', 'sequence', 'sequence 2']);
    expect(Object.keys(machine.implementations.actors)).toEqual(['a', 'a 2', 'b', 'c']);
    expect(Object.keys(machine.implementations.delays)).toEqual(['time of a', 'time of a 2', 'time of b', 'time of c']);
  });

  test('never meet those of the states around them', () => {
    const machine = compose('punch', race([scripted('waiting'), scripted('won')], { stagger: 1 }));
    expect(Object.keys(machine.states.race!.states)).toEqual(['waiting 2', 'won']);
    expect(Object.keys(compose('punch', scripted('won')).states)).toEqual(['won 2', 'won', 'lost']);
  });

  test('of guards are those of the evidence, and of two questions differ', () => {
    const same = evidence('it is so', () => false);
    const machine = compose('punch', sequence([when(yes, a), when(yes, b), when(same, c)]));
    expect(Object.keys(machine.implementations.guards).filter((name) => name.startsWith('it is'))).toEqual([
      'it is so',
      'it is so 2',
    ]);
  });

  test('are everywhere: no state without one, and none that XState would take apart', () => {
    const machine = compose(
      'punch',
      fallback(race([when(yes, a), retry(within(9, b), { times: 2 })], { stagger: 9, within: 99 }), c, { after: 999 }),
    );
    const walk = (state: { key: string; states: object }): string[] =>
      Object.values(state.states).flatMap((child) => [child.key, ...walk(child)]);
    const keys = walk(machine.root);
    expect(keys.length).toBeGreaterThan(20);
    expect(keys.filter((key) => key === '' || /[.#]/.test(key))).toEqual([]);
  });
});

test('a composed machine can be walked: every path ends, with one winner at most', () => {
  const machine = compose(
    'punch',
    race(
      [
        sequence([a, when(yes, b)]),
        within(5_000, fallback(scripted('d'), c, { after: 100 })),
        retry(scripted('e'), { times: 2 }),
      ],
      {
        stagger: 400,
        within: 20_000,
      },
    ),
  );
  const delays = [
    expired('stagger of race', 'punch.race.within.next'),
    expired('stagger of race', 'punch.race.retry.next'),
    expired('stagger of fallback', 'punch.race.within.within.fallback.c.next'),
    expired('time of within', 'punch.race.within.within'),
    expired('pause of retry', 'punch.race.retry.retry.pausing'),
    expired('time of race', 'punch.race'),
  ];
  const possible = ({ children }: AnyMachineSnapshot): never[] => [
    ...Object.keys(children).flatMap((step) => [won(step), failed(step)]),
    ...delays,
  ];
  const paths = getShortestPaths(machine, {
    input: { id: 'c', facts },
    events: (snapshot) => possible(snapshot),
    stopWhen: ({ status }) => status !== 'active',
    limit: 20_000,
  });
  const ends = paths.filter(({ state }) => state.status === 'done');
  expect(ends.length).toBeGreaterThan(4);
  for (const { state } of paths) {
    const winners = state.context.attempts.filter(({ ok }) => ok).length;
    expect(winners).toBe(state.value === 'won' ? 1 : 0);
  }
  expect(new Set(ends.map(({ state }) => state.value))).toEqual(new Set(['won', 'lost']));
});
