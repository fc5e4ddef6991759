import { describe, expect, test } from 'vitest';
import { type ExecutableActionsFrom, initialTransition, transition } from 'xstate';
import type { PathKind } from '../../src/core/path.ts';
import type { Policy } from '../../src/core/policy.ts';
import { connectionMachine } from '../../src/machines/connection.ts';
import type { ConnectionEvent, RatedPath } from '../../src/machines/connection-events.ts';
import { defaultConnectionDelays } from '../../src/machines/connection-setup.ts';

const path = (id: string, kind: PathKind, preference = 0): RatedPath => ({
  info: {
    id,
    kind,
    transport: kind === 'direct' ? 'udp' : 'websocket',
    local: '192.0.2.1:1',
    remote: '198.51.100.1:2',
    strategy: 'checks',
  },
  preference,
});
const relay = path('relay', 'relayed');
const direct = path('direct', 'direct', 5);
const validated = (rated: RatedPath): ConnectionEvent => ({ type: 'path.validated', path: rated });
const lost = (id: string): ConnectionEvent => ({ type: 'path.lost', id, reason: 'test' });
const started: ConnectionEvent = { type: 'connection.started' };
const known: ConnectionEvent = { type: 'remote.known' };
const established: ConnectionEvent = { type: 'session.established' };
const punchLost: ConnectionEvent = { type: 'xstate.done.actor.punch', output: { ok: false } };
const fallbackLost: ConnectionEvent = { type: 'xstate.done.actor.fallback', output: { ok: false } };
/** What the last event spawned and stopped, by the actors' names. */
const staged = ({ actions }: ReturnType<typeof run>) =>
  actions.flatMap(({ type, params }) => {
    const of = params as { id?: string; src?: string } | undefined;
    return type === 'xstate.spawnChild' ? [of?.id] : [];
  });
/** XState's own event for a delay that ran out. */
const expired = (delay: string, state: string) => ({ type: `xstate.after.${delay}.connection.${state}` }) as never;

function run(events: readonly ConnectionEvent[], policy: Policy = 'relay-first') {
  const input = { id: 'c', role: 'dialer', policy, delays: defaultConnectionDelays } as const;
  let [snapshot, actions] = initialTransition(connectionMachine, input);
  for (const event of events) [snapshot, actions] = transition(connectionMachine, snapshot, event);
  return { ...snapshot, actions: actions as ExecutableActionsFrom<typeof connectionMachine>[] };
}

describe('traversing', () => {
  test('runs its four regions side by side, relay first', () => {
    expect(run([started]).value).toEqual({
      traversing: { discover: 'gathering', map: 'mapping', punch: 'waiting', fallback: 'allocating' },
    });
  });

  test('its map region follows the peer’s mapping, and changes nothing else', () => {
    const facts = ['obtained', 'started', 'unavailable', 'started', 'obtained'] as const;
    const seen = facts.map((_, i) => {
      const events = facts.slice(0, i + 1).map((fact): ConnectionEvent => ({ type: `mapping.${fact}` }));
      return run([started, ...events]).value;
    });
    expect(seen).toEqual(
      ['mapped', 'mapping', 'unavailable', 'mapping', 'mapped'].map((map) => ({
        traversing: { discover: 'gathering', map, punch: 'waiting', fallback: 'allocating' },
      })),
    );
    const broken = { type: 'xstate.error.actor.0.connection.traversing.map', error: new Error('test') } as never;
    expect(run([started, broken]).value).toMatchObject({ traversing: { map: 'unavailable' } });
  });

  test('direct-only never allocates a relay, relay-only never punches', () => {
    expect(run([started], 'direct-only').value).toMatchObject({ traversing: { fallback: 'unavailable' } });
    expect(run([started, known], 'relay-only').value).toMatchObject({ traversing: { punch: 'exhausted' } });
  });

  test('checks begin when the other side is known, and spawn their actor once', () => {
    const { value, actions } = run([started, known]);
    expect(value).toMatchObject({ traversing: { punch: 'checking' } });
    expect(actions.filter(({ type }) => type === 'xstate.spawnChild')).toHaveLength(1);
    expect(run([started, known, known]).actions.filter(({ type }) => type === 'xstate.spawnChild')).toHaveLength(0);
  });

  test('a relayed and then a direct path show in their regions, and the direct one is used', () => {
    const { value, context } = run([started, known, validated(relay), validated(direct)]);
    expect(value).toMatchObject({ traversing: { punch: 'punched', fallback: 'relayed' } });
    expect(context.current).toBe('direct');
  });

  test('fails when punching is exhausted and no relay is to be had', () => {
    const { value, output } = run([started, known, fallbackLost, punchLost]);
    expect(value).toBe('failed');
    expect(output).toMatchObject({ outcome: 'failed', failure: { code: 'ERR_PUNCH_EXHAUSTED' } });
  });

  test('one of the two that has come to nothing is not the end, and a late path still counts', () => {
    expect(run([started, known, punchLost]).value).toMatchObject({
      traversing: { punch: 'exhausted', fallback: 'allocating' },
    });
    expect(run([started, known, punchLost, validated(direct), fallbackLost]).value).toMatchObject({
      traversing: { punch: 'punched', fallback: 'unavailable' },
    });
    const broken: ConnectionEvent = { type: 'xstate.error.actor.fallback', error: new Error('test') };
    expect(run([started, known, broken]).value).toMatchObject({ traversing: { fallback: 'unavailable' } });
    expect(run([started, known, broken, punchLost]).value).toBe('failed');
  });

  test('a relayed path that is lost has another one looked for', () => {
    const again = run([started, validated(relay), lost('relay')]);
    expect(again.value).toMatchObject({ traversing: { fallback: 'allocating' } });
    expect(staged(again)).toEqual(['fallback']);
  });

  test.each<[string, ConnectionEvent, string]>([
    ['gone before it stood', { type: 'peer.gone' }, 'ERR_PEER_GONE'],
    ['rejected', { type: 'offer.rejected', code: 'ERR_TICKET_REJECTED', message: 'used' }, 'ERR_TICKET_REJECTED'],
    ['no server', { type: 'signaling.failed', code: 'ERR_SERVER_UNREACHABLE', message: 'x' }, 'ERR_SERVER_UNREACHABLE'],
    ['another key', { type: 'session.failed', code: 'ERR_PEER_KEY', message: 'x' }, 'ERR_PEER_KEY'],
    ['timeout', expired('traversing', 'traversing'), 'ERR_TIMEOUT'],
    ['closed by the user', { type: 'close.requested', code: 'ERR_ABORTED', message: 'x' }, 'ERR_ABORTED'],
    ['a broken actor', { type: 'xstate.error.actor.signal', error: new Error('x') }, 'ERR_PROTOCOL'],
  ])('fails with a code: %s', (_, event, code) => {
    const { value, output } = run([started, event]);
    expect(value).toBe('failed');
    expect(output?.failure?.code).toBe(code);
  });

  test('a path does not keep a connection whose other side has gone, unless it returns', () => {
    const gone = [started, known, validated(direct), { type: 'peer.gone' }] satisfies ConnectionEvent[];
    expect(run(gone).status).toBe('active');
    const { value, output } = run([...gone, { type: 'peer.missed' }]);
    expect(value).toBe('failed');
    expect(output?.failure?.code).toBe('ERR_PEER_GONE');
    expect(run([...gone, { type: 'peer.returned' }, { type: 'peer.missed' }]).status).toBe('active');
  });

  test('a lost server does not matter while a path stands', () => {
    const event: ConnectionEvent = { type: 'signaling.failed', code: 'ERR_SERVER_UNREACHABLE', message: 'gone' };
    expect(run([started, known, validated(direct), event]).status).toBe('active');
  });
});

describe('connected', () => {
  const relayed = [started, known, validated(relay), established] as const;

  test('begins on the path that carries the session and moves to a direct one', () => {
    expect(run([...relayed]).value).toEqual({ connected: { path: 'relayed', liveness: 'fresh' } });
    expect(run([...relayed, validated(direct)]).value).toEqual({ connected: { path: 'direct', liveness: 'fresh' } });
  });

  test('falls back to the relay when the direct path is lost, and comes back', () => {
    const back = [...relayed, validated(direct), lost('direct')];
    expect(run(back).value).toMatchObject({ connected: { path: 'relayed' } });
    expect(run([...back, validated(path('other', 'direct'))]).context.current).toBe('other');
  });

  test('prefers the better direct path, and keeps the standing one among equals', () => {
    const better = path('better', 'direct', 9);
    const equal = path('equal', 'direct', 5);
    expect(run([...relayed, validated(direct), validated(better)]).context.current).toBe('better');
    expect(run([...relayed, validated(direct), validated(equal)]).context.current).toBe('direct');
  });

  test('only the sending path makes it suspect; an answer makes it fresh again', () => {
    const both = [...relayed, validated(direct)];
    expect(run([...both, { type: 'path.suspect', id: 'relay' }]).value).toMatchObject({
      connected: { liveness: 'fresh' },
    });
    const suspect = [...both, { type: 'path.suspect', id: 'direct' }] satisfies ConnectionEvent[];
    expect(run(suspect).value).toMatchObject({ connected: { liveness: 'suspect' } });
    expect(run([...suspect, { type: 'path.alive', id: 'direct' }]).value).toMatchObject({
      connected: { liveness: 'fresh' },
    });
    expect(run([...suspect, lost('direct')]).value).toEqual({ connected: { path: 'relayed', liveness: 'fresh' } });
  });

  test('suspicion ends with a better path, not with one that is not sent on', () => {
    const suspect = [...relayed, validated(direct), { type: 'path.suspect', id: 'direct' }] satisfies ConnectionEvent[];
    expect(run([...suspect, validated(path('better', 'direct', 9))]).value).toMatchObject({
      connected: { liveness: 'fresh' },
    });
    for (const other of [relay, direct, path('worse', 'direct', 1)]) {
      const { value, context } = run([...suspect, validated(other)]);
      expect(value).toMatchObject({ connected: { liveness: 'suspect' } });
      expect(context.current).toBe('direct');
    }
  });

  test('each round of punching has an actor of its own', () => {
    expect(staged(run([...relayed, { type: 'round.began' }]))).toEqual(['punch']);
  });

  test('strategies whose machine breaks are no matter while a path stands', () => {
    const error = new Error('test');
    expect(run([...relayed, { type: 'xstate.error.actor.fallback', error }]).value).toMatchObject({ connected: {} });
    expect(run([...relayed, { type: 'xstate.error.actor.punch', error }]).value).toMatchObject({ connected: {} });
  });

  test('a session that broke is a failure', () => {
    const { output } = run([...relayed, { type: 'session.ended', by: 'remote', code: 7, reason: 'broken' }]);
    expect(output?.failure).toMatchObject({ code: 'ERR_PROTOCOL', message: expect.stringContaining('broken') });
  });

  test('a closed session is no failure', () => {
    const { output } = run([...relayed, { type: 'session.ended', by: 'remote', code: 0, reason: '' }]);
    expect(output).toMatchObject({ outcome: 'closed', failure: undefined });
  });
});

describe('recovering', () => {
  const lonely = [started, known, validated(direct), established, lost('direct')] as const;

  test('begins when the last path is lost and ends with any new one', () => {
    expect(run([...lonely]).value).toEqual({ recovering: 'searching' });
    expect(run([...lonely, validated(relay)]).value).toEqual({ connected: { path: 'relayed', liveness: 'fresh' } });
  });

  test('looks for a relayed path too, unless the policy forbids it', () => {
    expect(staged(run([...lonely]))).toContain('fallback');
    expect(staged(run([...lonely], 'direct-only'))).not.toContain('fallback');
  });

  test('looks for one again a while after it has found none, as long as there is no path', () => {
    const rested = { type: 'fallback.rested' } as const;
    const delayOf = (events: readonly ConnectionEvent[]) =>
      run(events).actions.flatMap(({ type, params }) => (type === 'xstate.raise' ? [params] : []));
    expect(delayOf([...lonely, fallbackLost])).toMatchObject([{ event: rested, id: 'rest', delay: 5_000 }]);
    expect(staged(run([...lonely, fallbackLost]))).toEqual([]);
    expect(staged(run([...lonely, fallbackLost, rested]))).toEqual(['fallback']);
    const { actions } = run([...lonely, fallbackLost, validated(direct)]);
    expect(actions.map(({ type }) => type)).toContain('xstate.cancel');
  });

  test('hears of each round of punching that has ended', () => {
    const { actions } = run([...lonely, punchLost]);
    expect(actions.map(({ type }) => type)).toContain('xstate.sendTo');
  });

  test('gives up after its bound', () => {
    const { output } = run([...lonely, expired('recovering', 'recovering')]);
    expect(output?.failure).toMatchObject({ code: 'ERR_PEER_GONE', message: expect.stringContaining('120 s') });
  });

  test('gives up sooner when the rendezvous says that the other side has gone, unless it returns', () => {
    const gone = [...lonely, { type: 'peer.gone' }] satisfies ConnectionEvent[];
    expect(run(gone).value).toEqual({ recovering: 'abandoned' });
    expect(run([...gone, expired('gone', 'recovering.abandoned')]).output?.failure?.code).toBe('ERR_PEER_GONE');
    expect(run([...gone, { type: 'peer.returned' }]).value).toEqual({ recovering: 'searching' });
  });
});
