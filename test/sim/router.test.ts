import { describe, expect, it } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import { Host } from '../../src/sim/host.ts';
import { internet } from '../../src/sim/index.ts';
import { interfaceAddress } from '../../src/sim/interface.ts';
import { Lan } from '../../src/sim/lan.ts';
import { Link } from '../../src/sim/link.ts';
import type { Middlebox, Ruling } from '../../src/sim/middlebox.ts';
import { icmpPacket, type Packet, udpPacket } from '../../src/sim/packet.ts';
import { formatPacketRecord } from '../../src/sim/packet-log.ts';
import { Router } from '../../src/sim/router.ts';
import { type Simulation, simulation } from '../../src/sim/simulation.ts';
import { addressOf, bytes, hearing, trace } from './datagrams.ts';

describe('a router', () => {
  it('reports to the sender what it cannot forward', async () => {
    const world = internet({ seed: 1 });
    const alice = world.host('alice', { link: { latency: 5 } });
    const errors = trace(world, ({ packet, fate }) => packet.protocol === 'icmp' && fate === 'delivered');
    const source = endpoint(addressOf(alice), 1);
    world.host('bob', { addresses: ['203.0.113.9'], link: { mtu: 600 } });
    alice.send(udpPacket(source, endpoint('192.0.2.99', 2), bytes('x')));
    alice.send(udpPacket(source, endpoint('203.0.113.9', 3), bytes('x'), 1));
    alice.send(udpPacket(source, endpoint('203.0.113.9', 4), new Uint8Array(573)));
    await world.clock.run();
    expect(errors).toEqual([
      '10.000 alice delivered icmp 192.0.2.1 > 203.0.113.1 net-unreachable (udp 203.0.113.1:1 > 192.0.2.99:2)',
      '10.000 alice delivered icmp 192.0.2.1 > 203.0.113.1 time-exceeded (udp 203.0.113.1:1 > 203.0.113.9:3)',
      '10.000 alice delivered icmp 192.0.2.1 > 203.0.113.1 packet-too-big (udp 203.0.113.1:1 > 203.0.113.9:4)',
    ]);
  });

  it('does not report about reports', async () => {
    const world = internet({ seed: 1 });
    const alice = world.host('alice');
    const lost = udpPacket(endpoint('192.0.2.99', 1), endpoint('192.0.2.98', 1), bytes('x'));
    const lines = trace(world, ({ fate }) => fate !== 'sent');
    alice.send({ ...icmpPacket(addressOf(alice), lost, 'time-exceeded') });
    await world.clock.run();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('internet dropped');
  });

  it('lets a packet live for as many hops as it says', async () => {
    const world = internet({ seed: 1 });
    const [alice, bob] = [world.nat('home').host('alice'), world.host('bob')];
    const { heard } = hearing(bob, 7);
    for (const [ttl, text] of [
      [1, 'own router'],
      [2, 'core'],
      [3, 'bob'],
    ] as const) {
      alice.send(udpPacket(endpoint(addressOf(alice), 1), endpoint(addressOf(bob), 7), bytes(text), ttl));
    }
    await world.clock.run();
    expect(heard).toEqual(['bob']);
  });
});

/** Rules as it is told, and remembers what it saw. */
class Recording implements Middlebox {
  wakeAt: number | undefined;
  readonly #name: string;
  readonly #rule: (packet: Packet, direction: string) => Ruling;
  readonly #seen: string[];

  constructor(name: string, seen: string[], rule: (packet: Packet, direction: string) => Ruling) {
    this.#name = name;
    this.#seen = seen;
    this.#rule = rule;
  }

  outbound(packet: Packet): Ruling {
    return this.#note(packet, 'outbound');
  }

  inbound(packet: Packet): Ruling {
    return this.#note(packet, 'inbound');
  }

  readdress(addresses: readonly string[]): void {
    this.#seen.push(`${this.#name} has ${addresses.join(' ')}`);
  }

  reboot(now: number): void {
    this.#seen.push(`${this.#name} reboots at ${now}`);
  }

  rebind(now: number): void {
    this.#seen.push(`${this.#name} rebinds at ${now}`);
  }

  poll(now: number): readonly Packet[] {
    this.wakeAt = undefined;
    this.#seen.push(`${this.#name} polled at ${now}`);
    return [udpPacket(endpoint('192.0.2.1', 9), endpoint('192.0.2.2', 9), bytes('polled'))];
  }

  #note(packet: Packet, direction: string): Ruling {
    this.#seen.push(`${this.#name} ${direction} to ${packet.destination.address}`);
    return this.#rule(packet, direction);
  }
}

/** inner host 10.0.0.2 - router 10.0.0.1, 192.0.2.1 - outer host 192.0.2.2. */
function chain(world: Simulation, boxes: readonly Middlebox[]): { inner: Host; router: Router; outer: Host } {
  const router = new Router(world, 'router', boxes);
  const [inner, outer] = [new Host(world, 'inner'), new Host(world, 'outer')];
  const [inside, outside] = [
    new Lan(world, 'inside', { isolated: false }),
    new Lan(world, 'outside', { isolated: false }),
  ];
  const join = (lan: Lan, host: Host, address: string, gateway: string): void => {
    const at = host.addInterface('eth0');
    host.configure(at, [interfaceAddress(address, 24)], [gateway]);
    lan.attach(at, new Link(world, host.name, {}));
  };
  join(inside, inner, '10.0.0.2', '10.0.0.1');
  join(outside, outer, '192.0.2.2', '192.0.2.1');
  const [lan, wan] = [router.addInterface('lan'), router.addOutside('wan')];
  inside.attach(lan);
  outside.attach(wan, new Link(world, 'wan', {}));
  router.configure(lan, [interfaceAddress('10.0.0.1', 24)]);
  router.configure(wan, [interfaceAddress('192.0.2.1', 24)]);
  router.readdress();
  return { inner, router, outer };
}

const forward = (packet: Packet): Ruling => ({ action: 'forward', packet });

describe('the middleboxes of a router', () => {
  it('see packets in the order in which they stand, and none of the router’s own', async () => {
    const [world, seen] = [simulation(1), [] as string[]];
    const boxes = ['first', 'second'].map((name) => new Recording(name, seen, forward));
    const { inner, outer, router } = chain(world, boxes);
    expect(seen).toEqual(['first has 192.0.2.1', 'second has 192.0.2.1']);
    seen.length = 0;
    const [a, b, c] = [hearing(inner, 1), hearing(outer, 2), hearing(router, 3)];
    a.socket.send(bytes('out'), endpoint('192.0.2.2', 2));
    await world.clock.run();
    b.socket.send(bytes('in'), endpoint('10.0.0.2', 1));
    await world.clock.run();
    c.socket.send(bytes('own'), endpoint('192.0.2.2', 2));
    a.socket.send(bytes('to the router'), endpoint('10.0.0.1', 3));
    await world.clock.run();
    expect(seen).toEqual([
      'first outbound to 192.0.2.2',
      'second outbound to 192.0.2.2',
      'second inbound to 10.0.0.2',
      'first inbound to 10.0.0.2',
    ]);
    expect([a.heard, b.heard, c.heard]).toEqual([['in'], ['out', 'own'], ['to the router']]);
  });

  it('turn back what is for an outside address, when they translate it so', async () => {
    const [world, seen] = [simulation(1), [] as string[]];
    const box = new Recording('nat', seen, (packet) =>
      forward({ ...packet, source: endpoint('192.0.2.1', 77), destination: endpoint('10.0.0.2', 1) } as Packet),
    );
    const { inner } = chain(world, [box]);
    const { socket, heard } = hearing(inner, 1);
    socket.send(bytes('to myself'), endpoint('192.0.2.1', 5));
    await world.clock.run();
    expect(seen.slice(1)).toEqual(['nat outbound to 192.0.2.1']);
    expect(heard).toEqual(['to myself']);
  });

  it('drop, with their reason', async () => {
    const world = simulation(1);
    const { inner } = chain(world, [new Recording('wall', [], () => ({ action: 'drop', reason: 'not today' }))]);
    const reasons: unknown[] = [];
    world.log.watch(({ reason }) => reason && reasons.push(reason));
    hearing(inner, 1).socket.send(bytes('x'), endpoint('192.0.2.2', 2));
    await world.clock.run();
    expect(reasons).toEqual(['not today']);
  });

  it('reply in the name of others', async () => {
    const world = simulation(1);
    const answer = udpPacket(endpoint('192.0.2.2', 2), endpoint('10.0.0.2', 1), bytes('go away'));
    const box = new Recording('wall', [], () => ({ action: 'reply', packet: answer, reason: 'refused' }));
    const { inner } = chain(world, [box]);
    const { socket, heard } = hearing(inner, 1);
    socket.send(bytes('x'), endpoint('192.0.2.2', 2));
    await world.clock.run();
    expect(heard).toEqual(['go away']);
  });

  it('leave to the router what is for itself, which says nothing where it has no socket', async () => {
    const world = simulation(1);
    const { outer, router } = chain(world, [new Recording('nat', [], () => ({ action: 'local' }))]);
    const { heard } = hearing(router, 5);
    const lines: string[] = [];
    world.log.watch((record) => lines.push(formatPacketRecord(record)));
    const { socket } = hearing(outer, 2);
    socket.send(bytes('knock'), endpoint('192.0.2.1', 5));
    socket.send(bytes('knock'), endpoint('192.0.2.1', 6));
    await world.clock.run();
    expect(heard).toEqual(['knock']);
    expect(lines.at(-1)).toContain('no socket');
  });

  it('are polled when they want to be', async () => {
    const [world, seen] = [simulation(1), [] as string[]];
    const box = new Recording('nat', seen, (packet) => {
      box.wakeAt = 6_000;
      return { action: 'forward', packet };
    });
    const { inner, outer } = chain(world, [box]);
    const { heard } = hearing(outer, 9);
    hearing(inner, 1).socket.send(bytes('x'), endpoint('192.0.2.2', 2));
    await world.clock.run();
    expect(seen.at(-1)).toBe('nat polled at 6000');
    expect(heard).toEqual(['polled']);
  });

  it('hear of a reboot and a rebind', async () => {
    const [world, seen] = [simulation(1), [] as string[]];
    const { router } = chain(world, [new Recording('nat', seen, forward)]);
    await world.clock.advance(10);
    router.rebind();
    router.stop();
    await world.clock.advance(10);
    router.start();
    router.start();
    expect(seen.slice(1)).toEqual(['nat rebinds at 10', 'nat reboots at 20']);
  });
});
