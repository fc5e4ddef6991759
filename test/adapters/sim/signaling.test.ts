import { createHash } from 'node:crypto';
import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/node/clock.ts';
import { nodeNetwork } from '../../../src/adapters/node/network.ts';
import { cryptoRandom } from '../../../src/adapters/node/random.ts';
import { simNetwork, simSignaling } from '../../../src/adapters/sim/index.ts';
import type { Signaling, SignalingEvent, SignalingStatus } from '../../../src/core/signaling.ts';
import { decodeClientFrame, encodeFrame } from '../../../src/protocol/rendezvous/wire.ts';
import { startServer } from '../../../src/server/index.ts';
import {
  type Internet,
  type InternetPlan,
  internet,
  type LinkSpec,
  type NatSpec,
  type TcpSocket,
} from '../../../src/sim/index.ts';
import { WebSocketConnection } from '../../../src/sim/websocket/connection.ts';
import { acceptUpgrade } from '../../../src/sim/websocket/upgrade.ts';
import {
  relayCompliance,
  relayOfSignaling,
  type SignalingWorld,
  signalingCompliance,
} from '../../../src/testing/compliance/index.ts';
import { filled, testIdentity } from '../../protocol/rendezvous/support.ts';
import { trace } from '../../sim/datagrams.ts';

const URL = 'ws://meet:8790';

signalingCompliance({ name: 'simSignaling', create });
signalingCompliance({ name: 'simSignaling over bad links', create: () => create({ jitter: 10, loss: 0.05 }) });
relayCompliance({ name: 'simSignaling', create: async () => relayOfSignaling(await create()) });

/** Two rendezvous servers, and programs on one host behind a NAT. */
async function create(uplink: LinkSpec = {}): Promise<SignalingWorld> {
  const world = internet({ seed: 1 });
  const server = world.host('meet', { services: [{ type: 'rendezvous' }] });
  world.host('elsewhere', { services: [{ type: 'rendezvous' }] });
  world.nat('home', {}, { uplink }).host('alice');
  return {
    clock: world.clock,
    settle: (promise) => world.clock.runUntil(promise),
    signaling: () => open(world, 'alice'),
    elsewhere: async () => open(world, 'alice', 'ws://elsewhere:8790'),
    stop: async () => server.stop(),
    start: async () => server.start(),
    close: async () => {},
  };
}

function open(world: Internet, host: string, url = URL): Signaling {
  const network = simNetwork(world.hostNamed(host));
  return simSignaling({ network, url, clock: world.clock, random: world.random.stream(`${host} ${url}`) });
}

/** A rendezvous server with STUN, 80 ms there and back from Alice behind her NAT, and what her signalling says. */
function home(nat: NatSpec = {}) {
  const world = internet({ seed: 1 });
  const server = world.host('meet', { services: [{ type: 'stun' }, { type: 'rendezvous' }] });
  const network = world.nat('home', nat);
  network.host('alice');
  const signaling = open(world, 'alice');
  const statuses: SignalingStatus[] = [];
  const events: SignalingEvent[] = [];
  signaling.status$.subscribe((status) => statuses.push(status));
  signaling.events$.subscribe((event) => events.push(event));
  return { world, clock: world.clock, server, network, signaling, statuses, events };
}

function online(signaling: Signaling): Promise<SignalingStatus> {
  return firstValueFrom(signaling.status$.pipe(filter(({ state }) => state === 'online')));
}

function offline(signaling: Signaling): Promise<SignalingStatus> {
  return firstValueFrom(signaling.status$.pipe(filter(({ state }) => state === 'offline')));
}

describe('a connection to a simulated server', () => {
  it('is online after two round trips, and names the STUN servers by the host that was dialled', async () => {
    const { clock, signaling } = home();
    const status = await clock.runUntil(online(signaling));
    expect(clock.now()).toBe(160);
    expect(status).toEqual({ state: 'online', stun: ['meet:3478', 'meet:3479'], relays: true });
  });

  it('costs the packets of a TCP handshake, an upgrade and a hello', async () => {
    const { world, clock, signaling } = home();
    const lines = trace(
      world,
      ({ place, fate, packet }) => fate === 'sent' && ['alice', 'meet'].includes(place) && packet.protocol === 'tcp',
    );
    await clock.runUntil(online(signaling));
    const sizes = lines.map((line) => /^\S+ (\S+) .* (\d+) B$/.exec(line)!.slice(1).join(' '));
    expect(sizes).toMatchInlineSnapshot(`
      [
        "meet 0",
        "alice 0",
        "alice 148",
        "meet 0",
        "meet 129",
        "meet 182",
        "alice 0",
        "alice 0",
      ]
    `);
  });

  it('is made by an address literal too', async () => {
    const { world, clock, server } = home();
    const signaling = open(world, 'alice', `ws://${server.interfaces[0]!.addressOf(4)}:8790`);
    signaling.register({ ...testIdentity(), standing: [] });
    const event = await clock.runUntil(firstValueFrom(signaling.events$));
    expect(event).toEqual({ type: 'registered' });
  });

  it.each(['http://meet:8790', 'wss://meet:8790', 'meet:8790', ''])('is not tried at %j', (url) => {
    expect(() => open(home().world, 'alice', url)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });

  it.each<[string, string, RegExp]>([
    ['a name that nobody has', 'ws://nowhere:8790', /no simulated host/],
    ['a port where nothing listens', 'ws://meet:81', /:81 over TCP/],
    ['a port by default', 'ws://meet', /:80 over TCP/],
  ])('is tried again, less and less often: %s', async (_what, url, reason) => {
    const { world, clock } = home();
    const signaling = open(world, 'alice', url);
    const failures: SignalingStatus[] = [];
    signaling.status$.pipe(filter(({ state }) => state === 'offline')).subscribe((status) => failures.push(status));
    await clock.advance(9_000);
    for (const [i, ceiling] of [500, 1_000, 2_000, 4_000].entries()) {
      expect(failures[i]).toMatchObject({ code: 'ERR_SERVER_UNREACHABLE', reason: expect.stringMatching(reason) });
      const { retryIn } = failures[i] as { retryIn: number };
      expect(retryIn).toBeGreaterThanOrEqual(ceiling / 2);
      expect(retryIn).toBeLessThanOrEqual(ceiling);
    }
    signaling.close();
  });

  it('is given 10 s until the server says hello', async () => {
    const { world, clock } = home();
    fakeServer(world, () => {});
    const signaling = open(world, 'alice', 'ws://fake:80');
    const status = await clock.runUntil(offline(signaling));
    expect(clock.now()).toBe(10_000);
    expect(status).toMatchObject({ code: 'ERR_SERVER_UNREACHABLE', reason: 'no answer within 10 s' });
  });

  it('is given 10 s until the server accepts it at all', async () => {
    const { world, clock, server } = home();
    server.stop();
    const status = await clock.runUntil(offline(open(world, 'alice')));
    expect(clock.now()).toBe(10_000);
    expect(status).toMatchObject({ code: 'ERR_SERVER_UNREACHABLE', reason: 'no answer within 10 s' });
  });

  it('is given up when the server speaks another version', async () => {
    const { world, clock } = home();
    fakeServer(world, (server) => server.send(hello(2)));
    const status = await clock.runUntil(offline(open(world, 'alice', 'ws://fake:80')));
    expect(status).toMatchObject({ code: 'ERR_VERSION', retryIn: undefined });
  });

  it('is tried again when the server is full', async () => {
    const { world, clock } = home();
    fakeServer(world, (server) => server.close(1013, 'this server is full'));
    const status = await clock.runUntil(offline(open(world, 'alice', 'ws://fake:80')));
    expect(status).toMatchObject({ code: 'ERR_SERVER_REFUSED', reason: 'this server is full' });
    expect(status).toHaveProperty('retryIn', expect.any(Number));
  });

  it('ends when it carries what is no frame', async () => {
    const { world, clock } = home();
    fakeServer(world, (_server, stream) => void stream.write(Uint8Array.of(0, 0)));
    const status = await clock.runUntil(offline(open(world, 'alice', 'ws://fake:80')));
    expect(status).toMatchObject({ code: 'ERR_SERVER_UNREACHABLE', reason: 'cannot decode websocket/opcode' });
  });

  it('carries an early offer before the server has said anything', async () => {
    const { world, clock } = home();
    const offer = { session: filled(16, 1), to: filled(32, 2), ticketId: filled(16, 3), envelope: filled(10, 4) };
    const frame = new Promise<string>((resolve) => fakeServer(world, () => {}, resolve));
    open(world, 'alice', 'ws://fake:80').offer(offer);
    expect(decodeClientFrame(await clock.runUntil(frame))).toMatchObject({ type: 'offer', ...offer });
    expect(clock.now()).toBe(80 + 80 + 40);
  });

  it.each([0, 50, 100, 159, 161])('leaves nothing behind when it is closed after %d ms', async (ms) => {
    const { clock, server, signaling } = home();
    await clock.advance(ms);
    signaling.close();
    // TCP waits for late segments for a minute.
    await clock.advance(62_000);
    expect(clock.pending).toBe(0);
    expect(server.tcp.size).toBe(0);
  });
});

describe('a standing connection', () => {
  it('is kept by pings through an hour behind a NAT that forgets TCP after 30 s', async () => {
    const { clock, signaling, statuses } = home({ tcp: { established: 30_000 } });
    await clock.advance(3_600_000);
    expect(statuses.map(({ state }) => state)).toEqual(['connecting', 'online']);
    signaling.close();
  });

  it('comes back when the NAT has forgotten it between two pings', async () => {
    const { clock, statuses } = home({ tcp: { established: 15_000, transitory: 15_000 } });
    await clock.advance(120_000);
    const states = statuses.map(({ state }) => state);
    expect(states.slice(0, 5)).toEqual(['connecting', 'online', 'offline', 'connecting', 'online']);
    expect(statuses[2]).toMatchObject({ code: 'ERR_SERVER_UNREACHABLE' });
  });

  it('is found dead within 35 s when the server loses power, and comes back with it', async () => {
    const { world, clock, signaling, events } = home();
    signaling.register({ ...testIdentity(), standing: [] });
    await clock.advance(10_000);
    world.happen({ type: 'restart', host: 'meet', downFor: 60_000 });
    const status = await clock.runUntil(offline(signaling));
    expect(clock.now()).toBeLessThanOrEqual(10_000 + 35_000);
    expect(status).toMatchObject({ code: 'ERR_SERVER_UNREACHABLE', reason: 'the server has fallen silent' });
    await clock.advance(70_000);
    expect(await firstValueFrom(signaling.status$)).toMatchObject({ state: 'online' });
    expect(events).toEqual([{ type: 'registered' }, { type: 'registered' }]);
  });

  it('is found dead by the first word to a server that has restarted', async () => {
    const { world, clock, signaling } = home();
    await clock.runUntil(online(signaling));
    world.happen({ type: 'restart', host: 'meet' });
    const before = clock.now();
    signaling.leave(filled(16, 1));
    const status = await clock.runUntil(offline(signaling));
    expect(status).toMatchObject({ code: 'ERR_SERVER_UNREACHABLE', reason: expect.stringMatching(/abruptly/) });
    expect(clock.now() - before).toBe(80);
  });

  it('moves with its host to another network', async () => {
    const { world, clock, signaling, events } = home();
    signaling.register({ ...testIdentity(), standing: [] });
    const cafe = world.nat('cafe');
    await clock.advance(10_000);
    const lines = trace(world, ({ place, fate }) => fate === 'sent' && place === 'meet');
    world.happen({ type: 'roam', host: 'alice', from: 'home', to: 'cafe' });
    await clock.runUntil(offline(signaling));
    expect(clock.now()).toBeLessThanOrEqual(10_000 + 35_000);
    await clock.runUntil(online(signaling));
    await clock.advance(200);
    expect(events).toEqual([{ type: 'registered' }, { type: 'registered' }]);
    expect(lines.at(-1)).toContain(`> ${cafe.external[0]}:`);
  });

  it('drops the newest datagram while the server does not read, and holds no more than 64 KiB and a datagram', async () => {
    const { world, clock } = home();
    fakeServer(world, (server) => {
      server.send(hello(1));
      server.hold();
    });
    const signaling = open(world, 'alice', 'ws://fake:80');
    await clock.runUntil(online(signaling));
    const path = signaling.relay(filled(16, 1))!;
    let taken = 0;
    for (let i = 0; i < 100; i++) {
      while (path.send(filled(1_200, 1))) taken += 1_200 + 17 + 8;
      await clock.advance(1_000);
    }
    // TCP holds 1 MiB on either side.
    expect(taken).toBeGreaterThan(2 * MIB);
    expect(taken).toBeLessThan(2 * MIB + 64 * 1024 + 3 * 1_460);
  });
});

describe('the same seed', () => {
  const plan: Omit<InternetPlan, 'seed'> = {
    networks: [
      { name: 'home', nat: {}, uplink: { latency: 15, jitter: 10, loss: 0.05 } },
      { name: 'cafe', nat: { mapping: 'address-and-port-dependent' }, uplink: { latency: 30, loss: 0.1 } },
    ],
    hosts: [
      { name: 'meet', interfaces: [{ network: 'internet' }], services: [{ type: 'stun' }, { type: 'rendezvous' }] },
      { name: 'alice', interfaces: [{ network: 'home' }] },
      { name: 'bob', interfaces: [{ network: 'cafe' }] },
    ],
    events: [
      { at: 2_000, type: 'restart', host: 'meet', downFor: 500 },
      { at: 60_000, type: 'rebind', network: 'home' },
    ],
  };

  /** Everything that becomes of packets while a session is opened, and opened again after a restart of the server. */
  async function run(seed: number): Promise<string> {
    const world = internet({ seed, ...plan });
    const lines = trace(world);
    const [alice, bob] = [open(world, 'alice'), open(world, 'bob')];
    const key = filled(32, 9);
    alice.register({ key, sign: () => filled(64, 1), since: 0, standing: [] });
    for (const at of [1_000, 70_000]) {
      await world.clock.run(at);
      bob.offer({ session: filled(16, 1), to: key, ticketId: filled(16, 2), envelope: filled(1_000, 3) });
      alice.lookup({ session: filled(16, 5), key });
    }
    await world.clock.run(120_000);
    return createHash('sha256').update(lines.join('\n')).digest('hex');
  }

  it('gives the same packets', async () => {
    const traces = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const first = await run(seed);
      expect(await run(seed)).toBe(first);
      traces.add(first);
    }
    expect(traces.size).toBe(20);
  });

  it('gives these packets on every machine', async () => {
    expect(await run(1)).toMatchInlineSnapshot(`"2f1224f3e87401a2e1192dcee9c139099dd4afa658743e46fc54786a7bfe68c9"`);
  });
});

it('speaks as WebSockets do: a real server understands it', async () => {
  const server = await startServer({ port: 0, stun: false });
  const signaling = simSignaling({
    network: nodeNetwork(),
    url: server.url,
    clock: systemClock(),
    random: cryptoRandom(),
  });
  try {
    const registered = firstValueFrom(signaling.events$);
    signaling.register({ ...testIdentity(), standing: [{ ticketId: filled(16, 1), envelope: filled(8_000, 2) }] });
    expect(await registered).toEqual({ type: 'registered' });
  } finally {
    signaling.close();
    await server.close();
  }
});

/** A server at `ws://fake:80` that does only what the test makes it do. */
function fakeServer(
  world: Internet,
  onClient: (connection: WebSocketConnection, stream: TcpSocket) => void,
  onFrame: (frame: string) => void = () => {},
): void {
  world.host('fake').tcp.listen({ port: 80 }, async (stream) => {
    const { rest } = await acceptUpgrade(stream);
    const onMessage = (frame: string | Uint8Array): void => onFrame(frame as string);
    const options = { stream, role: 'server', clock: world.clock, rest } as const;
    onClient(new WebSocketConnection(options, { onMessage, onControl: () => {}, onEnd: () => {} }), stream);
  });
}

function hello(v: number): string {
  const limits = { standing: 16, datagram: 1_500 };
  return encodeFrame({ type: 'hello', v, name: 'fake', challenge: filled(32, 1), stun: [], relay: true, limits });
}

const MIB = 2 ** 20;
