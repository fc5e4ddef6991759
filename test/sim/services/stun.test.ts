import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { simNetwork } from '../../../src/adapters/sim/index.ts';
import type { Binding } from '../../../src/core/binding.ts';
import { type Endpoint, endpoint } from '../../../src/core/endpoint.ts';
import type { NatBehavior } from '../../../src/core/nat-behavior.ts';
import { type Internet, internet, type NatSpec, type StunServiceSpec } from '../../../src/sim/index.ts';
import { DEPENDENCES } from '../../../src/sim/nat/nat-spec.ts';
import { type BehaviorProbeOptions, probeBehavior } from '../../../src/streams/behavior-probe.ts';
import { createPacketRouter } from '../../../src/streams/packet-router.ts';
import { stunOverTcp } from '../../../src/streams/stun-over-tcp.ts';
import { stunTransaction } from '../../../src/streams/stun-transaction.ts';
import { addressOf, trace } from '../datagrams.ts';

const ADDRESSES = ['198.51.100.1', '198.51.100.2'];
const [PRIMARY, ALTERNATE] = ADDRESSES.map((address) => endpoint(address, 3478)) as [Endpoint, Endpoint];

/** A server with STUN, and Alice behind a NAT, 80 ms apart. */
function home(nat: NatSpec = {}, stun: Partial<StunServiceSpec> = {}): Internet {
  const world = internet({ seed: 1 });
  world.host('server', { addresses: ADDRESSES, services: [{ type: 'stun', ...stun }] });
  world.nat('home', nat).host('alice');
  return world;
}

async function routerOf(world: Internet, family: 4 | 6 = 4) {
  const host = world.hostNamed('alice');
  const socket = await simNetwork(host).udp({ family, port: 5_000 });
  const router = createPacketRouter(socket);
  return {
    router,
    clock: world.clock,
    random: world.random.stream('alice'),
    locals: [endpoint(addressOf(host, family), 5_000)],
  };
}

async function ask(world: Internet, server: Endpoint): Promise<Binding> {
  const { router, clock, random } = await routerOf(world, server.family);
  const answer = lastValueFrom(stunTransaction({ router, server, clock, random }));
  return world.clock.runUntil(answer).finally(() => router.close());
}

async function discover(world: Internet, options: Partial<BehaviorProbeOptions>): Promise<NatBehavior> {
  const probe = probeBehavior({ ...(await routerOf(world)), servers: [PRIMARY], ...options });
  const events = await world.clock.runUntil(lastValueFrom(probe.pipe(toArray())));
  return events.flatMap((event) => (event.type === 'behavior' ? [event.behavior] : []))[0]!;
}

describe('a STUN service', () => {
  it('tells a client the endpoint that its NAT has given it', async () => {
    const world = home();
    const { mapped, rtt, other } = await ask(world, PRIMARY);
    const [mapping] = world.networkNamed('home').translator!.mappings(world.clock.now());
    expect(mapped).toEqual(mapping?.external);
    expect(rtt).toBe(80);
    expect(other).toBeUndefined();
  });

  it.each([
    { stun: {}, ports: [3478, 3479] },
    { stun: { port: 5_349 }, ports: [5_349, 5_350] },
  ])('has two ports, $ports', async ({ stun, ports }) => {
    const world = home({}, stun);
    for (const port of ports) expect(await ask(world, endpoint(ADDRESSES[0]!, port))).toMatchObject({ rtt: 80 });
  });

  it('answers over IPv6', async () => {
    const world = internet({ seed: 1 });
    const server = world.host('server', { services: [{ type: 'stun' }] });
    world.host('alice', { addresses: ['2001:db8::a'] });
    const { mapped } = await ask(world, endpoint(addressOf(server, 6), 3478));
    expect(mapped).toEqual(endpoint('2001:db8::a', 5_000));
  });

  it('is there again after a restart of its host', async () => {
    const world = home();
    const server = world.hostNamed('server');
    world.happen({ type: 'restart', host: 'server', downFor: 1_000 });
    expect(server.udp.size).toBe(0);
    await expect(ask(world, PRIMARY)).resolves.toMatchObject({ server: PRIMARY });
    expect(world.clock.now()).toBe(1_500 + 80);
  });

  it('limits what it answers to one neighbourhood, as in reality', async () => {
    const world = home();
    const [alice, lines] = [
      world.hostNamed('alice'),
      trace(world, ({ fate, place }) => fate === 'sent' && place === 'server'),
    ];
    const request = Buffer.from(`000100002112a442${'00'.repeat(12)}`, 'hex');
    const socket = alice.udp.bind({ family: 4 });
    for (let i = 0; i < 1_000; i++) socket.send(request, PRIMARY);
    await world.clock.advance(200);
    expect(lines).toHaveLength(200);
  });
});

describe('a STUN service, over TCP,', () => {
  async function askOverTcp(world: Internet, port: number): Promise<Binding> {
    const network = simNetwork(world.hostNamed('alice'));
    const asked = (async () => {
      const socket = await network.connect({ host: 'server', port, localPort: 5_000 });
      const random = world.random.stream(`alice ${port}`);
      return stunOverTcp({ socket, clock: world.clock, random, signal: new AbortController().signal });
    })();
    return world.clock.runUntil(asked);
  }

  it.each([
    { mapping: 'endpoint-independent', ports: 1 },
    { mapping: 'address-and-port-dependent', ports: 2 },
  ] as const)('tells how a NAT with $mapping mapping maps a TCP port', async ({ mapping, ports }) => {
    const world = home({ mapping });
    const bindings = [await askOverTcp(world, 3478), await askOverTcp(world, 3479)];
    expect(new Set(bindings.map((binding) => binding.mapped.port)).size).toBe(ports);
    expect(bindings.map(({ rtt }) => rtt)).toEqual([80, 80]);
  });

  it('ends a connection on which something else comes', async () => {
    const world = home();
    const network = simNetwork(world.hostNamed('alice'));
    const socket = await world.clock.runUntil(network.connect({ host: 'server', port: 3478 }));
    await socket.write(Buffer.from('GET / HTTP/1.1\r\nHost: server\r\n\r\n'));
    expect(await world.clock.runUntil(socket.read())).toBeNull();
  });

  it('is there again after a restart of its host', async () => {
    const world = home();
    world.happen({ type: 'restart', host: 'server', downFor: 1_000 });
    await world.clock.advance(1_000);
    await expect(askOverTcp(world, 3478)).resolves.toMatchObject({ rtt: 80 });
  });
});

describe('behaviour discovery (RFC 5780) with a STUN service that has two addresses', () => {
  const nats = DEPENDENCES.flatMap((mapping) => DEPENDENCES.map((filtering) => ({ mapping, filtering })));

  it.each(nats)('recognises a NAT with $mapping mapping and $filtering filtering', async (nat) => {
    for (const portAllocation of ['random', 'preserve'] as const) {
      const behavior = await discover(home({ ...nat, portAllocation }, { alternate: true }), { filtering: true });
      const kept = portAllocation === 'preserve' && nat.mapping === 'endpoint-independent';
      expect(behavior).toMatchObject({ ...nat, translated: true, portPreservation: kept });
    }
  });

  it('recognises that there is no NAT', async () => {
    const world = internet({ seed: 1 });
    world.host('server', { addresses: ADDRESSES, services: [{ type: 'stun', alternate: true }] });
    world.host('alice');
    expect(await discover(world, { filtering: true })).toMatchObject({
      translated: false,
      mapping: 'endpoint-independent',
      filtering: 'endpoint-independent',
    });
  });

  it.each(nats)('takes $mapping mapping and $filtering filtering for no other with one address', async (nat) => {
    const servers = [PRIMARY, endpoint(PRIMARY.address, 3479)];
    const { mapping, filtering } = await discover(home(nat), { servers });
    expect(filtering).toBe('unknown');
    // Two ports tell whether mapping depends on the port; nothing tells it from one that depends on the address.
    expect(mapping).toBe(nat.mapping === 'address-and-port-dependent' ? nat.mapping : 'unknown');
  });

  it('offers the address that the plan names', async () => {
    const world = internet({ seed: 1 });
    const addresses = [...ADDRESSES, '198.51.100.3'];
    world.host('server', { addresses, services: [{ type: 'stun', alternate: '198.51.100.3' }] });
    world.host('alice');
    expect((await ask(world, PRIMARY)).other).toEqual(endpoint('198.51.100.3', 3479));
    await expect(ask(world, ALTERNATE)).rejects.toMatchObject({ code: 'ERR_STUN_TIMEOUT' });
  });

  it('offers it in each family that has two addresses', async () => {
    const world = internet({ seed: 1 });
    const addresses = [...ADDRESSES, '2001:db8::1:1', '2001:db8::1:2'];
    world.host('server', { addresses, services: [{ type: 'stun', alternate: true }] });
    world.host('alice');
    expect((await ask(world, PRIMARY)).other).toEqual(endpoint('198.51.100.2', 3479));
    expect((await ask(world, endpoint('2001:db8::1:1', 3478))).other).toEqual(endpoint('2001:db8::1:2', 3479));
  });
});
