import { describe, expect, test } from 'vitest';
import { defaultFlow, defineFlow, type ErrorCode, type Flow } from '../../src/index.ts';
import {
  atMostOneWinner,
  createTraversalModel,
  failsByItself,
  fallbackReachable,
  type Invariant,
  invariants,
  type ModelEvent,
  type Moment,
  nobodyWaits,
  nothingImpossible,
  nothingLeft,
  type Observation,
  type Prospects,
  progress,
  streamsWhole,
  withinBudget,
} from '../../src/testing/index.ts';
import { fakeDriver, side } from './fake-driver.ts';

const CONNECTED: readonly ModelEvent[] = [{ type: 'dialed' }, { type: 'time.passed' }];
const directOnly = defineFlow({ ...defaultFlow.spec, policy: 'direct-only' });
const relayOnly = defineFlow({ ...defaultFlow.spec, policy: 'relay-only' });

interface Scene extends Partial<Omit<Moment, 'observation'>> {
  readonly flow?: typeof defaultFlow;
  readonly prospects?: Prospects;
  readonly events?: readonly ModelEvent[];
  readonly observation?: Partial<Observation>;
}

/** A faultless moment, but for what is said. */
function moment({ flow = defaultFlow, prospects, events = CONNECTED, observation, ...rest }: Scene = {}): Moment {
  const model = createTraversalModel(flow, fakeDriver(), { prospects });
  const snapshot = events.reduce((before, event) => model.next(before, event), model.initial());
  const sights = { dialer: side('direct'), listener: side('direct') };
  return { model, snapshot, atRest: false, ...rest, observation: { at: 10_000, ...sights, ...observation } };
}

function holds(invariant: Invariant, scene?: Scene): void {
  expect(invariant.check(moment(scene))).toBeUndefined();
}

describe('at most one winner', () => {
  test('holds with one', () => holds(atMostOneWinner, { observation: { listener: side('direct', { winners: 1 }) } }));

  test('is broken by two connections for one dial', () => {
    const observation = { listener: side('direct', { established: 2 }) };
    expect(atMostOneWinner.check(moment({ observation }))).toBe('the listener established 2 connections for one dial');
  });

  test('is broken by two strategies that win one race', () => {
    const observation = { dialer: side('direct', { winners: 2 }) };
    expect(atMostOneWinner.check(moment({ observation }))).toBe('the dialer had 2 winners in one run of a machine');
  });
});

describe('nothing left', () => {
  test('holds before the end', () => holds(nothingLeft));
  test('holds', () => holds(nothingLeft, { remains: { timers: 0, sockets: 0, subscriptions: 0 } }));

  test.each(['timers', 'sockets', 'subscriptions'] as const)('is broken by %s', (what) => {
    const remains = { timers: 0, sockets: 0, subscriptions: 0, [what]: 3 };
    expect(nothingLeft.check(moment({ remains }))).toBe(`left: 3 ${what}`);
  });
});

describe('packets within budget', () => {
  /** Its one strategy that sends may send so much. */
  function flowOf(packets: number, gives: 'direct' | 'mapping' = 'direct'): Flow {
    const [own] = defaultFlow.strategies.filter((strategy) => strategy.gives === gives);
    const strategies = [{ ...own!, bounds: { ...own!.bounds, packets } }];
    return Object.assign(Object.create(defaultFlow), { strategies });
  }

  /** A thousand at once, twenty each second, and six rounds of what the strategies may. */
  test.each([
    ['at once', 0, 0, 1_000],
    ['after 10 s', 0, 10_000, 1_200],
    ['after a part of a second', 0, 10_001, 1_220],
    ['with a strategy that sends', 100, 10_000, 1_800],
    ['with one that sends more', 5_000, 10_000, 31_200],
  ] as const)('is so much and no more %s', (_, packets, at, most) => {
    const scene = (sent: number): Scene => ({
      flow: flowOf(packets),
      observation: { at, listener: side('direct', { sent }) },
    });
    holds(withinBudget, scene(most));
    expect(withinBudget.check(moment(scene(most + 1)))).toBe(
      `the listener sent ${most + 1} datagrams where ${most} are enough`,
    );
  });

  test('is what is for punching, and not for mapping', () => {
    const observation = { at: 0, dialer: side('direct', { sent: 1_001 }) };
    expect(withinBudget.check(moment({ flow: flowOf(5_000, 'mapping'), observation }))).toContain('1000 are enough');
  });

  test('is not held against a driver that does not count', () =>
    holds(withinBudget, { observation: { dialer: side('direct', { sent: undefined }) } }));
});

describe('nothing impossible', () => {
  const impossible: Prospects = { direct: 'impossible', withoutUdp: 'impossible' };

  test('holds where something is possible', () => holds(nothingImpossible));
  test('holds on a relay', () =>
    holds(nothingImpossible, {
      prospects: impossible,
      observation: { dialer: side('relayed'), listener: side('relayed') },
    }));

  test('is broken by a direct path where the oracle knows none', () => {
    expect(nothingImpossible.check(moment({ prospects: impossible }))).toContain('direct where the oracle');
  });

  test('is broken by a direct path under relay-only', () => {
    expect(nothingImpossible.check(moment({ flow: relayOnly }))).toBe(
      'the dialer is direct under the policy relay-only',
    );
  });

  test('is broken by a relayed path under direct-only', () => {
    const observation = { listener: side('relayed') };
    expect(nothingImpossible.check(moment({ flow: directOnly, observation }))).toBe(
      'the listener is relayed under the policy direct-only',
    );
  });
});

describe('fallback reachable', () => {
  const failed = { dialer: side('failed'), listener: side('failed') };

  test('holds for a pair that is connected', () => holds(fallbackReachable, { atRest: true }));
  test('does not ask what is not at rest', () => holds(fallbackReachable, { observation: failed }));
  test('does not ask where nobody has dialled', () =>
    holds(fallbackReachable, { atRest: true, events: [], observation: failed }));
  test('does not ask where no relay is allowed', () =>
    holds(fallbackReachable, { atRest: true, flow: directOnly, observation: failed }));
  test('does not ask while the server is away', () =>
    holds(fallbackReachable, { atRest: true, events: [...CONNECTED, { type: 'server.lost' }], observation: failed }));

  test('is broken by a pair that is not connected where a relay is there', () => {
    expect(fallbackReachable.check(moment({ atRest: true, observation: failed }))).toBe(
      'the dialer is failed where a relay is there',
    );
  });
});

describe('progress', () => {
  test('holds within the bounds', () => holds(progress, { observation: { at: 29_000, dialer: side('traversing') } }));
  test('does not ask what is at rest', () => holds(progress, { observation: { at: 1e9 } }));

  test.each([
    ['traversing', 31_000],
    ['recovering', 121_000],
  ] as const)('is broken by one that is %s for too long', (sight, at) => {
    const observation = { at, listener: side(sight) };
    expect(progress.check(moment({ observation }))).toBe(`the listener has been ${sight} for ${at} ms`);
  });
});

describe('progress of a path in doubt', () => {
  test('holds while consent may still end it', () =>
    holds(progress, { observation: { at: 40_000, dialer: side('direct', { suspectSince: 1_000 }) } }));

  test('is broken by one that is suspect for ever', () => {
    const observation = { at: 60_000, dialer: side('direct', { suspectSince: 1_000 }) };
    expect(progress.check(moment({ observation }))).toBe('the dialer has doubted its path for 59000 ms');
  });

  test('holds for a program that was killed in the middle of a doubt', () =>
    holds(progress, { observation: { at: 60_000, listener: side('gone', { suspectSince: 1_000 }) } }));
});

describe('fails by itself', () => {
  const failed = (code: ErrorCode) => ({ dialer: side('failed', { code }) });
  const DIALED: readonly ModelEvent[] = [{ type: 'dialed' }];

  test('holds where everything has been tried', () =>
    holds(failsByItself, { events: DIALED, observation: failed('ERR_PUNCH_EXHAUSTED') }));
  test('does not ask where the server was away', () =>
    holds(failsByItself, {
      events: [...DIALED, { type: 'server.lost' }],
      observation: failed('ERR_TIMEOUT'),
    }));

  test('is broken by a timeout while nothing was in the way', () => {
    expect(failsByItself.check(moment({ events: DIALED, observation: failed('ERR_TIMEOUT') }))).toBe(
      'the dialer has waited in vain for its timeout',
    );
  });
});

describe('nobody waits', () => {
  const waiting = { waiting: 20_000 };

  test('holds', () => holds(nobodyWaits, { observation: { waiting: 900 } }));
  test('does not ask where no relay is allowed', () => holds(nobodyWaits, { flow: directOnly, observation: waiting }));
  test('does not ask while the server is away', () =>
    holds(nobodyWaits, { events: [...CONNECTED, { type: 'server.lost' }], observation: waiting }));

  test('is broken by silence where there is a relay', () => {
    expect(nobodyWaits.check(moment({ observation: waiting }))).toBe('the dialer has waited 20000 ms for an answer');
  });
});

describe('streams whole', () => {
  test('holds', () => holds(streamsWhole));
  test('does not ask once the connection has failed', () =>
    holds(streamsWhole, { observation: { broken: 'ERR_CLOSED', dialer: side('failed') } }));
  test('does not ask of one that a user closes', () =>
    holds(streamsWhole, { events: [...CONNECTED, { type: 'aborted' }], observation: { broken: 'ERR_CLOSED' } }));

  test('is broken by a stream that ends while its connection stands', () => {
    expect(streamsWhole.check(moment({ observation: { broken: 'ERR_STREAM_RESET' } }))).toBe(
      'the dialer is direct and its stream has ended: ERR_STREAM_RESET',
    );
  });
});

test('all of them have names of their own', () => {
  expect(new Set(invariants.map(({ name }) => name)).size).toBe(9);
});
