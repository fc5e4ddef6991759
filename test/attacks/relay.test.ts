import { randomBytes } from 'node:crypto';
import type { Connection } from '@matrixai/quic/native/types.js';
import { describe, expect, it } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { ADDRESSES, quicheConfig } from '../../src/adapters/session/quic/config.ts';
import { loadQuiche } from '../../src/adapters/session/quic/native.ts';
import { numberedBytes } from '../peer/transfer.ts';
import { codeOf, createWorld } from '../peer/world.ts';
import type { Meddler } from './malicious-rendezvous.ts';
import { type Siege, siege } from './siege.ts';
import { connected, EXCHANGED, exchange, type VictimsOptions, victims } from './victims.ts';

/** The head of a relayed frame: its type and the session (the layout is that of `relay-frame.ts`). */
const HEAD = 17;
const BYTES = numberedBytes(100_000);

/** What the relay makes of each datagram: those that go on in its place. */
type Tampering = (datagram: Uint8Array, count: number) => readonly Uint8Array[];

const flipped = (datagram: Uint8Array, at: number): Uint8Array => {
  const copy = Uint8Array.from(datagram);
  copy[at]! ^= 0x10;
  return copy;
};

const TAMPERINGS: Readonly<Record<string, Tampering>> = {
  'puts a copy with a flipped bit before each': (datagram, count) => [
    flipped(datagram, count % datagram.length),
    datagram,
  ],
  'flips a bit in every tenth': (datagram, count) => [
    count % 10 === 1 ? flipped(datagram, count % datagram.length) : datagram,
  ],
  'drops every tenth': (datagram, count) => (count % 10 === 1 ? [] : [datagram]),
  'doubles each': (datagram) => [datagram, datagram],
  'puts a shorter copy before each': (datagram, count) => [
    datagram.subarray(0, 1 + (count % (datagram.length - 1))),
    datagram,
  ],
  'puts a longer copy before each': (datagram) => [Buffer.concat([datagram, randomBytes(40)]), datagram],
  'puts random bytes behind each': (datagram) => [datagram, randomBytes(datagram.length)],
  'puts random bytes under the true first byte and connection id before each': (datagram) => [
    Buffer.concat([datagram.subarray(0, 17), randomBytes(100)]),
    datagram,
  ],
};

/** `tamper` hears each datagram that comes down to a client; it counts from 1. */
function tampering(tamper: Tampering): { readonly meddle: Meddler; readonly changed: () => number } {
  let count = 0;
  let changed = 0;
  return {
    changed: () => changed,
    meddle({ direction, frame }) {
      if (direction === 'up' || typeof frame === 'string') return undefined;
      const datagram = frame.subarray(HEAD);
      const instead = tamper(datagram, ++count);
      if (instead.length === 1 && instead[0] === datagram) return undefined;
      changed++;
      return instead.map((each) => Buffer.concat([frame.subarray(0, HEAD), each]));
    },
  };
}

const relayed = ({ listener, dialer }: Siege['options']): VictimsOptions => ({
  listener: { ...listener, policy: 'relay-only' },
  dialer: { ...dialer, policy: 'relay-only' },
});

describe.concurrent('a relay', () => {
  it.each(Object.entries(TAMPERINGS))('that %s neither changes a byte nor ends the session', async (_, tamper) => {
    await using world = createWorld();
    const { attacker, options } = siege();
    const { meddle, changed } = tampering(tamper);
    attacker.meddle = meddle;
    const pair = await connected(world, relayed(options));
    expect(changed()).toBeGreaterThan(0);
    const received = await exchange(pair, BYTES);
    expect(received.map((bytes) => Buffer.compare(bytes, BYTES))).toEqual([0, 0]);
    expect(changed()).toBeGreaterThan(20);
    expect(pair.incoming).toHaveLength(1);
  });

  it('that is silent for a while, and then repeats all that it has ever carried, costs time only', async () => {
    await using world = createWorld();
    const { attacker, options } = siege();
    const pair = await connected(world, relayed(options));
    const sent = exchange(pair, BYTES);
    attacker.meddle = ({ frame }) => (typeof frame === 'string' ? undefined : []);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(attacker.meddled).toBeGreaterThan(0);
    attacker.meddle = () => undefined;
    for (const { client, direction, frame } of [...attacker.seen]) {
      if (direction === 'down' && typeof frame !== 'string') await attacker.tell(client, frame);
    }
    const received = await sent;
    expect(received.map((bytes) => Buffer.compare(bytes, BYTES))).toEqual([0, 0]);
  });

  it('that swaps the datagrams of two sessions mixes no payload up', async () => {
    await using world = createWorld();
    const { attacker, inhabitant } = siege();
    const pairs = await Promise.all(
      [1, 2].map((n) =>
        connected(world, relayed({ listener: inhabitant(`listener ${n}`), dialer: inhabitant(`dialer ${n}`) })),
      ),
    );
    const [one, two] = pairs.map(({ here }) => Buffer.from(here.id, 'hex'));
    let swapped = 0;
    attacker.meddle = ({ client, direction, frame }) => {
      if (direction === 'up' || typeof frame === 'string') return undefined;
      const other = client.endsWith('1') ? client.replace('1', '2') : client.replace('2', '1');
      const session = client.endsWith('1') ? two! : one!;
      void attacker.tell(other, Buffer.concat([frame.subarray(0, 1), session, frame.subarray(HEAD)]));
      // All but every seventh reach the right one too, or there would be nothing to see.
      return ++swapped % 7 === 0 ? [] : undefined;
    };
    const payloads = [numberedBytes(50_000), numberedBytes(50_000, 50_000)];
    const received = await Promise.all(pairs.map((pair, i) => exchange(pair, payloads[i])));
    expect(received.map((both, i) => both.map((bytes) => Buffer.compare(bytes, payloads[i]!)))).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(swapped).toBeGreaterThan(50);
  });

  it('that shakes hands in the place of either side is found out by both', async () => {
    await using world = createWorld();
    const { attacker, options } = siege();
    const pair = await victims(world, relayed(options));
    const quiche = await loadQuiche();
    const config = quicheConfig(quiche, createIdentity());
    const { to, from } = ADDRESSES;
    const posing: Record<string, Connection> = {
      dialer: quiche.Connection.accept(randomBytes(16), null, to, from, config),
      listener: quiche.Connection.connect(null, randomBytes(16), to, from, config),
    };
    let taken = 0;
    let said = 0;
    /** What the attacker's end has to say to this victim. */
    const speak = (client: string, head: Uint8Array): void => {
      const buffer = Buffer.alloc(1200);
      for (let sent = posing[client]!.send(buffer); sent !== null; sent = posing[client]!.send(buffer)) {
        said++;
        void attacker.tell(client, Buffer.concat([head, buffer.subarray(0, sent[0])]));
      }
    };
    attacker.meddle = ({ client, direction, frame }) => {
      if (direction === 'down' || typeof frame === 'string') return undefined;
      taken++;
      try {
        posing[client]!.recv(Buffer.from(frame.subarray(HEAD)), ADDRESSES);
      } catch {
        // what a victim says to the other may make no sense to the attacker
      }
      for (const victim of ['dialer', 'listener']) speak(victim, frame.subarray(0, HEAD));
      return [];
    };
    const connection = pair.dialer.peer.connect(pair.text, { timeout: 2000 });
    expect(await codeOf(connection.ready)).toBe('ERR_PEER_KEY');
    expect([taken > 0, said > 0]).toEqual([true, true]);
    expect(pair.incoming).toEqual([]);
  });

  it('that nobody meddles with carries the same bytes', async () => {
    await using world = createWorld();
    const { attacker, options } = siege();
    const pair = await connected(world, relayed(options));
    expect(await exchange(pair)).toEqual(EXCHANGED);
    expect(attacker.meddled).toBe(0);
  });
});
