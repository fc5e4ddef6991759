import { describe, expect, it, vi } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { cryptoRandom } from '../../src/adapters/node/index.ts';
import { formatEndpoint } from '../../src/core/endpoint.ts';
import type { Contact } from '../../src/core/signaling.ts';
import { createContactKey } from '../../src/protocol/rendezvous/index.ts';
import { encodeFrame } from '../../src/protocol/rendezvous/wire.ts';
import { codeOf, createWorld, type World } from '../peer/world.ts';
import { ENVELOPE_FAULTS, onWayDown, withEnvelope } from './envelope-faults.ts';
import { hostileNetwork } from './hostile-network.ts';
import { findNeedles, secretText } from './needles.ts';
import { type Siege, siege } from './siege.ts';
import { impostorSessions, reasonsOf } from './victims.ts';

const random = cryptoRandom();

/** A listener that takes one key, and the peer that holds it, at the attacker's server. */
async function friends(world: World, { inhabitant }: Siege, identity = createIdentity()) {
  const networks = { listener: hostileNetwork(), dialer: hostileNetwork() };
  const on = (who: 'listener' | 'dialer') => ({ env: { ...inhabitant(who).env, network: networks[who] } });
  const dialer = await world.inhabitant(on('dialer'));
  const listener = await world.inhabitant({ ...on('listener'), identity, accept: { keys: [dialer.peer.key] } });
  const incoming: Uint8Array[] = [];
  listener.peer.incoming$.subscribe(({ remoteKey }) => incoming.push(remoteKey));
  await listener.peer.register();
  return { dialer, listener, key: listener.peer.key, incoming, networks };
}

describe.concurrent('a rendezvous server between two who know each other’s keys', () => {
  it('finds no candidate and no password in what they say, and sees who dials whom', async () => {
    await using world = createWorld();
    const besieged = siege();
    const { dialer, key, incoming, networks } = await friends(world, besieged);
    const connection = dialer.peer.connect({ key });
    await connection.ready;
    await vi.waitFor(() => expect(incoming).toEqual([dialer.peer.key]));
    const needles = Object.values(networks).map(({ victim }) => secretText('candidate', formatEndpoint(victim)));
    expect(
      findNeedles(
        needles,
        besieged.attacker.seen.map(({ frame }) => frame),
      ),
    ).toEqual([]);
  });

  it.each<[string, (true_: Contact) => Contact]>([
    ['of its own making', () => createContactKey(createIdentity(), random).contact],
    ['whose key it has changed', ({ signature }) => ({ key: random.bytes(32), signature })],
    ['whose signature it has changed', ({ key }) => ({ key, signature: random.bytes(64) })],
  ])('gets no offer for a contact %s', async (_, swap) => {
    await using world = createWorld();
    const besieged = siege();
    const { attacker } = besieged;
    const { dialer, key, incoming } = await friends(world, besieged);
    attacker.meddle = ({ direction, control }) =>
      direction === 'down' && control?.type === 'contact' && control.contact !== undefined
        ? [encodeFrame({ ...control, contact: swap(control.contact) })]
        : undefined;
    expect(await codeOf(dialer.peer.connect({ key }).ready)).toBe('ERR_PEER_KEY');
    expect(attacker.meddled).toBe(1);
    expect(attacker.seen.filter(({ control }) => control?.type === 'offer')).toEqual([]);
    expect(incoming).toEqual([]);
  });

  it('that tells the contact of an earlier run gets an offer that nobody can open', async () => {
    await using world = createWorld();
    const besieged = siege();
    const { attacker } = besieged;
    const identity = createIdentity();
    const first = await friends(world, besieged, identity);
    await first.listener.peer.close();
    const registered = attacker.seen.find(({ control }) => control?.type === 'register')?.control;
    if (registered?.type !== 'register' || registered.contact === undefined) throw new Error('there was no contact');
    const { contact } = registered;
    const { dialer, key, incoming, networks } = await friends(world, besieged, identity);
    attacker.meddle = ({ direction, control }) =>
      direction === 'down' && control?.type === 'contact' ? [encodeFrame({ ...control, contact })] : undefined;
    const before = attacker.seen.length;
    expect(await codeOf(dialer.peer.connect({ key }).ready)).toBe('ERR_OFFER_REJECTED');
    expect(attacker.meddled).toBe(1);
    const since = attacker.seen.slice(before);
    expect(since.filter(({ direction, control }) => direction === 'up' && control?.type === 'offer')).toHaveLength(1);
    const needles = [secretText('candidate', formatEndpoint(networks.dialer.victim))];
    expect(
      findNeedles(
        needles,
        since.map(({ frame }) => frame),
      ),
    ).toEqual([]);
    expect(incoming).toEqual([]);
  });

  it.each(Object.entries(ENVELOPE_FAULTS))('gets nobody in by an offer that it has altered (%s)', async (_, alter) => {
    await using world = createWorld();
    const besieged = siege();
    const { attacker, dropped } = besieged;
    const { dialer, key, incoming } = await friends(world, besieged);
    attacker.meddle = onWayDown((crossing, envelope) => {
      if (crossing.control?.type !== 'offer') return undefined;
      // The sealed part begins behind the ephemeral key.
      const [ephemeral, sealed] = [envelope.subarray(0, 32), envelope.subarray(32)];
      return [withEnvelope(crossing, Buffer.concat([ephemeral, alter(sealed)]))];
    });
    expect(await codeOf(dialer.peer.connect({ key }, { timeout: 700 }).ready)).toBe('ERR_TIMEOUT');
    expect([attacker.meddled, dropped.length]).toEqual([1, 1]);
    expect(incoming).toEqual([]);
  });

  it('gets nobody in by an offer under another ephemeral key', async () => {
    await using world = createWorld();
    const besieged = siege();
    const { attacker, dropped } = besieged;
    const { dialer, key, incoming } = await friends(world, besieged);
    attacker.meddle = onWayDown((crossing, envelope) =>
      crossing.control?.type === 'offer'
        ? [withEnvelope(crossing, Buffer.concat([random.bytes(32), envelope.subarray(32)]))]
        : undefined,
    );
    expect(await codeOf(dialer.peer.connect({ key }, { timeout: 700 }).ready)).toBe('ERR_TIMEOUT');
    expect([attacker.meddled, dropped.length]).toEqual([1, 1]);
    expect(incoming).toEqual([]);
  });

  it('gets one connection of an offer that it repeats, at once and later', async () => {
    await using world = createWorld();
    const besieged = siege();
    const { attacker, dropped } = besieged;
    const { dialer, key, incoming } = await friends(world, besieged);
    attacker.meddle = onWayDown((crossing) => [crossing.frame, crossing.frame]);
    const connection = dialer.peer.connect({ key });
    await connection.ready;
    await vi.waitFor(() => expect(incoming).toHaveLength(1));
    const offer = attacker.seen.find(({ direction, control }) => direction === 'down' && control?.type === 'offer')!;
    attacker.meddle = () => undefined;
    await attacker.tell('listener', offer.frame);
    await connection.close();
    await vi.waitFor(async () => {
      await attacker.tell('listener', offer.frame);
      expect(dropped).toContain('ERR_OFFER_REJECTED');
    });
    expect(incoming).toHaveLength(1);
  });
});

describe.concurrent('one who dials a key', () => {
  it('in the name of a key that is let in, and without that key, gets no word', async () => {
    await using world = createWorld();
    const besieged = siege();
    const { dialer, key, incoming } = await friends(world, besieged);
    const own = createIdentity();
    const thief = await world.inhabitant({
      ...besieged.inhabitant('thief'),
      identity: { ...own, publicKey: dialer.peer.key },
      env: { ...besieged.inhabitant('thief').env, sessions: impostorSessions },
    });
    expect(await codeOf(thief.peer.connect({ key }, { timeout: 700 }).ready)).toBe('ERR_TIMEOUT');
    expect(besieged.dropped).toEqual([expect.stringContaining('offer/proof')]);
    expect(incoming).toEqual([]);
  });

  it('with a good proof and a session of another key gets no session', async () => {
    await using world = createWorld();
    const besieged = siege();
    const failed = reasonsOf('incoming.failed');
    const own = createIdentity();
    const listener = await world.inhabitant({
      env: { ...besieged.inhabitant('listener').env, log: failed.log },
      accept: { keys: [own.publicKey] },
    });
    let surfaced = 0;
    listener.peer.incoming$.subscribe(() => surfaced++);
    await listener.peer.register();
    const dialer = await world.inhabitant({
      identity: own,
      env: { ...besieged.inhabitant('dialer').env, sessions: impostorSessions },
    });
    await dialer.peer.connect({ key: listener.peer.key }).verdict;
    await vi.waitFor(() => expect(failed.reasons).toEqual(['ERR_PEER_KEY']), { timeout: 5000 });
    expect(surfaced).toBe(0);
  });

  it('and is not on the list is refused before anything is told', async () => {
    await using world = createWorld();
    const besieged = siege();
    const { key, incoming, networks } = await friends(world, besieged);
    const stranger = await world.inhabitant(besieged.inhabitant('stranger'));
    const connection = stranger.peer.connect({ key });
    expect(await codeOf(connection.ready)).toBe('ERR_OFFER_REJECTED');
    const { candidates } = await connection.verdict;
    expect(candidates.remote).toEqual([]);
    expect(networks.listener.sniffed.filter(({ stun }) => stun?.class === 'request')).toEqual([]);
    expect(incoming).toEqual([]);
  });
});
