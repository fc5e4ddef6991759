import { describe, expect, test } from 'vitest';
import { type ExecutableActionsFrom, initialTransition, matchesState, transition } from 'xstate';
import { type NatBehavior, unknownBehavior } from '../../src/core/nat-behavior.ts';
import { type PeerEvent, peerMachine } from '../../src/machines/peer.ts';

const behavior: NatBehavior = { ...unknownBehavior, mapping: 'endpoint-independent', evidence: ['seen'] };
const discovered: PeerEvent = { type: 'discovery.finished', behavior, candidates: 3 };
const online = (name: string): PeerEvent => ({ type: 'carrier.online', name });
const offline = (name: string): PeerEvent => ({ type: 'carrier.offline', name, code: 'ERR_SERVER_UNREACHABLE' });
/** XState's own events for a delay that ran out and for an actor that threw. */
const refreshDue = { type: 'xstate.after.refresh.peer.open.discover.gathered' } as never;
const broken = (actor: string) => ({ type: `xstate.error.actor.${actor}`, error: new Error('test') }) as never;

function run(...events: readonly PeerEvent[]) {
  let [snapshot, actions] = initialTransition(peerMachine, { refresh: 23_000 });
  for (const event of events) [snapshot, actions] = transition(peerMachine, snapshot, event);
  /** Actors that the last event started. */
  const started = (actions as ExecutableActionsFrom<typeof peerMachine>[])
    .filter(({ type }) => type === 'xstate.spawnChild')
    .map(({ params }) => (params as { src: string }).src);
  return { ...snapshot, actions, started };
}

test('a peer begins to gather, to map and to connect at once', () => {
  const { value, started } = run();
  expect(value).toEqual({ open: { discover: 'gathering', map: 'mapping', rendezvous: 'connecting' } });
  expect(started.sort()).toEqual(['gather', 'map', 'rendezvous']);
});

describe('discover', () => {
  test('keeps what was found and looks again when it is due', () => {
    const found = run(discovered);
    expect(found.value).toMatchObject({ open: { discover: 'gathered' } });
    expect(found.context).toMatchObject({ behavior, candidates: 3 });
    expect(found.actions).toContainEqual(
      expect.objectContaining({ type: 'xstate.raise', params: expect.objectContaining({ delay: 23_000 }) }),
    );
    const again = run(discovered, refreshDue);
    expect(again.value).toMatchObject({ open: { discover: 'gathering' } });
    expect(again.started).toEqual(['gather']);
    expect(again.context.candidates).toBe(3);
  });

  test('looks again at once when the network changed, and never twice at a time', () => {
    expect(run(discovered, { type: 'network.changed' }).started).toEqual(['gather']);
    expect(run({ type: 'network.changed' }).started).toEqual([]);
  });

  test('a broken look is over, and the next one comes', () => {
    expect(run(broken('0.peer.open.discover.gathering')).value).toMatchObject({ open: { discover: 'gathered' } });
    expect(run(broken('0.peer.open.discover.gathering'), refreshDue).started).toEqual(['gather']);
  });
});

describe('map', () => {
  const told = (...facts: readonly ('started' | 'obtained' | 'unavailable')[]) =>
    run(...facts.map((fact): PeerEvent => ({ type: `mapping.${fact}` })));

  test.each([
    [['started'], 'mapping'],
    [['obtained'], 'mapped'],
    [['unavailable'], 'unavailable'],
    [['obtained', 'obtained'], 'mapped'],
    [['obtained', 'started'], 'mapping'],
    [['obtained', 'unavailable'], 'unavailable'],
    [['unavailable', 'started'], 'mapping'],
    [['unavailable', 'obtained'], 'mapped'],
    [['obtained', 'started', 'obtained'], 'mapped'],
  ] as const)('after %j is %s, with the one actor that it began with', (facts, map) => {
    expect(told(...facts).value).toEqual({ open: { discover: 'gathering', map, rendezvous: 'connecting' } });
    expect(told(...facts).started).toEqual([]);
  });

  test.each([
    ['nobody maps', { type: 'mapping.unavailable' } as PeerEvent],
    ['the actor broke', broken('0.peer.open.map')],
  ])('is unavailable when %s, and disturbs nothing else', (_, event) => {
    expect(run(event).value).toEqual({
      open: { discover: 'gathering', map: 'unavailable', rendezvous: 'connecting' },
    });
  });
});

describe('rendezvous', () => {
  const state = (...events: readonly PeerEvent[]) => run(...events).value;
  const isIn = (child: string, ...events: readonly PeerEvent[]) =>
    matchesState({ open: { rendezvous: child } }, state(...events));

  test('is online while at least one carrier is', () => {
    expect(isIn('online', online('a'))).toBe(true);
    expect(isIn('online', online('a'), online('b'), offline('a'))).toBe(true);
    expect(isIn('offline', online('a'), online('b'), offline('a'), offline('b'))).toBe(true);
    expect(isIn('online', online('a'), offline('a'), online('a'))).toBe(true);
  });

  test('counts a carrier once, however often it says so', () => {
    expect(run(online('a'), online('a')).context.online).toEqual(['a']);
    expect(isIn('offline', online('a'), online('a'), offline('a'))).toBe(true);
  });

  test('is offline when the first word is that there is no server, and when its actor broke', () => {
    expect(isIn('offline', offline('a'))).toBe(true);
    expect(isIn('offline', broken('0.peer.open.rendezvous'))).toBe(true);
  });

  test('keeps one actor through all changes', () => {
    expect(run(online('a')).started).toEqual([]);
    expect(run(online('a'), offline('a')).started).toEqual([]);
  });

  test('stays away once another process has registered the key', () => {
    expect(isIn('replaced', online('a'), { type: 'registration.replaced' })).toBe(true);
    expect(isIn('replaced', online('a'), { type: 'registration.replaced' }, offline('a'), online('a'))).toBe(true);
  });
});

test('closing ends everything, from any state', () => {
  for (const events of [[], [discovered, online('a')], [{ type: 'registration.replaced' }]] as PeerEvent[][]) {
    const closed = run(...events, { type: 'close.requested' });
    expect([closed.value, closed.status]).toEqual(['closed', 'done']);
  }
});
