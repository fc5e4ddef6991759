import { describe, expect, test } from 'vitest';
import { type ExecutableActionsFrom, initialTransition, matchesState, transition } from 'xstate';
import type { Candidate } from '../../src/core/candidate.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import { type NatBehavior, unknownBehavior } from '../../src/core/nat-behavior.ts';
import { type PeerEvent, peerMachine } from '../../src/machines/peer.ts';

const behavior: NatBehavior = { ...unknownBehavior, mapping: 'endpoint-independent', evidence: ['seen'] };
const candidates = ['192.168.1.2', '192.168.1.3'].map((address): Candidate => {
  const at = endpoint(address, 5000);
  return { transport: 'udp', type: 'host', endpoint: at, base: at, priority: 1, foundation: '1' };
});
const discovered: PeerEvent = { type: 'discovery.finished', behavior, candidates };
const online = (name: string): PeerEvent => ({ type: 'carrier.online', name });
const offline = (name: string): PeerEvent => ({ type: 'carrier.offline', name, code: 'ERR_SERVER_UNREACHABLE' });
/** XState's own events for an actor that has ended, a delay that ran out and an actor that threw. */
const looked: PeerEvent = { type: 'xstate.done.actor.gather', output: { ok: true } } as never;
const refreshDue = { type: 'xstate.after.refresh.peer.open.discover.gathered' } as never;
const broken = (actor: string) => ({ type: `xstate.error.actor.${actor}`, error: new Error('test') }) as never;

const input = { policy: 'relay-first', refresh: 23_000, jitter: 0.25 } as const;

function run(...events: readonly PeerEvent[]) {
  let [snapshot, actions] = initialTransition(peerMachine, input);
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
  const gathered = (...events: readonly PeerEvent[]) => run(looked, discovered, ...events);

  test('has the look ended when all have looked, and when that broke', () => {
    for (const over of [looked, broken('gather')]) {
      expect(run(over).actions.map(({ type }) => type)).toContain('endLook');
    }
  });

  test('keeps what was found and looks again when it is due', () => {
    const found = gathered();
    expect(found.value).toMatchObject({ open: { discover: 'gathered' } });
    expect(found.context).toMatchObject({ behavior, candidates });
    expect(run(looked).actions).toContainEqual(
      expect.objectContaining({ type: 'xstate.raise', params: expect.objectContaining({ delay: 23_000 }) }),
    );
    const again = gathered(refreshDue);
    expect(again.value).toMatchObject({ open: { discover: 'gathering' } });
    expect(again.started).toEqual(['gather']);
    expect(again.context.candidates).toBe(candidates);
  });

  test('tells those that look what the last look has found', () => {
    const told = ({ actions }: ReturnType<typeof run>) =>
      actions
        .map(({ params }) => params as unknown as { src?: string; input?: unknown } | undefined)
        .flatMap((params) => (params?.src === 'gather' ? [params.input] : []));
    const facts = { role: 'listener', policy: 'relay-first', remote: [] };
    expect(told(run())).toMatchObject([{ id: 'peer', jitter: 0.25, facts: { ...facts, local: [] } }]);
    expect(told(gathered(refreshDue))).toMatchObject([
      { facts: { ...facts, local: candidates, behaviors: { mine: behavior, theirs: unknownBehavior } } },
    ]);
  });

  test('looks again at once when the network changed, and never twice at a time', () => {
    expect(gathered({ type: 'network.changed' }).started).toEqual(['gather']);
    expect(run({ type: 'network.changed' }).started).toEqual([]);
  });

  test('a broken look is over, and the next one comes', () => {
    expect(run(broken('gather')).value).toMatchObject({ open: { discover: 'gathered' } });
    expect(run(broken('gather'), refreshDue).started).toEqual(['gather']);
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
    [['unavailable', 'started'], 'mapping'],
    [['obtained', 'started', 'obtained'], 'mapped'],
    [['obtained', 'started', 'unavailable'], 'unavailable'],
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
  for (const events of [[], [looked, discovered, online('a')], [{ type: 'registration.replaced' }]] as PeerEvent[][]) {
    const closed = run(...events, { type: 'close.requested' });
    expect([closed.value, closed.status]).toEqual(['closed', 'done']);
  }
});
