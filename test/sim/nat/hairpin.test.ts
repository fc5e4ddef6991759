import { describe, expect, test } from 'vitest';
import { formatEndpoint } from '../../../src/core/endpoint.ts';
import { tcpPacket, udpPacket } from '../../../src/sim/packet.ts';
import { at, EXTERNAL, inside, type NatBench, natBench, remote } from './nat-bench.ts';

/** What becomes of a packet that one host sends to the external endpoint of another: `source > destination`, or why nothing. */
function hairpin(bench: NatBench, to: string, from = inside(2)): string {
  const ruling = bench.nat.outbound(udpPacket(from, at(to), new Uint8Array(1)), bench.now);
  if (ruling.action === 'forward') {
    return `${formatEndpoint(ruling.packet.source)} > ${formatEndpoint(ruling.packet.destination)}`;
  }
  return ruling.action === 'local' ? 'local' : ruling.reason;
}

describe('hairpinning (RFC 4787 section 6, REQ-9)', () => {
  test('with external source, the receiver sees the sender as everybody else does (REQ-9a)', () => {
    const bench = natBench({ filtering: 'endpoint-independent' });
    const mine = bench.out(inside(2), remote());
    const theirs = bench.out(inside(3), remote());
    expect(hairpin(bench, theirs)).toBe(`${mine} > ${formatEndpoint(inside(3))}`);
  });

  test('with internal source, it sees the internal endpoint', () => {
    const bench = natBench({ filtering: 'endpoint-independent', hairpin: 'internal-source' });
    const theirs = bench.out(inside(3), remote());
    expect(hairpin(bench, theirs)).toBe(`${formatEndpoint(inside(2))} > ${formatEndpoint(inside(3))}`);
  });

  test('none: it is dropped', () => {
    const bench = natBench({ filtering: 'endpoint-independent', hairpin: 'none' });
    expect(hairpin(bench, bench.out(inside(3), remote()))).toBe('no hairpinning');
  });

  test('it passes the filter as if it came from outside', () => {
    const bench = natBench({ filtering: 'address-and-port-dependent' });
    const mine = bench.out(inside(2), remote());
    const theirs = bench.out(inside(3), remote());
    expect(hairpin(bench, theirs)).toBe('filtered');
    expect(hairpin(bench, mine, inside(3))).toBe(`${theirs} > ${formatEndpoint(inside(2))}`);
    expect(hairpin(bench, theirs)).toBe(`${mine} > ${formatEndpoint(inside(3))}`);
  });

  test('an external address without a mapping is the router itself', () => {
    expect(hairpin(natBench(), `${EXTERNAL}:80`)).toBe('local');
  });

  test('TCP goes the same way (RFC 5382 REQ-8)', () => {
    const bench = natBench({ filtering: 'endpoint-independent' });
    const mine = bench.tcpOut(inside(2), remote(), { syn: true });
    const theirs = bench.tcpOut(inside(3), remote(), { syn: true });
    const ruling = bench.nat.outbound(tcpPacket(inside(2), at(theirs), { syn: true }), 0);
    expect(ruling).toMatchObject({ action: 'forward', packet: { source: at(mine), destination: inside(3) } });
  });
});
