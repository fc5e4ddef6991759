import { describe, expect, test } from 'vitest';
import { fromPromise } from 'xstate';
import type { StrategyResult } from '../../src/core/strategy.ts';
import { compose } from '../../src/flows/compile/compose.ts';
import {
  anySide,
  checks,
  defaultFlow,
  defineFlow,
  defineStrategy,
  evidence,
  fallback,
  interfaces,
  pcp,
  race,
  relay,
  retry,
  sequence,
  stun,
  when,
  within,
} from '../../src/flows/index.ts';
import { scripted } from './scripted.ts';

const bounds = { time: 1_000, packets: 10, sockets: 1 };
const run = async (): Promise<StrategyResult<'direct'>> => ({ ok: true, path: 'p' });
const strategy = (spec: object) => () => defineStrategy({ name: 'mine', gives: 'direct', bounds, run, ...spec });

describe('wrong use is refused where it is written, with its place', () => {
  const a = scripted('a');
  test.for<[string, () => unknown]>([
    ["strategy 'My Own': a name is 1 to 64 of a-z, 0-9 and -, a letter first", strategy({ name: 'My Own' })],
    ["strategy mine.gives: 'peace' is none of candidates, mapping, direct, relayed", strategy({ gives: 'peace' })],
    [
      'strategy mine.bounds.time: 0 is no whole number from 1 to 2147483647',
      strategy({ bounds: { ...bounds, time: 0 } }),
    ],
    [
      'strategy mine.bounds.packets: undefined is no whole number from 0 to 2147483647',
      strategy({ bounds: { ...bounds, packets: undefined } }),
    ],
    [
      'strategy mine.bounds.sockets: 1.5 is no whole number from 0 to 2147483647',
      strategy({ bounds: { ...bounds, sockets: 1.5 } }),
    ],
    [
      'strategy mine.twoSided.version: 65536 is no whole number from 1 to 65535',
      strategy({ twoSided: { version: 65_536, vouched: true } }),
    ],
    [
      'strategy mine.twoSided: two sides agree on direct paths only',
      strategy({ gives: 'relayed', twoSided: { version: 1, vouched: true } }),
    ],
    ['strategy mine: it is either a function (run) or a machine', strategy({ run: undefined })],
    ['strategy mine: it is either a function (run) or a machine', strategy({ machine: fromPromise(run) })],
    ['sequence: no steps', () => sequence([] as never)],
    ['race: no steps', () => race([] as never)],
    ['race: stagger: -1 is no whole number from 0 to 2147483647', () => race([a], { stagger: -1 })],
    ['race: within: 0 is no whole number from 1 to 2147483647', () => race([a], { within: 0 })],
    ['race: packets: 0.5 is no whole number from 0 to 2147483647', () => race([a], { packets: 0.5 })],
    ['retry: times: 101 is no whole number from 1 to 100', () => retry(a, { times: 101 })],
    ['retry: longest: 9 is no whole number from 500 to 2147483647', () => retry(a, { times: 2, longest: 9 })],
    ['within: time: NaN is no whole number from 1 to 2147483647', () => within(Number.NaN, a)],
    ['fallback: after: Infinity is no whole number from 1 to 2147483647', () => fallback(a, a, { after: Infinity })],
    ['any side: the pattern is empty', () => anySide({})],
    ['any side: mapping: what is unknown cannot be asked for', () => anySide({ mapping: 'unknown' as never })],
    ["any side: nothing is known of 'colour'", () => anySide({ colour: 'red' } as never)],
    ['evidence: it needs a name', () => evidence(' ', () => true)],
    ["policy: 'never' is none of relay-first, direct-only, relay-only", () => flow({ policy: 'never' })],
    ["punch: the strategy pcp gives 'mapping', where 'direct' is wanted", () => flow({ punch: sequence([pcp()]) })],
    ['discover: no steps', () => flow({ discover: [] })],
    [
      'flow: two two-sided strategies are called both, and the other side could not tell them apart',
      () => flow({ punch: sequence([both(1), both(2)]) }),
    ],
  ])('%s', ([message, wrong]) => {
    expect(wrong).toThrow(expect.objectContaining({ code: 'ERR_USAGE', message }));
  });

  const flow = (spec: object) => defineFlow({ discover: interfaces(), punch: checks(), ...spec });
  const both = (version: number) =>
    defineStrategy({ name: 'both', gives: 'direct', bounds, run, twoSided: { version, vouched: false } });
});

describe('steps', () => {
  test('are frozen data, which nobody changes behind the chart’s back', () => {
    const steps = [checks(), scripted('a')] as const;
    for (const step of [
      sequence(steps),
      race(steps),
      retry(steps[0], { times: 2 }),
      within(9, steps[0]),
      fallback(...steps),
      when(
        evidence('it is so', () => true),
        steps[0],
      ),
      steps[0],
      steps[0].strategy,
    ])
      expect(Object.isFrozen(step)).toBe(true);
    expect(Object.isFrozen(sequence(steps).steps)).toBe(true);
  });
});

describe('a flow', () => {
  test('has a machine for each of its parts, and the lifecycle that runs them', () => {
    const flow = defineFlow({ discover: [interfaces(), stun()], map: pcp(), punch: checks(), fallback: relay() });
    expect([flow.discover.id, flow.map?.id, flow.punch.id, flow.fallback?.id, flow.machine.id]).toEqual([
      'discover',
      'map',
      'punch',
      'fallback',
      'connection',
    ]);
    expect(flow.machine.implementations.actors.punch).toBe(flow.punch);
    expect(flow.machine.implementations.actors.fallback).toBe(flow.fallback);
    expect(flow.policy).toBe('relay-first');
  });

  test('may do without mapping and fallback', () => {
    const flow = defineFlow({ discover: interfaces(), punch: checks(), policy: 'direct-only' });
    expect(flow.map).toBeUndefined();
    expect(flow.fallback).toBeUndefined();
    expect(flow.strategies.map(({ name }) => name)).toEqual(['interfaces', 'checks']);
  });

  test('tells its strategies, each once', () => {
    const one = checks();
    const flow = defineFlow({
      discover: interfaces(),
      punch: race([one, retry(one, { times: 2 }), fallback(scripted('a'), one)]),
      fallback: relay(),
    });
    expect(flow.strategies.map(({ name }) => name)).toEqual(['interfaces', 'checks', 'a', 'relay']);
  });

  test('with another machine is another flow', () => {
    const punch = defaultFlow.punch.provide({ delays: { 'time of checks': 5 } });
    const changed = defaultFlow.with({ punch });
    expect(changed.punch).toBe(punch);
    expect(changed.machine.implementations.actors.punch).toBe(punch);
    expect(changed.machine.implementations.actors.fallback).toBe(defaultFlow.fallback);
    expect(changed.strategies).toEqual(defaultFlow.strategies);
    expect(defaultFlow.punch).not.toBe(punch);
    const machine = defaultFlow.machine.provide({ guards: { mayPunch: () => false } });
    expect(defaultFlow.with({ machine }).with({ punch }).machine.implementations.guards.mayPunch).toBe(
      machine.implementations.guards.mayPunch,
    );
  });

  test('with a lifecycle in which its machines were changed has these machines', () => {
    const punch = defaultFlow.punch.provide({ delays: { 'time of checks': 5 } });
    const fallback = defaultFlow.fallback!.provide({ delays: { 'time of relay': 5 } });
    const changed = defaultFlow.with({ machine: defaultFlow.machine.provide({ actors: { punch, fallback } }) });
    expect(changed.punch).toBe(punch);
    expect(changed.fallback).toBe(fallback);
    const again = changed.with({ punch: defaultFlow.punch });
    expect([again.punch, again.fallback]).toEqual([defaultFlow.punch, fallback]);
    expect(again.machine.implementations.actors).toMatchObject({ punch: defaultFlow.punch, fallback });
    const directOnly = defineFlow({ discover: interfaces(), punch: checks(), policy: 'direct-only' });
    expect(directOnly.with({ machine: directOnly.machine.provide({ guards: {} }) }).fallback).toBeUndefined();
  });

  describe('refuses machines that are not its own', () => {
    const flow = defineFlow({ discover: interfaces(), punch: checks(), fallback: relay() });
    const other = defineFlow({ ...flow.spec, punch: checks() });
    const asPunch = (punch: unknown) => ({ machine: flow.machine.provide({ actors: { punch: punch as never } }) });
    const own = (name: string, place = name) => `with: ${place}: not the flow's own; use flow.${name}.provide({ .. })?`;
    test.for<[string, unknown]>([
      [own('punch'), { punch: flow.discover }],
      [own('punch'), { punch: other.punch }],
      [own('punch'), { punch: 5 }],
      [own('punch'), { punch: undefined }],
      [own('fallback'), { fallback: undefined }],
      [own('machine'), { machine: flow.punch }],
      [own('punch', 'machine: actor punch'), { machine: other.machine }],
      [own('punch', 'machine: actor punch'), asPunch(fromPromise(run))],
      ['with: map: the flow has none; define another one', { map: defaultFlow.map }],
      ["with: 'pnch' is none of its fields: machine, discover, map, punch, fallback", { pnch: flow.punch }],
      ['with: undefined is not an object', undefined],
    ])('%s', ([message, machines]) => {
      expect(() => flow.with(machines as never)).toThrow(expect.objectContaining({ code: 'ERR_USAGE', message }));
    });
  });

  test('the default one has nothing that may go wrong', () => {
    expect(defaultFlow.lint()).toEqual([]);
  });

  test('says in its picture what each strategy may cost', () => {
    const mine = defineStrategy({ name: 'mine', gives: 'direct', bounds, run });
    const without = defineStrategy({
      name: 'without',
      gives: 'direct',
      bounds: { time: Infinity, packets: Infinity, sockets: 0 },
      run,
    });
    const { race: racing } = compose('punch', race([mine, without], { stagger: 20, within: 1_500, packets: 7 })).states;
    expect(racing?.description).toBe(
      'the first to succeed, each 20 ms after the one before it at the latest, at most 1.5 s, 7 packets together',
    );
    const described = (times: number, options: object) =>
      compose('punch', retry(mine, { times, ...options })).states.retry?.description;
    expect(described(4, {})).toBe('4 times at most, after pauses of 250 ms to 2 s');
    expect(described(3, { backoff: 999, longest: 1_000 })).toBe('3 times at most, after pauses of 500 ms to 1 s');
    expect(described(1, {})).toBe('once');
    expect(racing?.states.mine?.states.mine?.description).toBe('at most 1 s, 10 packets, 1 socket');
    expect(racing?.states.without?.states.without?.description).toBe('at most any time, any number of packets');
  });
});
