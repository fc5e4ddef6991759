import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { matchesState } from 'xstate';
import type { PathInfo } from '../../src/core/path.ts';
import { decodeTicket, type PeerMessage } from '../../src/protocol/rendezvous/index.ts';
import { tappedSignaling } from './tapped-signaling.ts';
import { numberedBytes, receiveAll, sendAll, streamBetween } from './transfer.ts';
import { codeOf, connectedPair, createWorld, untilPath } from './world.ts';

const bytes = numberedBytes(100_000);

describe('direct-only', () => {
  it.each([
    ['direct-only', 'direct-only'],
    ['direct-only', 'relay-first'],
    ['relay-first', 'direct-only'],
  ] as const)('carries data and never touches the relay (listener %s, dialer %s)', async (listens, dials) => {
    await using world = createWorld();
    const listener = await world.inhabitant({ policy: listens });
    const dialer = await world.inhabitant({ policy: dials });
    const ticket = await listener.peer.createTicket();
    const incoming = firstValueFrom(listener.peer.incoming$);
    // Until it is known what both allow, nothing but a relay could carry anything.
    for (const { network } of [listener, dialer]) network.traffic = 'hold';
    const here = dialer.peer.connect(ticket);
    const paths: PathInfo[] = [];
    here.path$.subscribe((path) => path && paths.push(path));
    await firstValueFrom(
      here.state$.pipe(filter((state) => matchesState({ traversing: { fallback: 'unavailable' } }, state))),
    );
    for (const { network } of [listener, dialer]) network.traffic = 'pass';
    await here.ready;
    const [opened, accepted] = await streamBetween(here, await incoming);
    const [received] = await Promise.all([receiveAll(accepted), sendAll(opened, bytes)]);
    expect(received.equals(bytes)).toBe(true);
    expect(new Set(paths.map(({ kind }) => kind))).toEqual(new Set(['direct']));
    await here.close();
    for (const connection of [here, await incoming]) {
      const verdict = await connection.verdict;
      expect(verdict.outcome).toBe('direct');
      expect(verdict.paths.every(({ kind }) => kind === 'direct')).toBe(true);
    }
    const { relayedDatagrams, droppedBytes } = world.rendezvous.counters();
    expect([relayedDatagrams, droppedBytes]).toEqual([0, 0]);
  });

  it('fails, with what was tried, where no direct path can be made', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant({ policy: 'direct-only' });
    const dialer = await world.inhabitant({ policy: 'direct-only' });
    listener.network.traffic = 'drop';
    const here = dialer.peer.connect(await listener.peer.createTicket());
    expect(await codeOf(here.ready)).toBe('ERR_PUNCH_EXHAUSTED');
    const { attempts, paths } = await here.verdict;
    expect(paths).toEqual([]);
    expect(attempts[0]).toMatchObject({ strategy: 'checks', ok: false, received: 0 });
    expect(attempts.some(({ ok }) => ok)).toBe(false);
    expect(attempts[0]!.sent).toBeGreaterThan(0);
    expect(attempts[0]!.endedAt).toBeGreaterThan(0);
  });
});

describe('relay-only', () => {
  it.each([
    ['relay-only', 'relay-only'],
    ['relay-only', 'relay-first'],
    ['relay-first', 'relay-only'],
  ] as const)('carries data and tells no address (listener %s, dialer %s)', async (listens, dials) => {
    await using world = createWorld();
    const tap = tappedSignaling(() => world.rendezvous.signaling());
    const listener = await world.inhabitant({ policy: listens, env: { signaling: tap.signaling } });
    const dialer = await world.inhabitant({ policy: dials, env: { signaling: tap.signaling } });
    const ticket = await listener.peer.createTicket();
    const incoming = firstValueFrom(listener.peer.incoming$);
    const here = dialer.peer.connect(ticket);
    await here.ready;
    const there = await incoming;
    const [opened, accepted] = await streamBetween(here, there);
    const [received] = await Promise.all([receiveAll(accepted), sendAll(opened, bytes)]);
    expect(received.equals(bytes)).toBe(true);
    await here.close();
    const verdicts = { dialer: await here.verdict, listener: await there.verdict };
    const told = tap.messages(decodeTicket(ticket));
    expect(told.dialer.map(({ type }) => type)).toContain('offer');
    expect(told.listener.map(({ type }) => type)).toEqual(expect.arrayContaining(['standing', 'answer']));
    for (const [role, policy, { network }] of [
      ['listener', listens, listener],
      ['dialer', dials, dialer],
    ] as const) {
      expect(verdicts[role].outcome).toBe('relayed');
      expect(verdicts[role].paths.every(({ kind }) => kind === 'relayed')).toBe(true);
      if (policy !== 'relay-only') continue;
      expect(told[role].flatMap(candidatesOf)).toEqual([]);
      expect(verdicts[role].candidates.local).toEqual([]);
      expect(new Set(verdicts[role].attempts.map(({ strategy }) => strategy))).toEqual(new Set(['relay']));
      expect(network.sent).toBe(0);
    }
    expect(world.rendezvous.counters().relayedDatagrams).toBeGreaterThan(100);
  });

  it('fails where the server relays nothing', async () => {
    await using world = createWorld();
    const tap = tappedSignaling(() => world.rendezvous.signaling(), { relays: false });
    const options = { policy: 'relay-only', env: { signaling: tap.signaling } } as const;
    const listener = await world.inhabitant(options);
    const dialer = await world.inhabitant(options);
    const here = dialer.peer.connect(await listener.peer.createTicket());
    expect(await codeOf(here.ready)).toBe('ERR_PUNCH_EXHAUSTED');
  });
});

it.each([
  ['direct-only', 'relay-only'],
  ['relay-only', 'direct-only'],
] as const)('%s and %s cannot meet', async (listens, dials) => {
  await using world = createWorld();
  const listener = await world.inhabitant({ policy: listens });
  const dialer = await world.inhabitant({ policy: dials });
  const here = dialer.peer.connect(await listener.peer.createTicket());
  expect(await codeOf(here.ready)).toBe('ERR_POLICY');
  expect((await here.verdict).summary).toContain(listens);
});

it('relay-first goes on without a relay where the server has none', async () => {
  await using world = createWorld();
  const tap = tappedSignaling(() => world.rendezvous.signaling(), { relays: false });
  const { here } = await connectedPair(world, {
    listener: { env: { signaling: tap.signaling } },
    dialer: { env: { signaling: tap.signaling } },
  });
  await untilPath(here, 'direct');
  expect(here.path?.kind).toBe('direct');
});

function candidatesOf(message: PeerMessage): readonly unknown[] {
  return 'candidates' in message ? message.candidates : [];
}
