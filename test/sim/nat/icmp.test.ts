import { describe, expect, test } from 'vitest';
import { endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import { icmpPacket, udpPacket } from '../../../src/sim/packet.ts';
import { at, EXTERNAL, inside, natBench, remote } from './nat-bench.ts';

const NOTHING = new Uint8Array(0);
const ROUTER = '203.0.113.254';

describe('ICMP errors (RFC 5508, RFC 4787 REQ-12)', () => {
  test('one from outside comes to the host whose packet it is about, as that host knows it (RFC 5508 REQ-4)', () => {
    const bench = natBench();
    const external = at(bench.out(inside(), remote()));
    const error = icmpPacket(ROUTER, udpPacket(external, remote(), NOTHING), 'packet-too-big', 1280);
    const ruling = bench.nat.inbound(error, 0);
    expect(ruling).toEqual({
      action: 'forward',
      packet: icmpPacket(ROUTER, udpPacket(inside(), remote(), NOTHING), 'packet-too-big', 1280),
    });
  });

  test('one from inside leaves as if the external endpoint had sent it (RFC 5508 REQ-5)', () => {
    const bench = natBench();
    const external = at(bench.out(inside(), remote()));
    const error = icmpPacket(inside().address, udpPacket(remote(), inside(), NOTHING), 'port-unreachable');
    expect(bench.nat.outbound(error, 0)).toEqual({
      action: 'forward',
      packet: icmpPacket(EXTERNAL, udpPacket(remote(), external, NOTHING), 'port-unreachable'),
    });
  });

  test('errors about a renumbered flow are translated as its packets are', () => {
    const mapping = 'address-and-port-dependent';
    const bench = natBench({ mapping, filtering: 'endpoint-independent', pinning: true, clashes: 'renumbered' });
    const external = at(bench.out(inside(), remote(1)));
    bench.out(inside(), remote(2));
    const seenAs = bench.seen(remote(2), formatEndpoint(external));
    const inwards = icmpPacket(ROUTER, udpPacket(external, remote(2), NOTHING), 'port-unreachable');
    expect(bench.nat.inbound(inwards, 0)).toMatchObject({
      packet: { about: { source: inside(), destination: seenAs } },
    });
    const outwards = icmpPacket(inside().address, udpPacket(seenAs, inside(), NOTHING), 'port-unreachable');
    expect(bench.nat.outbound(outwards, 0)).toMatchObject({
      packet: { about: { source: remote(2), destination: external } },
    });
  });

  test('no error ends a mapping (REQ-12)', () => {
    const bench = natBench();
    const external = bench.out(inside(), remote());
    bench.nat.inbound(icmpPacket(ROUTER, udpPacket(at(external), remote(), NOTHING), 'port-unreachable'), 0);
    expect(bench.in(remote(), external)).toBe(formatEndpoint(inside()));
  });

  test('errors about no flow go nowhere', () => {
    const bench = natBench();
    const external = at(bench.out(inside(), remote(1)));
    const about = udpPacket(external, remote(2), NOTHING);
    expect(bench.nat.inbound(icmpPacket(ROUTER, about, 'port-unreachable'), 0)).toEqual({ action: 'local' });
    const fromInside = icmpPacket(inside().address, udpPacket(remote(2), inside(), NOTHING), 'port-unreachable');
    expect(bench.nat.outbound(fromInside, 0)).toMatchObject({ action: 'drop' });
  });

  test('with icmpErrors false none pass', () => {
    const bench = natBench({ icmpErrors: false });
    const external = at(bench.out(inside(), remote()));
    const inwards = icmpPacket(ROUTER, udpPacket(external, remote(), NOTHING), 'port-unreachable');
    const outwards = icmpPacket(inside().address, udpPacket(remote(), inside(), NOTHING), 'port-unreachable');
    expect(bench.nat.inbound(inwards, 0)).toMatchObject({ action: 'drop' });
    expect(bench.nat.outbound(outwards, 0)).toMatchObject({ action: 'drop' });
  });

  test('the error of a neighbour about a packet that was turned around finds its way back', () => {
    const bench = natBench({ filtering: 'endpoint-independent' });
    const mine = at(bench.out(inside(2), remote()));
    const theirs = at(bench.out(inside(3), remote()));
    bench.nat.outbound(udpPacket(inside(2), theirs, NOTHING), 0);
    bench.nat.outbound(udpPacket(inside(3), mine, NOTHING), 0);
    const error = icmpPacket(inside(3).address, udpPacket(mine, inside(3), NOTHING), 'port-unreachable');
    expect(bench.nat.outbound(error, 0)).toEqual({
      action: 'forward',
      packet: icmpPacket(EXTERNAL, udpPacket(inside(2), theirs, NOTHING), 'port-unreachable'),
    });
  });
});

test('IPv6 passes as it is', () => {
  const { nat } = natBench();
  const packet = udpPacket(endpoint('2001:db8::1', 5000), endpoint('2001:db8::2', 5000), NOTHING);
  expect(nat.outbound(packet, 0)).toEqual({ action: 'forward', packet });
  expect(nat.inbound(packet, 0)).toEqual({ action: 'forward', packet });
});
