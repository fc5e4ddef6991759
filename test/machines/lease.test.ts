import { describe, expect, it } from 'vitest';
import { type ExecutableActionsFrom, initialTransition, transition } from 'xstate';
import { endpoint } from '../../src/core/endpoint.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import type { MappingAttempt } from '../../src/core/port-lease.ts';
import type { Mapping } from '../../src/core/port-mapper.ts';
import type { Facts } from '../../src/core/strategy.ts';
import { LEASE_TIMES, type LeaseEvent, leaseMachine } from '../../src/machines/lease.ts';

const HOUR = 3_600_000;
/** When the mapping of these tests is obtained. */
const T = 1_000;

function mappingAt(at: number, lifetime = 3_600): Mapping {
  const [goodUntil, renewAfter] = lifetime === 0 ? [Infinity, Infinity] : [at + lifetime * 1000, at + lifetime * 500];
  return {
    via: 'pcp',
    protocol: 'udp',
    internal: endpoint('192.168.1.2', 5000),
    external: endpoint('203.0.113.9', 5000),
    gateway: '192.168.1.1',
    lifetime,
    goodUntil,
    renewAfter,
    reach: 'internet',
    handle: {},
  };
}

const attempts: readonly MappingAttempt[] = [{ via: 'pcp', reason: 'test', startedAt: 0, endedAt: T }];
const obtained = (lifetime?: number, contested = false): LeaseEvent => ({
  type: 'mapping.obtained',
  mapping: mappingAt(T, lifetime),
  strategy: 'pcp',
  attempts,
  contested,
  at: T,
});
const failed: LeaseEvent = { type: 'mapping.failed', attempts };
const renewed = (at: number): LeaseEvent => ({ type: 'mapping.renewed', mapping: mappingAt(at), at });
const unrenewed = (at: number, code: ErrorCode = 'ERR_TIMEOUT'): LeaseEvent => ({ type: 'renewal.failed', code, at });
const restarted = (at: number): LeaseEvent => ({ type: 'gateway.restarted', at });
const changed = (at: number): LeaseEvent => ({ type: 'network.changed', at });
const released: LeaseEvent = { type: 'mapping.released' };
const close: LeaseEvent = { type: 'close.requested' };
const cleared: LeaseEvent = { type: 'leftovers.cleared' };
const facts: Facts = {
  role: 'listener',
  policy: 'relay-first',
  local: [],
  remote: [],
  behaviors: { mine: unknownBehavior, theirs: unknownBehavior },
};
/** XState's own events for an actor that has ended, a delay that ran out and an actor that threw. */
const raced = { type: 'xstate.done.actor.race', output: { ok: true, which: 'of the test' } } as never as LeaseEvent;
const due: LeaseEvent = { type: 'xstate.after.renewIn.lease.held' } as never;
const retryDue: LeaseEvent = { type: 'xstate.after.retry.lease.unavailable' } as never;
const brokenRace = { type: 'xstate.error.actor.race', error: 'x' } as never as LeaseEvent;
const broken = (state: string): LeaseEvent => ({ type: `xstate.error.actor.0.lease.${state}`, error: 'x' }) as never;

/** A lease of a port that nobody has left mapped; what a race has brought comes when that has ended. */
function run(...events: readonly LeaseEvent[]) {
  return play(cleared, ...events);
}

/** From the beginning, but for the ends of races. */
function play(...events: readonly LeaseEvent[]) {
  let [snapshot, actions] = initialTransition(leaseMachine, { id: 'a', facts, jitter: 0.25 });
  for (const event of events) {
    const isOfRace = event.type === 'mapping.obtained' || event.type === 'mapping.failed';
    if (snapshot.value === 'mapping' && isOfRace) [snapshot, actions] = transition(leaseMachine, snapshot, raced);
    [snapshot, actions] = transition(leaseMachine, snapshot, event);
  }
  const executed = actions as ExecutableActionsFrom<typeof leaseMachine>[];
  const paramsOf = (type: string) => executed.filter((action) => action.type === type).map(({ params }) => params);
  return {
    value: snapshot.value,
    status: snapshot.status,
    context: snapshot.context,
    /** Actors that the last event started. */
    started: (paramsOf('xstate.spawnChild') as { src: string }[]).map(({ src }) => src),
    /** What they were started with. */
    inputs: (paramsOf('xstate.spawnChild') as { input: unknown }[]).map(({ input }) => input),
    /** Events that were sent on. */
    sent: paramsOf('xstate.sendTo') as { targetId: string; event: LeaseEvent }[],
    /** ms of the timers that it set. */
    timers: (paramsOf('xstate.raise') as { delay: number }[]).map(({ delay }) => delay),
  };
}

describe('a lease', () => {
  it('begins with a race, and holds what that brings until half its life', () => {
    expect(run()).toMatchObject({ value: 'mapping', started: ['race'] });
    expect(run(obtained())).toMatchObject({ value: 'held', context: { mapping: mappingAt(T), attempts }, started: [] });
    expect(run(obtained()).timers).toEqual([HOUR / 2]);
    expect(run(obtained(), due)).toMatchObject({ value: 'renewing', started: ['renew'] });
  });

  it('is renewed again and again', () => {
    const half = T + HOUR / 2;
    expect(run(obtained(), due, renewed(half))).toMatchObject({ value: 'held', timers: [HOUR / 2] });
    expect(run(obtained(), due, renewed(half)).context.mapping).toEqual(mappingAt(half));
    expect(run(obtained(), due, renewed(half), due).value).toBe('renewing');
  });

  it.each([
    ['a week', 604_800, LEASE_TIMES.trust],
    ['without end', 0, LEASE_TIMES.trust],
    ['a second', 1, LEASE_TIMES.spacing],
  ])('of %s is renewed neither too rarely nor too often', (_, lifetime, delay) => {
    expect(run(obtained(lifetime)).timers).toEqual([delay]);
  });

  it('that others were asking for as well is renewed once those have taken back what is theirs', () => {
    expect(run(obtained(3_600, true)).timers).toEqual([LEASE_TIMES.settling]);
    expect(run(obtained(3_600, true), due, renewed(T + 3_000)).timers).toEqual([HOUR / 2]);
    expect(run(obtained(3_600, true), due, unrenewed(T + 5_000)).value).toBe('mapping');
  });
});

describe('a lease of a port that an ended process has left mapped', () => {
  it('begins with that, and goes on with it where it stands', () => {
    expect(play()).toMatchObject({ value: 'claiming', started: ['claim'] });
    expect(play(obtained())).toMatchObject({ value: 'held', context: { mapping: mappingAt(T) } });
  });

  it('begins a race where there is nothing to go on with, and where that cannot be told', () => {
    expect(play(cleared)).toMatchObject({ value: 'mapping', started: ['race'] });
    expect(play(broken('claiming'))).toMatchObject({ value: 'mapping', started: ['race'] });
  });

  it('is released when it is closed meanwhile', () => {
    expect(play(close)).toMatchObject({ value: 'releasing', started: ['release'] });
  });
});

describe('a race', () => {
  it('is told what is known, and whom to ask first', () => {
    expect(run().inputs).toEqual([{ id: 'a', facts, jitter: 0.25, ranks: {} }]);
    const again = run(obtained(), due, unrenewed(T, 'ERR_MAPPING_REFUSED'));
    expect(again.inputs).toMatchObject([{ ranks: { pcp: -1 } }]);
  });

  it('is told what is known since, and so is the next one', () => {
    const policy = 'direct-only' as const;
    const learnt: LeaseEvent = { type: 'facts.changed', facts: { ...facts, policy } };
    expect(run(learnt)).toMatchObject({ context: { facts: { policy } }, sent: [{ targetId: 'race', event: learnt }] });
    expect(run(failed, learnt)).toMatchObject({ value: 'unavailable', sent: [] });
    expect(run(failed, learnt, retryDue).inputs).toMatchObject([{ facts: { policy } }]);
  });

  it.each<[string, LeaseEvent[]]>([
    ['while it was asked for', [changed(1), raced]],
    ['while it was written down', [raced, changed(1)]],
  ])('has what it gave looked at again soon when the network has changed %s', (_, events) => {
    const { value, context } = run(...events, obtained());
    expect(value).toBe('held');
    expect(context).toMatchObject({ doubted: true, renewIn: LEASE_TIMES.settling });
  });

  it('has what it gave written down before anything is told', () => {
    const noting = run(raced);
    expect(noting).toMatchObject({ value: 'noting', started: ['note'] });
    expect(noting.inputs).toEqual([{ id: 'a', outcome: { ok: true, which: 'of the test' } }]);
    expect(run(raced, changed(1), failed)).toMatchObject({ value: 'mapping', started: ['race'] });
    expect(run(raced, close).value).toBe('releasing');
  });
});

describe('a renewal that fails', () => {
  const half = T + HOUR / 2;

  it('by silence is tried once more an eighth of the life later', () => {
    expect(run(obtained(), due, unrenewed(half))).toMatchObject({ value: 'held', timers: [HOUR / 8] });
    expect(run(obtained(), due, unrenewed(half), due).value).toBe('renewing');
    expect(run(obtained(), due, unrenewed(half), due, unrenewed(half + HOUR / 8))).toMatchObject({
      value: 'mapping',
      started: ['race'],
    });
  });

  it('may fail by silence anew after it has succeeded', () => {
    const again = [obtained(), due, unrenewed(half), due, renewed(half + HOUR / 8), due];
    expect(run(...again, unrenewed(half + (5 * HOUR) / 8)).value).toBe('held');
  });

  it.each<ErrorCode>(['ERR_MAPPING_REFUSED', 'ERR_MAPPING_EXHAUSTED', 'ERR_GATEWAY_PROTOCOL', 'ERR_USAGE'])(
    'with %s makes the mapping again at once',
    (code) => expect(run(obtained(), due, unrenewed(half, code)).value).toBe('mapping'),
  );

  it('late in the life makes the mapping again at once', () => {
    expect(run(obtained(), due, unrenewed(T + 0.9 * HOUR)).value).toBe('mapping');
  });

  it('by throwing makes the mapping again', () => {
    expect(run(obtained(), due, broken('renewing')).value).toBe('mapping');
  });
});

describe.each([
  ['a gateway that restarted', restarted],
  ['a network that changed', changed],
])('%s', (_, happened) => {
  it('has the mapping renewed at once, and made again if that fails', () => {
    const later = happened(T + 60_000);
    expect(run(obtained(), later)).toMatchObject({ value: 'renewing', started: ['renew'] });
    expect(run(obtained(), later, unrenewed(T + 62_000)).value).toBe('mapping');
    expect(run(obtained(), later, renewed(T + 61_000))).toMatchObject({ value: 'held', context: { doubted: false } });
  });

  it('is believed once every 4 s at most', () => {
    const soon = happened(T + 100);
    expect(run(obtained(), soon)).toMatchObject({ value: 'held', timers: [LEASE_TIMES.spacing] });
    expect(run(obtained(), soon, soon, soon).value).toBe('held');
    expect(run(obtained(), soon, happened(T + LEASE_TIMES.spacing)).value).toBe('renewing');
    expect(run(obtained(), soon, due, unrenewed(T + 6_000)).value).toBe('mapping');
  });

  it('starts no second renewal beside the first', () => {
    expect(run(obtained(), due, happened(T + HOUR))).toMatchObject({ value: 'renewing', started: [] });
  });
});

it('a network that changes during a race has that run again if it comes to nothing', () => {
  expect(run(changed(1), failed)).toMatchObject({ value: 'mapping', started: ['race'] });
  expect(run(changed(1), failed, failed).value).toBe('unavailable');
  expect(run(changed(1), obtained()).value).toBe('held');
});

it('a network that changes during a renewal makes its failure count', () => {
  expect(run(obtained(), due, changed(T + HOUR / 2), unrenewed(T + HOUR / 2)).value).toBe('mapping');
});

describe('without a mapping', () => {
  it('the race is run again after 10 s, 20 s .. 10 min', () => {
    const delays: number[] = [];
    const events: LeaseEvent[] = [];
    for (let i = 0; i < 9; i++) {
      events.push(failed);
      delays.push(...run(...events).timers);
      events.push(retryDue);
    }
    expect(delays.map((ms) => ms / 1000)).toEqual([10, 20, 40, 80, 160, 320, 600, 600, 600]);
    expect(run(failed, retryDue)).toMatchObject({ value: 'mapping', started: ['race'] });
  });

  it('it is run at once when the network changes, and is patient anew', () => {
    expect(run(failed, retryDue, failed, changed(5))).toMatchObject({ value: 'mapping', started: ['race'] });
    expect(run(failed, retryDue, failed, changed(5), failed).timers).toEqual([10_000]);
    expect(run(failed, retryDue, obtained(), due, unrenewed(T, 'ERR_MAPPING_REFUSED'), failed).timers).toEqual([
      10_000,
    ]);
  });

  it('and with a race that throws, too', () => {
    const [race, noting] = [brokenRace, [raced, broken('noting')] as const];
    for (const events of [[race], noting]) {
      expect(run(...events)).toMatchObject({ value: 'unavailable', timers: [10_000], context: { attempts: [] } });
    }
  });

  it('a restart of some gateway changes nothing', () => {
    expect(run(failed, restarted(5)).value).toBe('unavailable');
    expect(run(restarted(5)).value).toBe('mapping');
  });
});

describe('a close', () => {
  it.each<[string, LeaseEvent[]]>([
    ['mapping', []],
    ['held', [obtained()]],
    ['renewing', [obtained(), due]],
    ['unavailable', [failed]],
  ])('while %s releases', (state, events) => {
    expect(run(...events).value).toBe(state);
    expect(run(...events, close)).toMatchObject({ value: 'releasing', started: ['release'] });
    expect(run(...events, close, released)).toMatchObject({ value: 'released', status: 'done' });
    expect(run(...events, close, broken('releasing')).status).toBe('done');
  });

  it('hears of nothing else any more', () => {
    const late = [obtained(), failed, renewed(T), unrenewed(T), restarted(T), changed(T)];
    expect(run(close, ...late).value).toBe('releasing');
  });
});
