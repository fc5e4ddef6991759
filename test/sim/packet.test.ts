import { describe, expect, it } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import { describePacket, icmpPacket, tcpPacket, udpPacket, wireSize } from '../../src/sim/packet.ts';

const [a, b] = [endpoint('192.0.2.1', 5), endpoint('192.0.2.9', 53)];
const [a6, b6] = [endpoint('2001:db8::1', 5), endpoint('2001:db8::9', 53)];

describe('a packet', () => {
  it.each([
    ['UDP over IPv4', udpPacket(a, b, new Uint8Array(100)), 128],
    ['UDP over IPv6', udpPacket(a6, b6, new Uint8Array(100)), 148],
    ['TCP over IPv4', tcpPacket(a, b, { payload: new Uint8Array(100) }), 140],
    ['TCP over IPv6', tcpPacket(a6, b6, { payload: new Uint8Array(100) }), 160],
    ['ICMP over IPv4', icmpPacket('192.0.2.254', udpPacket(a, b, new Uint8Array(100)), 'time-exceeded'), 56],
    ['ICMP over IPv6', icmpPacket('2001:db8::2', udpPacket(a6, b6, new Uint8Array(100)), 'time-exceeded'), 96],
  ])('of %s counts with its headers', (_what, packet, size) => {
    expect(wireSize(packet)).toBe(size);
  });

  it('is described in a line', () => {
    const lines = [
      udpPacket(a, b, new Uint8Array(100)),
      tcpPacket(a6, b6, { syn: true, ack: true, sequence: 7, acknowledgement: 9 }),
      icmpPacket('192.0.2.254', udpPacket(a, b, new Uint8Array(100)), 'port-unreachable'),
    ].map(describePacket);
    expect(lines).toEqual([
      'udp 192.0.2.1:5 > 192.0.2.9:53 100 B',
      'tcp [2001:db8::1]:5 > [2001:db8::9]:53 syn+ack seq 7 ack 9 0 B',
      'icmp 192.0.2.254 > 192.0.2.1 port-unreachable (udp 192.0.2.1:5 > 192.0.2.9:53)',
    ]);
  });

  it('that is an error goes to the sender, and quotes the flow', () => {
    const error = icmpPacket('192.0.2.254', tcpPacket(a, b, {}), 'packet-too-big', 1400);
    expect(error).toMatchObject({
      source: endpoint('192.0.2.254', 0),
      destination: endpoint('192.0.2.1', 0),
      about: { protocol: 'tcp', source: a, destination: b },
      mtu: 1400,
    });
  });
});
