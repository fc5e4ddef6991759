import { filter, firstValueFrom, map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { cryptoRandom, systemClock } from '../../src/adapters/node/index.ts';
import { type MemoryRendezvous, memoryRendezvous } from '../../src/adapters/signaling/memory.ts';
import type { Contact, Signaling, SignalingEvent } from '../../src/core/signaling.ts';
import type { Dialer } from '../../src/peer/peer.ts';
import { createContactKey } from '../../src/protocol/rendezvous/index.ts';
import { tappedSignaling } from './tapped-signaling.ts';
import { receiveAll, sendAll, streamBetween } from './transfer.ts';
import { codeOf, createWorld, type InhabitantOptions, untilPath, type World } from './world.ts';

/** The signalling of a server that tells other contacts than were registered. */
function tellingContact(signaling: Signaling, contact: Contact): Signaling {
  const events$ = signaling.events$.pipe(
    map((event): SignalingEvent => (event.type === 'contact' ? { ...event, contact } : event)),
  );
  return { ...signaling, events$ };
}

/** A listener that takes one key, and the peer that holds it. */
async function friends(world: World, options: { listener?: InhabitantOptions; dialer?: InhabitantOptions } = {}) {
  const dialer = await world.inhabitant(options.dialer);
  const listener = await world.inhabitant({ ...options.listener, accept: { keys: [dialer.peer.key] } });
  await listener.peer.register();
  return { dialer, listener, key: listener.peer.key };
}

describe('a peer that is dialled by its key', () => {
  it.each<[string, InhabitantOptions, 'direct' | 'relayed']>([
    ['directly', { policy: 'direct-only' }, 'direct'],
    ['over a relay', { policy: 'relay-only' }, 'relayed'],
  ])('is reached %s, both keys proven, without a ticket', async (_, options, kind) => {
    await using world = createWorld();
    const { dialer, listener, key } = await friends(world, { listener: options, dialer: options });
    const incoming = firstValueFrom(listener.peer.incoming$);
    const here = dialer.peer.connect({ key });
    await here.ready;
    const there = await incoming;
    expect([here.remoteKey, there.remoteKey]).toEqual([listener.peer.key, dialer.peer.key]);
    await untilPath(here, kind);
    const [opened, accepted] = await streamBetween(here, there);
    const [received] = await Promise.all([receiveAll(accepted), sendAll(opened, Uint8Array.of(1, 2, 3))]);
    expect([...received]).toEqual([1, 2, 3]);
  });

  it('takes tickets beside keys', async () => {
    await using world = createWorld();
    const { dialer, listener, key } = await friends(world);
    const stranger = await world.inhabitant();
    await stranger.peer.connect(await listener.peer.createTicket()).ready;
    await dialer.peer.connect({ key }).ready;
  });

  it('is asked for its contact once, and again when it has begun anew', async () => {
    await using world = createWorld();
    const tap = tappedSignaling(() => world.rendezvous.signaling());
    const identity = createIdentity();
    const { dialer, listener, key } = await friends(world, {
      listener: { identity },
      dialer: { env: { signaling: tap.signaling } },
    });
    for (let i = 0; i < 2; i++) await dialer.peer.connect({ key }).ready;
    expect(tap.lookups).toHaveLength(1);
    await listener.peer.close();
    const next = await world.inhabitant({ identity, accept: { keys: [dialer.peer.key] } });
    await next.peer.register();
    await dialer.peer.connect({ key }).ready;
    expect(tap.lookups).toHaveLength(2);
  });

  it('is found after the server has lost its memory', async () => {
    await using world = createWorld();
    const { dialer, listener, key } = await friends(world);
    const [carrier] = listener.carriers;
    const again = firstValueFrom(carrier!.events$.pipe(filter(({ type }) => type === 'registered')));
    world.rendezvous.stop();
    world.rendezvous.start();
    await again;
    await dialer.peer.connect({ key }).ready;
  });
});

describe('accept', () => {
  it('lets nobody in by key unless told to, and does not say that the key is there', async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    await listener.peer.createTicket();
    const dialer = await world.inhabitant();
    const connection = dialer.peer.connect({ key: listener.peer.key });
    expect(await codeOf(connection.ready)).toBe('ERR_PEER_UNKNOWN');
  });

  it('lets only the listed keys in', async () => {
    await using world = createWorld();
    const { listener, key } = await friends(world);
    let surfaced = 0;
    listener.peer.incoming$.subscribe(() => surfaced++);
    const stranger = await world.inhabitant();
    const connection = stranger.peer.connect({ key });
    expect(await codeOf(connection.ready)).toBe('ERR_OFFER_REJECTED');
    expect(await connection.verdict).toMatchObject({ paths: [] });
    expect(surfaced).toBe(0);
  });

  it('as a function is asked with the proven key and without a ticket', async () => {
    await using world = createWorld();
    const asked: Dialer[] = [];
    const listener = await world.inhabitant({ accept: (dialer) => asked.push(dialer) === 1 });
    await listener.peer.register();
    const dialer = await world.inhabitant();
    await dialer.peer.connect({ key: listener.peer.key }).ready;
    expect(await codeOf(dialer.peer.connect({ key: listener.peer.key }).ready)).toBe('ERR_OFFER_REJECTED');
    expect(asked).toEqual(Array(2).fill({ key: dialer.peer.key, ticket: undefined }));
  });

  it('can refuse tickets', async () => {
    await using world = createWorld();
    const { peer } = await world.inhabitant({ accept: { tickets: false, keys: [createIdentity().publicKey] } });
    expect(await codeOf(peer.createTicket())).toBe('ERR_USAGE');
  });

  it('takes keys of 32 bytes', async () => {
    await using world = createWorld();
    expect(await codeOf(world.inhabitant({ accept: { keys: [new Uint8Array(31)] } }))).toBe('ERR_USAGE');
  });
});

describe('a dial by key', () => {
  it('needs a key and a server', async () => {
    await using world = createWorld();
    const { peer } = await world.inhabitant({ env: { servers: [] } });
    const usage = expect.objectContaining({ code: 'ERR_USAGE' });
    expect(() => peer.connect({ key: createIdentity().publicKey })).toThrow(usage);
    expect(() => peer.connect({ key: new Uint8Array(33), servers: ['ws://memory'] })).toThrow(usage);
    expect(await codeOf(peer.register())).toBe('ERR_USAGE');
  });

  it.each([Number.NaN, -1, 0, Number.POSITIVE_INFINITY])('is not made within %d ms', async (timeout) => {
    await using world = createWorld();
    const { peer } = await world.inhabitant();
    const usage = expect.objectContaining({ code: 'ERR_USAGE' });
    expect(() => peer.connect({ key: createIdentity().publicKey }, { timeout })).toThrow(usage);
  });

  it('says when nobody has the key', async () => {
    await using world = createWorld();
    const { peer } = await world.inhabitant();
    expect(await codeOf(peer.connect({ key: createIdentity().publicKey }).ready)).toBe('ERR_PEER_UNKNOWN');
  });

  it('says when the server cannot be reached', async () => {
    await using world = createWorld();
    world.rendezvous.stop();
    const { peer } = await world.inhabitant();
    expect(await codeOf(peer.connect({ key: createIdentity().publicKey }).ready)).toBe('ERR_SERVER_UNREACHABLE');
  });

  it('takes no contact that another key has signed, and offers it nothing', async () => {
    await using world = createWorld();
    const forged = createContactKey(createIdentity(), cryptoRandom()).contact;
    const tap = tappedSignaling(() => tellingContact(world.rendezvous.signaling(), forged));
    const { dialer, key } = await friends(world, { dialer: { env: { signaling: tap.signaling } } });
    expect(await codeOf(dialer.peer.connect({ key }).ready)).toBe('ERR_PEER_KEY');
    expect(tap.lookups).toHaveLength(1);
    expect(tap.offers).toEqual([]);
  });

  it('finds the listener at one server while another tells a contact of an earlier run', async () => {
    await using world = createWorld();
    const [a, b] = [0, 1].map(() => memoryRendezvous({ clock: systemClock(), random: cryptoRandom() })) as [
      MemoryRendezvous,
      MemoryRendezvous,
    ];
    const servers = ['ws://a', 'ws://b'];
    const at = (url: string): Signaling => (new URL(url).hostname === 'a' ? a : b).signaling();
    const identity = createIdentity();
    const stale = createContactKey(identity, cryptoRandom()).contact;
    const { dialer, key } = await friends(world, {
      listener: { identity, env: { servers, signaling: at } },
      dialer: {
        env: {
          servers,
          signaling: (url) => (new URL(url).hostname === 'a' ? tellingContact(at(url), stale) : at(url)),
        },
      },
    });
    await dialer.peer.connect({ key }).ready;
  });
});
