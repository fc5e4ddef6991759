import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { fromCallback, fromPromise, StateMachine, setup } from 'xstate';
import type { StrategyInput, StrategyResult } from '../../src/core/strategy.ts';
import {
  checks,
  defaultFlow,
  defineFlow,
  defineStrategy,
  evidence,
  type FlowSpec,
  fallback,
  interfaces,
  race,
  relay,
  retry,
  sequence,
  when,
  within,
} from '../../src/flows/index.ts';
import type { Finding } from '../../src/flows/lint/finding.ts';

const perhaps = evidence('pigs fly', () => false);
const told = (spec: Partial<FlowSpec>): readonly Finding[] =>
  defineFlow({ discover: interfaces(), punch: checks(), fallback: relay(), ...spec }).lint();
const places = (spec: Partial<FlowSpec>) => told(spec).map(({ rule, where }) => `${rule} ${where}`);
const without = (bounds: { time?: number; packets?: number }) =>
  defineStrategy({
    name: 'mine',
    gives: 'direct',
    bounds: { time: 1_000, packets: 10, sockets: 0, ...bounds },
    run: async () => ({ ok: false, reason: 'no' }),
  });

describe('fallback-unreachable', () => {
  test('no fallback, where the policy counts on one', () => {
    const { fallback: _, ...spec } = { ...defaultFlow.spec };
    expect(defineFlow(spec).lint()).toEqual([
      {
        rule: 'fallback-unreachable',
        where: 'fallback',
        message:
          'the policy is relay-first, and no step makes a relayed path: add one, as relay(), or make the policy direct-only',
      },
    ]);
    expect(defineFlow({ ...spec, policy: 'relay-only' }).lint()).toHaveLength(1);
    expect(defineFlow({ ...spec, policy: 'direct-only' }).lint()).toEqual([]);
  });

  test('one that the policy never runs', () => {
    expect(places({ policy: 'direct-only' })).toEqual(['fallback-unreachable fallback']);
  });

  test('one that may be skipped as a whole', () => {
    expect(places({ fallback: when(perhaps, relay()) })).toEqual(['fallback-unreachable fallback']);
    expect(
      places({ fallback: race([when(perhaps, relay()), retry(when(perhaps, relay()), { times: 2 })]) }),
    ).toHaveLength(1);
    expect(places({ fallback: fallback(when(perhaps, relay()), relay()) })).toEqual([]);
  });
});

describe('unbounded', () => {
  test('in time, unless a step around it bounds it', () => {
    const endless = without({ time: Infinity });
    expect(places({ punch: sequence([checks(), endless]) })).toEqual(['unbounded-time punch.sequence.mine']);
    expect(places({ punch: within(5_000, sequence([checks(), endless])) })).toEqual([]);
    expect(places({ punch: race([checks(), retry(endless, { times: 2 })], { within: 5_000 }) })).toEqual([]);
  });

  test('in packets, unless a race around it bounds it', () => {
    const flood = without({ packets: Infinity });
    expect(told({ punch: race([checks(), flood]) })).toEqual([
      {
        rule: 'unbounded-packets',
        where: 'punch.race.mine.mine',
        message: 'nothing limits what mine sends: give it a bound of packets, or put it into a race that has one',
      },
    ]);
    expect(places({ punch: race([checks(), sequence([flood])], { packets: 500 }) })).toEqual([]);
  });
});

describe('what is provided', () => {
  const flow = defineFlow({ discover: interfaces(), punch: within(5_000, checks()), fallback: relay() });
  const logic = fromPromise(async () => ({ ok: false, reason: 'no' }));

  test('ends a strategy at no time that a timer would take', () => {
    const punch = defineFlow({ ...flow.spec, punch: checks() }).punch;
    const lint = (delay: number | (() => number)) => {
      const changed = defineFlow({ ...flow.spec, punch: checks() });
      return changed.with({ punch: changed.punch.provide({ delays: { 'time of checks': delay } }) }).lint();
    };
    for (const delay of [Infinity, Number.NaN, -1, 2 ** 31]) {
      expect(lint(delay)).toMatchObject([{ rule: 'unbounded-time', where: 'punch.checks' }]);
    }
    expect(lint(5)).toEqual([]);
    expect(lint(() => 5)).toEqual([]);
    expect(punch.implementations.delays).toHaveProperty('time of checks', 600_000);
  });

  test('is asked for by somebody', () => {
    const punch = flow.punch.provide({
      actors: { chekcs: logic },
      guards: { 'it is so': () => true },
      delays: { 'time of checks ': 5 },
    });
    const machine = flow.machine.provide({ actions: { useAPath: () => {} } } as never);
    const found = flow.with({ punch, machine }).lint();
    expect(found.map(({ rule, where, message }) => `${rule} ${where}: ${message.split(';')[0]}`)).toEqual([
      "unused connection: nothing asks for the action 'useAPath'",
      "unused punch: nothing asks for the actor 'chekcs'",
      "unused punch: nothing asks for the guard 'it is so'",
      "unused punch: nothing asks for the delay 'time of checks '",
    ]);
    expect(found.find(({ message }) => message.includes('chekcs'))?.message).toBe(
      "nothing asks for the actor 'chekcs'; there are 'checks'",
    );
    // Also when something else is given later.
    expect(flow.with({ punch }).with({ machine }).lint()).toEqual(found);
  });
});

describe('dead-end', () => {
  const knocking = setup({
    types: { input: {} as StrategyInput<'direct'>, output: {} as StrategyResult<'direct'> },
    actors: { listen: fromCallback(() => {}) },
    delays: { rest: 100 },
  });
  const of = (machine: ReturnType<typeof knocking.createMachine>) =>
    defineStrategy({ name: 'knock', gives: 'direct', bounds: { time: 1_000, packets: 1, sockets: 0 }, machine });
  const output = { ok: false, reason: 'nobody' } as const;

  test('a state in the machine of a strategy', () => {
    const machine = knocking.createMachine({
      id: 'knock',
      initial: 'knocking',
      states: {
        knocking: { after: { rest: [{ guard: () => false, target: 'heard' }, { target: 'stuck' }] } },
        stuck: { invoke: { src: 'listen' } },
        heard: { type: 'final' },
      },
      output,
    });
    expect(told({ punch: race([checks(), of(machine as never)]) })).toEqual([
      {
        rule: 'dead-end',
        where: 'punch.race.knock.knock: knock.stuck',
        message: 'nothing leaves this state, and it is not final',
      },
    ]);
  });

  test('a machine that has no end', () => {
    const machine = knocking.createMachine({
      id: 'knock',
      initial: 'knocking',
      states: { knocking: { after: { rest: 'resting' } }, resting: { after: { rest: 'knocking' } } },
      output,
    });
    expect(places({ punch: of(machine as never) })).toEqual(['dead-end punch.knock: knock']);
  });

  test('not a state of a region that another region leaves, nor one that a state around it leaves', () => {
    const machine = knocking.createMachine({
      id: 'knock',
      initial: 'trying',
      states: {
        trying: {
          type: 'parallel',
          states: {
            sending: { initial: 'sent', states: { sent: {} } },
            hearing: { initial: 'waiting', states: { waiting: { after: { rest: '#knock.resting' } } } },
          },
        },
        resting: { initial: 'deep', states: { deep: {} }, after: { rest: 'heard' } },
        heard: { type: 'final' },
      },
      output,
    });
    expect(places({ punch: of(machine as never) })).toEqual([]);
  });

  test('a state of a machine that a user swapped in', () => {
    const machine = knocking.createMachine({ id: 'mine', initial: 'stuck', states: { stuck: {} }, output });
    const flow = defineFlow({ discover: interfaces(), punch: checks(), fallback: relay() });
    const punch = flow.punch.provide({ actors: { checks: machine as never } });
    const found = flow.with({ punch }).lint();
    expect(found.map(({ where }) => where)).toEqual(['punch.checks: mine.stuck', 'punch.checks: mine']);
  });

  test('also in a machine of another copy of XState', () => {
    const { machine, isOther } = foreignMachine();
    expect(isOther).toBe(true);
    expect(places({ punch: of(machine as never) })).toEqual([
      'dead-end punch.knock: foreign.stuck',
      'dead-end punch.knock: foreign',
    ]);
  });
});

/** A machine with a dead end, made by the other build of XState that is installed, which shares no class with ours. */
function foreignMachine() {
  const require = createRequire(import.meta.url);
  const builds = ['xstate.cjs.js', 'xstate.development.cjs.js'].map(
    (file) => require(require.resolve('xstate').replace(/[^/\\]+$/, file)) as typeof import('xstate'),
  );
  const other = builds.find((build) => build.StateMachine !== StateMachine)!;
  const machine = other.createMachine({ id: 'foreign', initial: 'stuck', states: { stuck: {} } });
  return { machine, isOther: !(machine instanceof StateMachine) };
}
