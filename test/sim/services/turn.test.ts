import { describe, expect, it } from 'vitest';
import { simNetwork } from '../../../src/adapters/sim/index.ts';
import { type Endpoint, endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import { BINDING, decodeMessage, encodeMessage } from '../../../src/protocol/stun/index.ts';
import type { Host } from '../../../src/sim/host.ts';
import { formatPacketRecord, type InternetPlan, internet, type TurnServiceSpec } from '../../../src/sim/index.ts';
import { type GuestWorld, tcpGuest, udpGuest } from '../../protocol/turn/guest.ts';
import { addressOf } from '../datagrams.ts';

const CREDENTIALS = { username: 'alice', password: 'wonderland' };
/** Sockets that clients send to: one an address of the server, which has one of each family. */
const DOORS = 2;
const USERS = { [CREDENTIALS.username]: CREDENTIALS.password };

/** A program on a simulated host. */
function on(host: Host): GuestWorld {
  return { network: simNetwork(host), clock: host.clock, random: host.random.stream(`guest of ${host.name}`) };
}

function turnAt(host: Host, port = 3478): Endpoint {
  return endpoint(addressOf(host), port);
}

/** Two hosts behind NATs that let nobody through to each other, and a TURN server on the internet. */
function plan(service: Partial<TurnServiceSpec> = {}, more: Partial<InternetPlan> = {}): InternetPlan {
  const nat = { mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent' } as const;
  return {
    seed: 5,
    networks: [
      { name: 'home', nat: { ...nat, portAllocation: 'random' } },
      { name: 'office', nat: { ...nat, portAllocation: 'random' } },
    ],
    hosts: [
      { name: 'relay', interfaces: [{ network: 'internet' }], services: [{ type: 'turn', users: USERS, ...service }] },
      { name: 'alice', interfaces: [{ network: 'home' }] },
      { name: 'bob', interfaces: [{ network: 'office' }] },
    ],
    ...more,
  };
}

/** A world in which alice and bob have an allocation each and let each other in, over UDP. */
async function pair(more: Partial<InternetPlan> = {}, seed = 5) {
  const world = internet({ ...plan({}, more), seed });
  const lines: string[] = [];
  world.watch((record) => lines.push(formatPacketRecord(record)));
  const server = world.hostNamed('relay');
  const alice = await udpGuest(on(world.hostNamed('alice')), turnAt(server), CREDENTIALS);
  const bob = await udpGuest(on(world.hostNamed('bob')), turnAt(server), CREDENTIALS);
  alice.do({ type: 'allocate' });
  bob.do({ type: 'allocate' });
  await world.clock.advance(500);
  return { world, lines, server, alice, bob };
}

describe('a TURN service on a simulated host', () => {
  it('joins two hosts behind NATs with address-and-port-dependent mapping and filtering', async () => {
    const { world, alice, bob } = await pair();
    expect([alice.story, bob.story]).toEqual(['allocated', 'allocated']);
    alice.do({ type: 'bind', peer: bob.relayed });
    bob.do({ type: 'permit', peer: alice.relayed });
    await world.clock.advance(500);
    const start = world.clock.now();
    alice.say('hello bob', bob.relayed);
    await world.clock.advance(500);
    bob.say('hello alice', alice.relayed);
    await world.clock.advance(500);
    // 20 ms for each of four links: home, the server's, and the same back to the office.
    expect(bob.heard).toEqual([`${start + 80} ${formatEndpoint(alice.relayed)}: hello bob`]);
    expect(alice.heard).toEqual([`${start + 580} ${formatEndpoint(bob.relayed)}: hello alice`]);
  });

  it('lets nobody in without permission', async () => {
    const { world, alice, bob } = await pair();
    bob.do({ type: 'permit', peer: alice.relayed });
    await world.clock.advance(500);
    bob.say('are you there?', alice.relayed);
    const stranger = world.host('stranger').udp.bind({ family: 4 });
    stranger.send(Buffer.from('let me in'), alice.relayed);
    await world.clock.advance(500);
    expect(alice.heard).toEqual([]);
  });

  it('keeps an idle allocation and its way through the NAT for hours', async () => {
    const { world, alice, bob } = await pair();
    alice.do({ type: 'bind', peer: bob.relayed });
    bob.do({ type: 'bind', peer: alice.relayed });
    await world.clock.advance(3 * 3_600_000);
    alice.say('still there?', bob.relayed);
    await world.clock.advance(500);
    expect(bob.heard).toHaveLength(1);
    expect([alice.story, bob.story]).toEqual(Array(2).fill('allocated permitted'));
  });

  it('over TCP, where a home lets no UDP out', async () => {
    const [home, office] = plan().networks!;
    const firewall = { outbound: [{ protocol: 'tcp', ports: [443] }] } as const;
    const world = internet(plan({ port: 443 }, { networks: [{ ...home!, firewall }, office!] }));
    const server = world.hostNamed('relay');
    const silent = await udpGuest(on(world.hostNamed('alice')), turnAt(server, 443), CREDENTIALS);
    silent.do({ type: 'allocate' });
    await world.clock.advance(39_500);
    expect(silent.events).toEqual([{ type: 'failed', failure: { kind: 'unanswered' } }]);
    const alice = await world.clock.runUntil(tcpGuest(on(world.hostNamed('alice')), turnAt(server, 443), CREDENTIALS));
    const bob = await udpGuest(on(world.hostNamed('bob')), turnAt(server, 443), CREDENTIALS);
    alice.do({ type: 'allocate' });
    bob.do({ type: 'allocate' });
    await world.clock.advance(500);
    alice.do({ type: 'bind', peer: bob.relayed });
    bob.do({ type: 'bind', peer: alice.relayed });
    await world.clock.advance(500);
    alice.say('odd', bob.relayed);
    alice.say('lengths', bob.relayed);
    bob.say('as well', alice.relayed);
    await world.clock.advance(500);
    expect(bob.texts).toEqual(['odd', 'lengths']);
    expect(alice.texts).toEqual(['as well']);
    // The end of the connection is the end of the allocation.
    alice.do({ type: 'close' });
    await world.clock.advance(500);
    expect(alice.story).toBe('allocated permitted ended');
    bob.say('anybody?', alice.relayed);
    await world.clock.advance(500);
    expect(server.udp.size).toBe(DOORS + 1);
  });

  it('ends the connection of whoever speaks something else', async () => {
    const world = internet(plan());
    const socket = await world.clock.runUntil(
      world.hostNamed('alice').tcp.connect({ remote: turnAt(world.hostNamed('relay')) }),
    );
    // The beginning of a TLS ClientHello.
    await socket.write(Buffer.from('1603010200010001fc0303', 'hex'));
    await world.clock.runUntil(socket.read().then((chunk) => expect(chunk).toBeNull()));
  });

  it('answers STUN Binding requests, and relays from the ports that it is told to', async () => {
    const world = internet(plan({ port: 443, realm: 'turn.example', relayPorts: { first: 6000, last: 6000 } }));
    const server = turnAt(world.hostNamed('relay'), 443);
    const socket = world.hostNamed('alice').udp.bind({ family: 4 });
    const types: string[] = [];
    socket.onDatagram = (data) => types.push(decodeMessage(data).class);
    const transactionId = new Uint8Array(12);
    socket.send(encodeMessage({ class: 'request', method: BINDING, transactionId, attributes: [] }), server);
    const first = await udpGuest(on(world.hostNamed('alice')), server, CREDENTIALS);
    const second = await udpGuest(on(world.hostNamed('bob')), server, CREDENTIALS);
    first.do({ type: 'allocate' });
    await world.clock.advance(500);
    second.do({ type: 'allocate' });
    await world.clock.advance(500);
    expect(types).toEqual(['success']);
    expect(first.relayed).toEqual(endpoint(server.address, 6000));
    expect(second.events).toMatchObject([{ type: 'failed', failure: { code: 508 } }]);
  });

  it('relays over IPv6, for those who ask for it', async () => {
    const world = internet({ seed: 1 });
    const server = world.host('relay', {
      addresses: ['198.51.100.9', '2001:db8:9::9'],
      services: [{ type: 'turn', users: USERS }],
    });
    const fourOnly = on(world.host('alice', { addresses: ['198.51.100.8'] }));
    const alice = await udpGuest(fourOnly, turnAt(server), { ...CREDENTIALS, family: 6 });
    const peer = world.host('peer', { addresses: ['2001:db8:9::7'] }).udp.bind({ family: 6, port: 5000 });
    const heard: string[] = [];
    peer.onDatagram = (data, from) => {
      heard.push(Buffer.from(data).toString());
      peer.send(data, from);
    };
    alice.do({ type: 'allocate' }, { type: 'bind', peer: endpoint('2001:db8:9::7', 5000) });
    await world.clock.advance(500);
    expect(alice.relayed.address).toBe('2001:db8:9::9');
    alice.say('from four to six', endpoint('2001:db8:9::7', 5000));
    await world.clock.advance(500);
    expect(heard).toEqual(['from four to six']);
    expect(alice.texts).toEqual(['from four to six']);
  });

  it('forgets everything in a restart, and clients learn it with their next request', async () => {
    const { world, server, alice, bob } = await pair();
    alice.do({ type: 'bind', peer: bob.relayed });
    await world.clock.advance(500);
    world.happen({ type: 'restart', host: 'relay', downFor: 5_000 });
    alice.say('into the void', bob.relayed);
    await world.clock.advance(6_000);
    expect(server.udp.size).toBe(DOORS);
    await world.clock.advance(450_000);
    expect(alice.last).toMatchObject({ type: 'failed', failure: { kind: 'refused', code: 437 } });
    expect(bob.last).toMatchObject({ type: 'failed', failure: { kind: 'refused', code: 437 } });
    const again = await udpGuest(on(world.hostNamed('alice')), turnAt(server), CREDENTIALS);
    again.do({ type: 'allocate' });
    await world.clock.advance(500);
    expect(again.story).toBe('allocated');
  });

  it('leaves no timer and no socket behind', async () => {
    const { world, server, alice, bob } = await pair();
    expect(server.udp.size).toBe(DOORS + 2);
    alice.do({ type: 'close' });
    await world.clock.advance(500);
    expect(alice.story).toBe('allocated ended');
    expect(server.udp.size).toBe(DOORS + 1);
    bob.do({ type: 'disconnected' });
    await world.clock.advance(600_000);
    expect(server.udp.size).toBe(DOORS);
    await world.clock.run();
    expect(world.clock.pending).toBe(0);
    const { server: other, world: another } = await pair();
    another.happen({ type: 'restart', host: 'relay', downFor: 1_000_000 });
    await another.clock.advance(900_000);
    expect(other.udp.size).toBe(0);
    expect(another.clock.pending).toBe(1);
  });

  it('runs the same way twice, and another way with another seed', async () => {
    const run = async (seed: number): Promise<string[]> => {
      const uplink = { latency: 20, loss: 0.1, jitter: 5 };
      const { world, lines, alice, bob } = await pair(
        { networks: plan().networks!.map((network) => ({ ...network, uplink })) },
        seed,
      );
      await world.clock.advance(5_000);
      alice.do({ type: 'bind', peer: bob.relayed });
      bob.do({ type: 'permit', peer: alice.relayed });
      await world.clock.advance(5_000);
      for (let i = 0; i < 20; i++) alice.say(`${i}`, bob.relayed);
      await world.clock.advance(1_000_000);
      return [...lines, ...alice.heard, ...bob.heard];
    };
    const [first, second, other] = [await run(11), await run(11), await run(12)];
    expect(second).toEqual(first);
    expect(other).not.toEqual(first);
    expect(first.length).toBeGreaterThan(500);
  });
});

describe('the plan of a TURN service', () => {
  it.each([
    [{ users: {} }, 'users: must name at least one user'],
    [{ users: { alice: 1 } }, 'users.alice'],
    [{ port: 0 }, 'port'],
    [{ realm: 'x'.repeat(128) }, 'realm: must have at most 127 characters'],
    [{ relayPorts: { first: 10, last: 9 } }, 'relayPorts.last'],
    [{ relayPorts: { first: 10 } }, 'relayPorts.last: is missing'],
    [{ password: 'x' }, 'password: there is no such field'],
  ])('%j is refused', (service, path) => {
    expect(() => internet(plan(service as Partial<TurnServiceSpec>))).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(`hosts[0].services[0].${path}`) }),
    );
  });

  it('two services on one port are refused', () => {
    const services = [{ type: 'stun' } as const, { type: 'turn', users: USERS } as const];
    expect(() =>
      internet({ seed: 1, hosts: [{ name: 'a', interfaces: [{ network: 'internet' }], services }] }),
    ).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });

  it('is given back as it was', () => {
    const world = internet(plan({ realm: 'example.org' }));
    expect(world.plan.hosts?.[0]?.services).toEqual([{ type: 'turn', users: USERS, realm: 'example.org' }]);
    expect(() => internet(JSON.parse(JSON.stringify(world.plan)))).not.toThrow();
  });
});
