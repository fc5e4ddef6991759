import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidate, candidatePriority, DISCARD_PORT, UDP } from '../../src/core/candidate.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import type { NetworkInterface } from '../../src/core/network.ts';
import type { Mapping } from '../../src/core/port-mapper.ts';
import {
  announcedCandidates,
  hostCandidates,
  mappedCandidates,
  reflexiveCandidate,
  relayCandidate,
  toldCandidates,
} from '../../src/peer/local-candidates.ts';
import { createIceAgent } from '../../src/protocol/ice/index.ts';
import { Internet } from '../protocol/ice/internet.ts';
import { eventsOf, introduce, leftOptions, rightOptions } from '../protocol/ice/pair-of-agents.ts';
import { mappingBetween } from './peer-leases.ts';

function on(name: string, address: string): NetworkInterface {
  const { family } = endpoint(address, 0);
  return { name, address, family, internal: name === 'lo' };
}

const V4 = { ...UDP, local: endpoint('0.0.0.0', 5000) };
const V6 = { ...UDP, local: endpoint('::', 5000) };

function addresses(interfaces: readonly NetworkInterface[], socket = V6, loopback = false): string[] {
  return hostCandidates(interfaces, socket, { loopback }).map((candidate) => candidate.endpoint.address);
}

describe('host candidates', () => {
  it('come from real interfaces first, then virtual ones, then loopback where it is allowed, six at most', () => {
    const many = [1, 2, 3, 4, 5].map((n) => on(`br-${n}`, `172.18.0.${n}`));
    const interfaces = [on('lo', '127.0.0.1'), on('docker0', '172.17.0.1'), ...many, on('eth0', '192.168.1.2')];
    expect(addresses(interfaces, V4)).toEqual([
      '192.168.1.2',
      '172.17.0.1',
      '172.18.0.1',
      '172.18.0.2',
      '172.18.0.3',
      '172.18.0.4',
    ]);
    expect(addresses([interfaces[0]!, interfaces[1]!], V4, true)).toEqual(['172.17.0.1', '127.0.0.1']);
    expect(addresses([interfaces[0]!], V4)).toEqual([]);
  });

  it('are made of no deprecated IPv6 address (RFC 8445 section 5.1.1.1)', () => {
    expect(addresses([on('eth0', 'fec0::2'), on('eth0', '::192.0.2.1'), on('eth0', '2001:db8::2')])).toEqual([
      '2001:db8::2',
    ]);
  });

  it('are link-local only where the interface has no other IPv6 address, and come last', () => {
    const interfaces = [
      on('eth0', 'fe80::1%eth0'),
      on('eth0', '2001:db8::2'),
      on('wlan0', 'fe80::1%wlan0'),
      on('lo', '::1'),
    ];
    expect(addresses(interfaces)).toEqual(['2001:db8::2', 'fe80::1%wlan0']);
    expect(addresses(interfaces, V6, true)).toEqual(['2001:db8::2', '::1', 'fe80::1%wlan0']);
  });

  it('of IPv4 may be link-local: it is the only address that such a host has', () => {
    expect(addresses([on('eth0', '169.254.7.7')], V4)).toEqual(['169.254.7.7']);
  });

  it('over TCP have the port of their listener, or none, and are worth less than over UDP', () => {
    const interfaces = [on('eth0', '192.168.1.2')];
    const passive = { transport: 'tcp', tcpType: 'passive', local: endpoint('0.0.0.0', 6001) } as const;
    const active = { transport: 'tcp', tcpType: 'active', local: endpoint('0.0.0.0', DISCARD_PORT) } as const;
    const made = [V4, active, passive].flatMap((socket) => hostCandidates(interfaces, socket, { loopback: false }));
    expect(made.map((candidate) => [candidate.tcpType, candidate.endpoint.port])).toEqual([
      [undefined, 5000],
      ['active', 9],
      ['passive', 6001],
    ]);
    const priorities = made.map(({ priority }) => priority);
    expect(priorities).toEqual([...priorities].sort((a, b) => b - a));
    expect(new Set(made.map(({ foundation }) => foundation)).size).toBe(3);
  });
});

describe('priorities and foundations', () => {
  const interfaces = fc.array(
    fc
      .tuple(fc.constantFrom('eth0', 'wlan0', 'docker0', 'lo'), fc.integer({ min: 1, max: 250 }), fc.boolean())
      .map(([name, n, six]) => on(name, six ? `2001:db8::${n.toString(16)}` : `10.0.0.${n}`)),
    { maxLength: 20 },
  );

  it('are unique among candidates of a peer (RFC 8445 section 5.1.2), and the families take turns', () => {
    fc.assert(
      fc.property(interfaces, fc.nat(4), (all, reflexives) => {
        const hosts = [V4, V6].flatMap((socket) => hostCandidates(all, socket, { loopback: true }));
        const mapped = Array.from({ length: reflexives }, (_, n) =>
          reflexiveCandidate(endpoint('198.51.100.1', 4000 + n), endpoint('10.0.0.1', 5000), '192.0.2.1', n),
        );
        const made = [...hosts, ...mapped];
        expect(new Set(made.map(({ priority }) => priority)).size).toBe(made.length);
        const order = [...hosts].sort((a, b) => b.priority - a.priority).map(({ base }) => base.family);
        const turns = Math.min(order.filter((f) => f === 4).length, order.filter((f) => f === 6).length);
        expect(order.slice(0, 2 * turns)).toEqual(Array.from({ length: turns }, () => [6, 4]).flat());
      }),
    );
  });

  it('of one base, type and server share a foundation, and no others do (RFC 8445 section 5.1.1.3)', () => {
    const base = endpoint('10.0.0.1', 5000);
    const made = [
      reflexiveCandidate(endpoint('198.51.100.1', 4000), base, '192.0.2.1', 0),
      reflexiveCandidate(endpoint('198.51.100.1', 4007), base, '192.0.2.1', 1),
      reflexiveCandidate(endpoint('198.51.100.1', 4000), base, '192.0.2.2', 2),
      ...hostCandidates([on('eth0', '10.0.0.1')], V4, { loopback: false }),
    ];
    const [first, second, third, fourth] = made.map(({ foundation }) => foundation);
    expect(second).toBe(first);
    expect(new Set([first, third, fourth]).size).toBe(3);
  });
});

describe('announced candidates', () => {
  const passive = { transport: 'tcp', tcpType: 'passive', local: endpoint('0.0.0.0', 6001) } as const;
  const active = { transport: 'tcp', tcpType: 'active', local: endpoint('0.0.0.0', DISCARD_PORT) } as const;
  const lan = [on('eth0', '10.0.0.1'), on('eth1', '10.0.0.2')];
  const hosts = [V4, passive, active].flatMap((socket) => hostCandidates(lan, socket, { loopback: false }));
  const made = (address: string, port: number, rank = 0, loopback = false): readonly Candidate[] =>
    announcedCandidates({ address: endpoint(address, port), type: 'mapped', rank }, hosts, { loopback });

  it('lead to the first host candidate of each socket that has the port, or of the UDP socket', () => {
    expect(made('198.51.100.1', 0)).toMatchObject([
      { type: 'mapped', transport: 'udp', endpoint: endpoint('198.51.100.1', 5000), base: endpoint('10.0.0.1', 5000) },
      { transport: 'tcp', tcpType: 'passive', endpoint: endpoint('198.51.100.1', 6001), base: { port: 6001 } },
    ]);
    expect(made('198.51.100.1', 40_000)).toMatchObject([{ transport: 'udp', endpoint: { port: 40_000 } }]);
  });

  it('are not made of a family that there is no socket of, of an own address, and where nobody could send to', () => {
    for (const address of ['2001:db8::1', '10.0.0.2', '0.0.0.0', '224.0.0.1', '127.0.0.1']) {
      expect(made(address, 0)).toEqual([]);
    }
    expect(made('127.0.0.1', 0, 0, true)).toHaveLength(2);
  });

  it('differ from each other in their priority, and from those of port mappings', () => {
    const announced = [...made('198.51.100.1', 0, 0), ...made('198.51.100.2', 0, 2)];
    const external = endpoint('198.51.100.3', 40_000);
    const mapping = mappingBetween({ protocol: 'udp', internal: endpoint('10.0.0.1', 5000), external });
    const all = [...announced, ...mappedCandidates([mapping], [...hosts, ...announced], { loopback: false })];
    expect(all).toHaveLength(5);
    expect(new Set(all.map(({ priority }) => priority)).size).toBe(5);
  });
});

describe('mapped candidates', () => {
  const external = endpoint('198.51.100.1', 40_000);
  const lan = [on('eth0', '10.0.0.1')];
  const passive = { transport: 'tcp', tcpType: 'passive', local: endpoint('0.0.0.0', 6001) } as const;
  const active = { transport: 'tcp', tcpType: 'active', local: endpoint('0.0.0.0', DISCARD_PORT) } as const;
  const hosts = [V4, passive, active].flatMap((socket) => hostCandidates(lan, socket, { loopback: false }));
  const udp = mappingBetween({ protocol: 'udp', internal: endpoint('10.0.0.1', 5000), external });
  const tcp = mappingBetween({ protocol: 'tcp', internal: endpoint('10.0.0.1', 6001), external });
  const made = (mappings: readonly Mapping[], known = hosts, loopback = false): readonly Candidate[] =>
    mappedCandidates(mappings, known, { loopback });

  it('have the host candidate that the mapping leads to as their base, over UDP and TCP', () => {
    expect(made([udp, tcp])).toMatchObject([
      { type: 'mapped', transport: 'udp', endpoint: external, base: udp.internal },
      { type: 'mapped', transport: 'tcp', tcpType: 'passive', endpoint: external, base: tcp.internal },
    ]);
  });

  it('rank between what a check and what a server has seen, and share a foundation with nothing', () => {
    const reflexive = reflexiveCandidate(endpoint('198.51.100.1', 5000), udp.internal, '192.0.2.1', 0);
    const all = [...hosts, reflexive, ...made([udp, tcp])];
    const mapped = all.find(({ type }) => type === 'mapped')!;
    expect(mapped.priority).toBeGreaterThan(reflexive.priority);
    expect(mapped.priority).toBeLessThan(candidatePriority('prflx', 0));
    for (const of of ['priority', 'foundation'] as const) {
      expect(new Set(all.map((candidate) => candidate[of])).size).toBe(all.length);
    }
  });

  it('are not made where the mapping leads elsewhere: to an address that is no more, or to another port', () => {
    expect(made([{ ...udp, internal: endpoint('10.0.0.2', 5000) }])).toEqual([]);
    expect(made([{ ...udp, internal: endpoint('10.0.0.1', 6001) }])).toEqual([]);
    expect(made([{ ...tcp, internal: endpoint('10.0.0.1', 5000) }])).toEqual([]);
  });

  it('are not made where a host or reflexive candidate has the address: a public host, a NAT that keeps ports', () => {
    const reflexive = reflexiveCandidate(external, udp.internal, '192.0.2.1', 0);
    expect(made([{ ...udp, external: udp.internal }])).toEqual([]);
    expect(made([udp], [...hosts, reflexive])).toEqual([]);
    expect(made([tcp], [...hosts, reflexive])).toHaveLength(1);
  });

  it('are made of an address that only some can reach, and of none that nobody can send to', () => {
    const outside = (address: string, port = 40_000, loopback = false): number =>
      made([{ ...udp, external: endpoint(address, port) }], hosts, loopback).length;
    expect([outside('100.64.0.1'), outside('192.168.0.2')]).toEqual([1, 1]);
    expect([outside('0.0.0.0'), outside('224.0.0.1'), outside('198.51.100.1', 0)]).toEqual([0, 0, 0]);
    expect([outside('127.0.0.1'), outside('127.0.0.1', 40_000, true), outside('127.0.0.1', 0, true)]).toEqual([
      0, 1, 0,
    ]);
  });
});

describe('what the other side is told', () => {
  const made = [
    ...hostCandidates([on('eth0', '192.168.1.2')], V4, { loopback: false }),
    ...hostCandidates(
      [on('eth0', '192.168.1.2')],
      { transport: 'tcp', tcpType: 'active', local: endpoint('0.0.0.0', DISCARD_PORT) },
      { loopback: false },
    ),
  ];

  it('is all but bases and active TCP candidates', () => {
    const { base: _, ...told } = made[0]!;
    expect(toldCandidates(made, 'relay-first')).toEqual([told]);
  });

  it('is nothing where the policy hides addresses', () => {
    expect(toldCandidates(made, 'relay-only')).toEqual([]);
    const relayed = relayCandidate(endpoint('192.0.2.20', 7_000), 'turn:192.0.2.20');
    expect(toldCandidates([relayed, ...made], 'relay-only')).toMatchObject([
      { type: 'relay', endpoint: relayed.endpoint },
    ]);
  });
});

describe('an IPv6 that swallows every packet', () => {
  it('costs the IPv4 pair a few Ta (RFC 8421)', () => {
    const internet = new Internet({ delay: 40 });
    const hosts = (four: string, six: string, port: number): Candidate[] => {
      const interfaces = [on('eth0', four), ...[1, 2, 3, 4, 5, 6].map((n) => on('eth0', `${six}::${n}`))];
      const socket = (any: string) => ({ ...UDP, local: endpoint(any, port) });
      return [socket('0.0.0.0'), socket('::')].flatMap((each) => hostCandidates(interfaces, each, { loopback: false }));
    };
    const ofLeft = hosts('198.51.100.2', '2001:db8:1', 5000);
    const ofRight = hosts('203.0.113.2', '2001:db8:2', 6000);
    const strict = { burst: 1, ta: 5 };
    const left = internet.join({
      name: 'left',
      agent: createIceAgent(leftOptions(strict)),
      at: endpoint('198.51.100.2', 5000),
    });
    const right = internet.join({
      name: 'right',
      agent: createIceAgent(rightOptions(strict)),
      at: endpoint('203.0.113.2', 6000),
    });
    introduce(internet, left, ofLeft, ofRight);
    introduce(internet, right, ofRight, ofLeft);
    internet.run(1000);
    expect(internet.sent.slice(0, 4).map(({ t, to }) => [t, to.startsWith('[')])).toEqual([
      [0, true],
      [0, true],
      [5, false],
      [5, false],
    ]);
    expect(eventsOf(left, 'pair.valid').map(({ t }) => t)).toEqual([85]);
  });
});
