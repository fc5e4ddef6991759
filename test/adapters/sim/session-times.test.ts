import { firstValueFrom, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { simIdentity, simNetwork, simSessions } from '../../../src/adapters/sim/index.ts';
import type { Datagram } from '../../../src/core/datagram.ts';
import type { Endpoint } from '../../../src/core/endpoint.ts';
import type { DatagramSocket } from '../../../src/core/network.ts';
import type { Session, SessionStream } from '../../../src/core/session.ts';
import { type Internet, internet, type LinkSpec } from '../../../src/sim/index.ts';
import { createPacketRouter } from '../../../src/streams/packet-router.ts';
import { establishedWire, openedStream, type Wire, wire } from './session-wire.ts';

describe('a simulated handshake, 40 ms one way', () => {
  it('takes a round trip for the client, one and a half for the server', async () => {
    const world = await wire();
    const at = await times(world);
    expect(at).toEqual({ client: 80, server: 120 });
    expect(world.sent('client').map(({ at, bytes }) => [at, bytes.length])).toEqual([
      [0, 1200],
      [80, 185],
    ]);
    expect(world.sent('server')[0]).toMatchObject({ at: 40, bytes: { length: 1200 } });
  });

  it('brings the first bytes of a stream with the client’s last packet, and an echo after two round trips', async () => {
    const world = await wire();
    const echoedAt = world.server.streams$.subscribe(async (stream) => {
      expect(world.clock.now()).toBe(120);
      await stream.write((await stream.read())!);
    });
    const answer = async (): Promise<Buffer> => {
      const stream = await world.client.openStream('echo');
      await stream.write(Buffer.from('hello'));
      return Buffer.from((await stream.read())!);
    };
    expect(await world.settle(answer())).toEqual(Buffer.from('hello'));
    expect(world.clock.now()).toBe(160);
    echoedAt.unsubscribe();
    expect(world.packets.map(({ from, at }) => `${from} ${at}`)).toEqual([
      'client 0',
      'server 40',
      'client 80',
      'server 120',
    ]);
  });

  it.each([
    // The first packet is sent again after 3 x 333 ms, then after twice that (RFC 9002 sections 6.2.1 and 6.2.2).
    ['the first packet', ['client 0'], { client: 999 + 80, server: 999 + 120 }],
    ['the first two of them', ['client 0', 'client 1'], { client: 2_997 + 80, server: 2_997 + 120 }],
    ['the answer', ['server 0'], { client: 999 + 80, server: 999 + 120 }],
    // The client has measured 80 ms: 80 + 4 x 40 after it was sent.
    ['the last packet', ['client 1'], { client: 80, server: 80 + 240 + 40 }],
  ])('goes on by itself when %s is lost', async (_, lost, expected) => {
    const world = await wire({ lose: ({ from, number }) => lost.includes(`${from} ${number}`) });
    expect(await times(world)).toEqual(expected);
  });

  it('sends what went with a lost last packet after it, by its own probe', async () => {
    const world = await wire({ lose: ({ from, number }) => from === 'client' && number === 1 });
    const arrived = firstValueFrom(world.server.streams$).then(() => world.clock.now());
    await world.settle(world.client.openStream('early'));
    // 25 ms more than the handshake's: for so long the other side may keep an acknowledgement back.
    expect(await world.settle(arrived)).toBe(80 + 240 + 25 + 40);
    expect(world.sent('client').map(({ at }) => at)).toEqual([0, 80, 80 + 240, 80 + 240 + 25]);
  });

  it('shows its connection ids where the router looks for them', async () => {
    const world = await wire();
    const datagrams$ = new Subject<Datagram>();
    const socket = { datagrams$, close() {} } as unknown as DatagramSocket;
    const router = createPacketRouter(socket);
    const counted = { client: 0, server: 0 };
    for (const role of ['client', 'server'] as const) {
      router.onPacket(world[role].connectionId, () => counted[role]++);
    }
    await times(world);
    await world.settle(world.client.openStream('x'));
    await world.clock.run();
    const from: Endpoint = { address: '192.0.2.1', port: 1, family: 4 };
    for (const { bytes } of world.packets) datagrams$.next({ data: bytes, from });
    // A client's first packet goes to an id that nobody chose yet.
    expect(counted).toEqual({ client: world.sent('server').length, server: world.sent('client').length - 1 });
    expect(router.counters).toMatchObject({ unclaimed: 1, foreign: 0, malformed: 0 });
    router.close();
  });

  it('tells a client of a server that was closed meanwhile', async () => {
    const world = await wire();
    await world.clock.advance(60);
    world.server.close(5, 'too late');
    expect(await world.settle(world.client.closed)).toEqual({ by: 'remote', code: 5, reason: 'too late' });
    expect(world.clock.now()).toBe(160);
  });
});

describe('an established simulated session, 40 ms one way', () => {
  it('acknowledges a single packet after 25 ms, every second one and a probe at once', async () => {
    const world = await establishedWire();
    const start = world.clock.now();
    const answered = (): number[] => world.sent('server').map(({ at }) => at - start);
    world.client.datagrams.send(Buffer.alloc(1_000));
    await world.clock.run();
    expect(answered()).toEqual([40 + 25]);
    world.packets.length = 0;
    for (let i = 0; i < 2; i++) world.client.datagrams.send(Buffer.alloc(1_000));
    const second = world.clock.now() - start;
    await world.clock.run();
    expect(answered()).toEqual([second + 40]);
    world.packets.length = 0;
    const third = world.clock.now() - start;
    world.client.pathChanged();
    await world.clock.run();
    expect(answered()).toEqual([third + 40]);
  });

  it('is silent for as long as nobody says anything, and waits for nothing', async () => {
    const world = await establishedWire();
    expect([world.client.isWaiting(), world.server.isWaiting(), world.clock.pending]).toEqual([false, false, 0]);
    await world.clock.advance(24 * 3_600_000);
    expect(world.packets).toEqual([]);
    const [mine, theirs] = await openedStream(world);
    await mine.write(Buffer.from('still here'));
    expect(Buffer.from((await world.settle(theirs.read()))!).toString()).toBe('still here');
  });

  it('sends a packet again one round trip after those behind it, and the rest is not held up twice', async () => {
    const world = await establishedWire();
    const [mine, theirs] = await openedStream(world);
    const start = world.clock.now();
    const first = world.sent('client').length;
    world.lose = ({ from, number }) => from === 'client' && number === numberOf(world, first);
    await mine.write(Buffer.alloc(5_000, 7));
    let length = 0;
    while (length < 5_000) length += (await world.settle(theirs.read()))!.length;
    expect(world.clock.now() - start).toBe(40 + 40 + 40);
    expect(world.client.stats().lostPackets).toBe(1);
  });

  it('sends the last packet again after the probe timeout, ever more rarely, and says that it waits', async () => {
    const world = await establishedWire();
    const [mine] = await openedStream(world);
    world.packets.length = 0;
    world.lose = () => true;
    const start = world.clock.now();
    await mine.write(Buffer.from('lost'));
    await world.clock.advance(10_000);
    const moments = [...new Set(world.sent('client').map(({ at }) => at - start))];
    const gaps = moments.slice(1).map((at, i) => at - moments[i]!);
    expect(gaps.length).toBeGreaterThan(3);
    // 80 ms, four variations of which 40 has faded in some samples, 25 ms of the other side.
    expect(gaps[0]).toBeGreaterThan(80 + 25);
    expect(gaps[0]).toBeLessThan(80 + 4 * 40 + 25);
    for (const [i, gap] of gaps.entries()) expect(gap).toBeCloseTo(gaps[0]! * 2 ** i, 2);
    expect(world.client.isWaiting()).toBe(true);
    expect(world.server.isWaiting()).toBe(false);
  });

  it.each([
    ['little', 4, 1],
    ['more than the window', 2 ** 20, 1],
  ])('carries on at once after a black hole of a minute, with %s under way', async (_, amount) => {
    const world = await establishedWire();
    const [mine, theirs] = await openedStream(world);
    world.lose = () => true;
    const writing = mine.write(Buffer.alloc(amount, 7));
    await world.clock.advance(60_000);
    world.lose = () => false;
    const back = world.clock.now();
    world.client.pathChanged();
    world.server.pathChanged();
    let length = (await world.settle(theirs.read()))!.length;
    expect(world.clock.now() - back).toBe(40);
    while (length < amount) length += (await world.settle(theirs.read()))!.length;
    await world.settle(writing);
    // From a small window, doubled each round trip: 10 of them for a megabyte at most.
    expect(world.clock.now() - back).toBeLessThan(amount === 4 ? 41 : 1_000);
  });

  it('goes back to its calm after a black hole', async () => {
    const world = await establishedWire();
    const [mine] = await openedStream(world);
    world.lose = () => true;
    await mine.write(Buffer.from('x'));
    await world.clock.advance(60_000);
    world.lose = () => false;
    world.client.pathChanged();
    await world.clock.run();
    expect([world.client.isWaiting(), world.server.isWaiting(), world.clock.pending]).toEqual([false, false, 0]);
  });

  it('closes after a round trip, and after a second when nobody answers', async () => {
    for (const [deaf, expected] of [
      [false, 80],
      [true, 1_000],
    ] as const) {
      const world = await establishedWire({});
      world.lose = () => deaf;
      const start = world.clock.now();
      world.client.close(3, 'bye');
      expect(await world.settle(world.client.closed)).toEqual({ by: 'local', code: 3, reason: 'bye' });
      expect(world.clock.now() - start).toBe(expected);
      await world.clock.run();
      expect(world.clock.now() - start).toBeLessThanOrEqual(1_000);
      expect(world.clock.pending).toBe(0);
    }
  });
});

describe('a simulated session over links that lose or are narrow', () => {
  it('brings 1 MiB through 5 % loss, and sends little more than that', async () => {
    let packet = 0;
    // Every 20th, but never the handshake.
    const world = await establishedWire({ delay: 20 });
    world.lose = () => ++packet % 20 === 0;
    const start = world.clock.now();
    const before = world.client.stats().sentBytes;
    const length = await world.settle(transfer(world, 2 ** 20));
    const sent = world.client.stats().sentBytes - before;
    expect(length).toBe(2 ** 20);
    expect(sent).toBeGreaterThan(1.05 * 2 ** 20);
    expect(sent).toBeLessThan(1.15 * 2 ** 20);
    expect(world.client.stats().lostPackets).toBeGreaterThan(30);
    // NewReno: sqrt(3 / (2 x 0.05)) packets of 1,160 bytes each round trip of 40 ms, or 160 kB/s (M. Mathis et al. 1997).
    expect(world.clock.now() - start).toBeGreaterThan(3_000);
    expect(world.clock.now() - start).toBeLessThan(12_000);
  });

  it('fills a link of 8 Mbit/s, without more loss than its queue makes it find the rate by', async () => {
    const world = internet({ seed: 3 });
    const link = { latency: 20, rate: 8_000_000 };
    const sessions = await overUdp(world, link);
    const amount = 4 * 2 ** 20;
    const start = world.clock.now();
    await world.clock.runUntil(transfer(sessions, amount));
    const seconds = (world.clock.now() - start) / 1_000;
    expect(amount / seconds).toBeGreaterThan(0.75 * 1e6);
    expect(amount / seconds).toBeLessThan(1e6);
    expect(sessions.client.stats().lostPackets).toBeLessThan(0.05 * sessions.client.stats().sentPackets);
  });
});

/** Established sessions on two simulated hosts. */
async function overUdp(world: Internet, link: LinkSpec): Promise<{ client: Session; server: Session }> {
  const end = async (name: string) => {
    const random = world.random.stream(name);
    const identity = simIdentity(random);
    const socket = await simNetwork(world.host(name, { link })).udp({ family: 4 });
    const [address] = await simNetwork(world.hostNamed(name)).resolve(name, { family: 4 });
    const at: Endpoint = { address: address!, port: socket.local.port, family: 4 };
    return { identity, socket, at, factory: await simSessions(identity, { clock: world.clock, random }) };
  };
  const [a, b] = [await end('alice'), await end('bob')];
  const server = b.factory.create({
    role: 'server',
    expectedKey: a.identity.publicKey,
    transmit: (packet) => b.socket.send(packet, a.at),
  });
  const client = a.factory.create({
    role: 'client',
    expectedKey: b.identity.publicKey,
    transmit: (packet) => a.socket.send(packet, b.at),
  });
  a.socket.datagrams$.subscribe(({ data }) => client.receive(data));
  b.socket.datagrams$.subscribe(({ data }) => server.receive(data));
  await world.clock.runUntil(Promise.all([client.established, server.established]));
  return { client, server };
}

/** When each side is established, in ms of virtual time. */
async function times({ client, server, clock }: Wire): Promise<{ client: number; server: number }> {
  const [clientAt, serverAt] = await clock.runUntil(
    Promise.all([client.established.then(() => clock.now()), server.established.then(() => clock.now())]),
  );
  return { client: clientAt, server: serverAt };
}

/** The number of the n-th packet that the client sent since the record was begun. */
function numberOf(world: Wire, nth: number): number | undefined {
  return world.sent('client')[nth]?.number;
}

async function transfer({ client, server }: { client: Session; server: Session }, amount: number): Promise<number> {
  const incoming = firstValueFrom(server.streams$);
  const mine = await client.openStream('bulk');
  const received = incoming.then(readToEnd);
  await mine.write(Buffer.alloc(amount, 1));
  await mine.end();
  await mine.finished;
  return received;
}

async function readToEnd(stream: SessionStream): Promise<number> {
  let length = 0;
  for (let part = await stream.read(); part !== null; part = await stream.read()) length += part.length;
  return length;
}
