import { describe, expect, test } from 'vitest';
import {
  announced,
  anySide,
  checks,
  defineFlow,
  defineStrategy,
  evidence,
  fallback,
  interfaces,
  mapper,
  mySide,
  not,
  predict,
  race,
  relay,
  retry,
  sequence,
  spray,
  when,
  within,
} from '../../src/flows/index.ts';
import { scripted } from './scripted.ts';

/** The call as somebody makes it who writes no types. */
const untyped = <Args extends unknown[]>(call: (...args: never[]) => unknown, ...args: Args) => {
  return () => (call as unknown as (...args: Args) => unknown)(...args);
};

type Wrong = readonly [message: string, call: () => unknown];

function refuses(cases: readonly Wrong[]): void {
  test.for(cases)('%s', ([message, call]) => {
    expect(call).toThrow(expect.objectContaining({ name: 'TraversalError', code: 'ERR_USAGE', message }));
  });
}

const a = scripted('a');
const yes = evidence('it is so', () => true);
const itself = { kind: 'sequence', steps: [] as unknown[] };
itself.steps.push(a, within(5, a), { kind: 'within', time: 5, step: itself });

describe('what is no step', () => {
  refuses([
    ['sequence[1]: not a step; call checks()?', untyped(sequence, [a, checks])],
    ['sequence[0]: undefined is not a step', untyped(sequence, [undefined])],
    // biome-ignore lint/suspicious/noSparseArray: what a forgotten step leaves
    ['sequence[1]: undefined is not a step', untyped(sequence, [a, , a])],
    ["sequence: 'abc' is no array of steps", untyped(sequence, 'abc')],
    ['sequence: undefined is no array of steps', untyped(sequence)],
    ['sequence: an object is no array of steps', untyped(sequence, a)],
    ['race[0]: not a step, but an array; put it into sequence() or race()?', untyped(race, [[a]])],
    ["race[0]: 'checks' is not a step", untyped(race, ['checks'])],
    ['within: undefined is not a step', untyped(within, 500)],
    ['within: time: an object is no whole number from 1 to 2147483647', untyped(within, a, 500)],
    ['when: not a step; call relay()?', untyped(when, yes, relay)],
    ['retry: null is not a step', untyped(retry, null, { times: 2 })],
    ['fallback: backup: undefined is not a step', untyped(fallback, a)],
    ['fallback: step: an object is not a step', untyped(fallback, { kind: 'fall' }, a)],
    ['sequence[0]: an object is not a step', untyped(sequence, [{ kind: 'toString' }])],
  ]);
});

describe('what is wrong inside of a step that was written by hand', () => {
  refuses([
    ['race[0].step: undefined is not a step', untyped(race, [{ kind: 'retry', times: 2 }])],
    ['race[0].steps[1]: not a step; call spray()?', untyped(race, [{ kind: 'race', steps: [a, spray] }])],
    ['race[0].steps: no steps', untyped(race, [{ kind: 'race', steps: [] }])],
    ['race[0].backup: 5 is not a step', untyped(race, [{ kind: 'fallback', step: a, backup: 5 }])],
    [
      'race[0].evidence: undefined is no evidence; use anySide({ .. }), or evidence(name, test)?',
      untyped(race, [{ kind: 'when', step: a }]),
    ],
    ['race[0].strategy: no strategy of defineStrategy()', untyped(race, [{ kind: 'strategy', strategy: {} }])],
    [
      'race[0].strategy: no strategy of defineStrategy()',
      untyped(race, [{ kind: 'strategy', strategy: { ...a.strategy, name: 'A.B' } }]),
    ],
    ['race[0].steps[2].step: it is a part of itself', untyped(race, [itself])],
  ]);
});

describe('options', () => {
  refuses([
    ['race: options: null is not an object', untyped(race, [a], null)],
    ['race: options: 250 is not an object', untyped(race, [a], 250)],
    ["race: options: 'stager' is none of its fields: stagger, within, packets", untyped(race, [a], { stager: 100 })],
    ["race: stagger: '250' is no whole number from 0 to 2147483647", untyped(race, [a], { stagger: '250' })],
    ['retry: options: undefined is not an object', untyped(retry, a)],
    ['retry: times: undefined is no whole number from 1 to 100', untyped(retry, a, {})],
    ["retry: options: 'time' is none of its fields: times, backoff, longest", untyped(retry, a, { time: 3 })],
    [
      'retry: longest: 59999 is no whole number from 60000 to 2147483647',
      untyped(retry, a, { times: 2, backoff: 60_000, longest: 59_999 }),
    ],
    ['fallback: options: 500 is not an object', untyped(fallback, a, a, 500)],
    ["fallback: options: 'within' is none of its fields: after", untyped(fallback, a, a, { within: 5 })],
    ['spray: null is not an object', untyped(spray, null)],
    ["spray: 'packet' is none of its fields: packets, sockets, rate", untyped(spray, { packet: 9 })],
    ['predict: 64 is not an object', untyped(predict, 64)],
    ['checks: null is not an object', untyped(checks, null)],
    ["checks: 'host' is not an object", untyped(checks, 'host')],
    ['checks.types: 5 is no array of host, srflx, prflx, mapped', untyped(checks, { types: 5 })],
    ["checks.types: 'host' is no array of host, srflx, prflx, mapped", untyped(checks, { types: 'host' })],
    ['checks.types: nothing takes part', untyped(checks, { types: [] })],
    ["checks.types[1]: 'foo' is none of host, srflx, prflx, mapped", untyped(checks, { types: ['host', 'foo'] })],
    ["checks.types[0]: 'relay' is none of host, srflx, prflx, mapped", untyped(checks, { types: ['relay'] })],
    ['checks.transports: an object is no array of udp, tcp', untyped(checks, { transports: {} })],
    ["checks.transports[0]: 'quic' is none of udp, tcp", untyped(checks, { transports: ['quic'] })],
    ["announced: '203.0.113.9' is no array of addresses", untyped(announced, '203.0.113.9')],
    ['announced: no addresses', untyped(announced, [])],
    ['announced: 5 is no numeric address', untyped(announced, [5])],
    ['strategy undefined: a name is 1 to 64 of a-z, 0-9 and -, a letter first', untyped(mapper)],
  ]);

  test('of a retry may begin with a pause that is longer than the default of the longest', () => {
    expect(retry(a, { times: 2, backoff: 60_000 })).toMatchObject({ backoff: 60_000, longest: 60_000 });
    expect(retry(a, { times: 2, backoff: 1_000 })).toMatchObject({ longest: 30_000 });
  });

  test('of spray may be any rate that is in its range', () => {
    expect(spray({ rate: 300 }).strategy.bounds.time).toBe(15_000 + 3_414 + 1_000 + 5_000);
  });
});

describe('evidence', () => {
  const none = (shown: string) => `when: ${shown} is no evidence; use anySide({ .. }), or evidence(name, test)?`;
  refuses([
    [none('undefined'), untyped(when, undefined, a)],
    [none('an object'), untyped(when, { mapping: 'address-dependent' }, a)],
    [none('a function'), untyped(when, () => true, a)],
    [none('an object'), untyped(when, { name: ' ', test: () => true }, a)],
    ['not: undefined is no evidence; use anySide({ .. }), or evidence(name, test)?', untyped(not)],
    ['evidence: it needs a name', untyped(evidence, () => true)],
    ["evidence 'x': undefined is no function that asks the facts", untyped(evidence, 'x')],
    ['any side: undefined is not an object', untyped(anySide)],
    [
      "any side: mapping: 'symmetric' is none of endpoint-independent, address-dependent, address-and-port-dependent",
      untyped(anySide, { mapping: 'symmetric' }),
    ],
    ["my side: translated: 'yes' is none of true, false", untyped(mySide, { translated: 'yes' })],
    ['my side: portPreservation: undefined is none of true, false', untyped(mySide, { portPreservation: undefined })],
    ["any side: nothing is known of 'toString'", untyped(anySide, { toString: 'x' })],
  ]);
});

describe('the slots of a flow', () => {
  const flow = (spec: object) => untyped(defineFlow, { discover: interfaces(), punch: a, ...spec });
  refuses([
    ['flow: undefined is not an object', untyped(defineFlow)],
    ["flow: 'fallbak' is none of its fields: discover, map, punch, fallback, policy", flow({ fallbak: relay() })],
    ['punch: not a step, but an array; put it into sequence() or race()?', flow({ punch: [] })],
    ['punch: not a step, but an array; put it into sequence() or race()?', flow({ punch: [a, a] })],
    ['punch: not a step; call checks()?', flow({ punch: checks })],
    ["punch: 'checks' is not a step", flow({ punch: 'checks' })],
    ['punch: undefined is not a step', untyped(defineFlow, { discover: interfaces() })],
    ['punch.steps[2].step: it is a part of itself', flow({ punch: itself })],
    ['map: null is not a step', flow({ map: null })],
    ['fallback: null is not a step', flow({ fallback: null })],
    ['discover: undefined is not a step', untyped(defineFlow, { punch: a })],
    ['discover: not a step; call interfaces()?', flow({ discover: interfaces })],
    ['discover[1]: not a step; call stun()?', flow({ discover: [interfaces(), function stun() {}] })],
    ['policy: null is none of relay-first, direct-only, relay-only', flow({ policy: null })],
  ]);

  test('are not changed behind its back', () => {
    const spec = { discover: interfaces(), punch: a };
    const defined = defineFlow(spec);
    expect(Object.isFrozen(defined.spec)).toBe(true);
    expect(defined.spec).toEqual(spec);
  });
});

describe('a strategy', () => {
  const bounds = { time: 1, packets: 0, sockets: 0 };
  const run = async () => ({ ok: false, reason: 'x' });
  const spec = (some: object) => untyped(defineStrategy, { name: 'mine', gives: 'direct', bounds, run, ...some });
  refuses([
    ['strategy: undefined is not an object', untyped(defineStrategy)],
    ["strategy: 'bound' is none of its fields: name, gives, bounds, twoSided, run, machine", spec({ bound: bounds })],
    ['strategy undefined: a name is 1 to 64 of a-z, 0-9 and -, a letter first', spec({ name: undefined })],
    ['strategy 5: a name is 1 to 64 of a-z, 0-9 and -, a letter first', spec({ name: 5 })],
    ['strategy mine.gives: undefined is none of candidates, mapping, direct, relayed', spec({ gives: undefined })],
    ['strategy mine.bounds: undefined is not an object', spec({ bounds: undefined })],
    [
      "strategy mine.bounds: 'ms' is none of its fields: time, packets, sockets",
      spec({ bounds: { ...bounds, ms: 1 } }),
    ],
    ['strategy mine.run: 5 is no function', spec({ run: 5 })],
    ['strategy mine.machine: an object is no logic of an actor', spec({ run: undefined, machine: {} })],
    ['strategy mine.twoSided: null is not an object', spec({ twoSided: null })],
    ['strategy mine.twoSided: true is not an object', spec({ twoSided: true })],
    ['strategy mine.twoSided.vouched: undefined is neither true nor false', spec({ twoSided: { version: 1 } })],
    [
      "strategy mine.twoSided.version: '1' is no whole number from 1 to 65535",
      spec({ twoSided: { version: '1', vouched: true } }),
    ],
  ]);

  test('keeps what it was given, frozen, and not what becomes of it', () => {
    const given = { time: 1_000, packets: 0, sockets: 0 };
    const twoSided = { version: 1, vouched: false };
    const { strategy } = defineStrategy({
      name: 'mine',
      gives: 'direct',
      bounds: given,
      twoSided,
      run: async () => NO,
    });
    given.time = Number.NaN;
    twoSided.version = 0;
    expect(strategy).toMatchObject({ bounds: { time: 1_000 }, twoSided: { version: 1 } });
    for (const part of [strategy.bounds, strategy.twoSided, strategy.logic]) expect(Object.isFrozen(part)).toBe(true);
  });
});

const NO = { ok: false, reason: 'no' } as const;
