import { describe, expect, test } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import { createFirewall, type FirewallSpec } from '../../src/sim/firewall.ts';
import { readFirewallSpec } from '../../src/sim/firewall-spec.ts';
import type { Ruling } from '../../src/sim/middlebox.ts';
import { icmpPacket, tcpPacket, udpPacket } from '../../src/sim/packet.ts';

const NOTHING = new Uint8Array(0);
const host = endpoint('2001:db8:1::2', 5000);
const remote = (subnet: number, port: number) => endpoint(`2001:db8:${subnet}::9`, port);

function verdict(ruling: Ruling): string {
  return ruling.action === 'drop' || ruling.action === 'reply' ? ruling.reason : ruling.action;
}

function bench(spec: FirewallSpec = {}) {
  const firewall = createFirewall(spec);
  const world = {
    firewall,
    now: 0,
    out: (to = remote(2, 80), from = host) => verdict(firewall.outbound(udpPacket(from, to, NOTHING), world.now)),
    in: (from = remote(2, 80), to = host) => verdict(firewall.inbound(udpPacket(from, to, NOTHING), world.now)),
    tcpOut: (flags: object, to = remote(2, 80)) => verdict(firewall.outbound(tcpPacket(host, to, flags), world.now)),
    tcpIn: (flags: object, from = remote(2, 80)) => verdict(firewall.inbound(tcpPacket(from, host, flags), world.now)),
  };
  return world;
}

describe('a stateful firewall (RFC 6092)', () => {
  test('lets out, and answers in, with all addresses as they are', () => {
    const { firewall, in: receive } = bench();
    expect(receive()).toBe('firewall');
    const packet = udpPacket(host, remote(2, 80), NOTHING);
    expect(firewall.outbound(packet, 0)).toEqual({ action: 'forward', packet });
    expect(receive()).toBe('forward');
  });

  test.each([
    ['endpoint-independent', ['forward', 'forward', 'forward']],
    ['address-dependent', ['forward', 'forward', 'firewall']],
    ['address-and-port-dependent', ['forward', 'firewall', 'firewall']],
  ] as const)('%s filtering', (filtering, expected) => {
    const { out, in: receive } = bench({ filtering });
    out();
    expect([remote(2, 80), remote(2, 81), remote(3, 80)].map((from) => receive(from))).toEqual(expected);
    expect(receive(remote(2, 80), endpoint(host.address, 5001))).toBe('firewall');
  });

  test('who was let in opens nothing for others', () => {
    const { out, in: receive } = bench({ filtering: 'address-dependent' });
    out(remote(2, 80));
    expect(receive(remote(2, 81))).toBe('forward');
    expect(receive(remote(3, 81))).toBe('firewall');
  });

  test('sessions end like those of a NAT', () => {
    const world = bench({ udp: { unanswered: 30_000, answered: 120_000 } });
    world.out();
    world.now = 29_999;
    expect(world.in()).toBe('forward');
    world.now = 29_999 + 119_999;
    expect(world.in()).toBe('forward');
    world.now += 120_000;
    expect(world.in()).toBe('firewall');
  });

  test('connections begin with a SYN from inside; both may send one (RFC 9293 section 3.5)', () => {
    const { tcpOut, tcpIn } = bench();
    expect(tcpOut({ ack: true })).toBe('TCP segment of no connection');
    expect(tcpIn({ syn: true })).toBe('firewall');
    expect(tcpOut({ syn: true })).toBe('forward');
    expect(tcpIn({ syn: true })).toBe('forward');
    expect(tcpIn({ syn: true, ack: true })).toBe('forward');
    expect(tcpOut({ ack: true })).toBe('forward');
  });

  test('inbound any: lets all in, and their answers out', () => {
    const { in: receive, tcpIn, tcpOut } = bench({ inbound: 'any' });
    expect(receive()).toBe('forward');
    expect(tcpIn({ syn: true })).toBe('forward');
    expect(tcpOut({ syn: true, ack: true })).toBe('forward');
  });

  test('ICMP errors pass with the flow that they are about', () => {
    const { firewall, out } = bench();
    const about = udpPacket(host, remote(2, 80), NOTHING);
    const inwards = icmpPacket('2001:db8:9::1', about, 'time-exceeded');
    const outwards = icmpPacket(host.address, udpPacket(remote(2, 80), host, NOTHING), 'port-unreachable');
    expect([verdict(firewall.inbound(inwards, 0)), verdict(firewall.outbound(outwards, 0))]).toEqual(
      Array(2).fill('ICMP error about no flow'),
    );
    out();
    expect([verdict(firewall.inbound(inwards, 0)), verdict(firewall.outbound(outwards, 0))]).toEqual(
      Array(2).fill('forward'),
    );
  });

  test('what is for the router itself is the router’s business', () => {
    const { firewall, in: receive } = bench();
    firewall.readdress([host.address], 0);
    expect(receive()).toBe('local');
  });

  test('a full table refuses what is new until something has expired', () => {
    const world = bench({ capacity: 2, udp: { unanswered: 1000 } });
    expect([1, 2, 3].map((port) => world.out(remote(2, port)))).toEqual(['forward', 'forward', 'firewall table full']);
    world.now = 1000;
    expect(world.out(remote(2, 3))).toBe('forward');
  });

  test('a reboot forgets, a rebind does not', () => {
    const { firewall, out, in: receive } = bench();
    out();
    firewall.rebind(0);
    expect(receive()).toBe('forward');
    firewall.reboot(0);
    expect(receive()).toBe('firewall');
  });

  test('the other family passes', () => {
    const { in: receive } = bench({ families: [6] });
    expect(receive()).toBe('firewall');
    expect(receive(endpoint('203.0.113.1', 80), endpoint('192.168.1.2', 5000))).toBe('forward');
  });
});

describe('what may leave', () => {
  const webOnly: FirewallSpec = { outbound: [{ protocol: 'tcp', ports: [443] }] };

  test('no UDP', () => {
    const { out, tcpOut } = bench({ outbound: [{ protocol: 'tcp', ports: 'any' }] });
    expect(out()).toBe('firewall');
    expect(tcpOut({ syn: true }, remote(2, 8790))).toBe('forward');
  });

  test('only TCP to port 443', () => {
    const { out, tcpOut } = bench(webOnly);
    expect(out(remote(2, 443))).toBe('firewall');
    expect(tcpOut({ syn: true }, remote(2, 8790))).toBe('firewall');
    expect(tcpOut({ syn: true }, remote(2, 443))).toBe('forward');
  });

  test('refusal: silence, or RST and ICMP errors', () => {
    const syn = tcpPacket(host, remote(2, 22), { syn: true, sequence: 2 ** 32 - 1 });
    const segment = tcpPacket(host, remote(2, 22), { ack: true, acknowledgement: 7 });
    const datagram = udpPacket(host, remote(2, 53), NOTHING);
    expect(createFirewall(webOnly).outbound(syn, 0)).toEqual({ action: 'drop', reason: 'firewall' });
    const rejecting = createFirewall({ ...webOnly, refusal: 'reject' });
    const replies = [syn, segment, datagram].map((packet) => rejecting.outbound(packet, 0));
    expect(replies).toEqual([
      {
        action: 'reply',
        packet: tcpPacket(remote(2, 22), host, { rst: true, ack: true, acknowledgement: 0 }),
        reason: 'firewall',
      },
      { action: 'reply', packet: tcpPacket(remote(2, 22), host, { rst: true, sequence: 7 }), reason: 'firewall' },
      {
        action: 'reply',
        packet: icmpPacket(remote(2, 53).address, datagram, 'administratively-prohibited'),
        reason: 'firewall',
      },
    ]);
  });
});

describe('readFirewallSpec', () => {
  test('states the defaults', () => {
    expect(readFirewallSpec({}, 'firewall')).toEqual({
      families: [4, 6],
      outbound: 'any',
      inbound: 'answers',
      filtering: 'address-and-port-dependent',
      refusal: 'drop',
      refresh: 'both',
      udp: { unanswered: 300_000, answered: 300_000 },
      tcp: { transitory: 240_000, established: 7_440_000 },
      capacity: 65_536,
    });
  });

  test('takes what is complete as it is, also by way of JSON', () => {
    const rules = readFirewallSpec({ outbound: [{ protocol: 'udp', ports: [53] }], families: [6] }, 'firewall');
    expect(readFirewallSpec(JSON.parse(JSON.stringify(rules)), 'firewall')).toEqual(rules);
  });

  test.each([
    [{ families: [5] }, 'wall.families[0]'],
    [{ outbound: 'web' }, 'wall.outbound'],
    [{ outbound: [{ protocol: 'icmp', ports: 'any' }] }, 'wall.outbound[0].protocol'],
    [{ outbound: [{ protocol: 'tcp' }] }, 'wall.outbound[0].ports'],
    [{ outbound: [{ protocol: 'tcp', ports: [0] }] }, 'wall.outbound[0].ports[0]'],
    [{ inbound: 'some' }, 'wall.inbound'],
    [{ filtering: 'strict' }, 'wall.filtering'],
    [{ refusal: 'rst' }, 'wall.refusal'],
    [{ tcp: { simultaneousOpen: true } }, 'wall.tcp.simultaneousOpen'],
    [{ rules: [] }, 'wall.rules'],
  ])('refuses %j, naming %s', (spec, path) => {
    expect(() => readFirewallSpec(spec, 'wall')).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(`${path}: `) }),
    );
  });
});
