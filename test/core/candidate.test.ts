import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CandidateTransport,
  type CandidateType,
  candidateKey,
  candidatePriority,
  peerReflexivePriority,
  type TcpType,
  UDP,
} from '../../src/core/candidate.ts';
import { endpoint } from '../../src/core/endpoint.ts';

describe('candidatePriority', () => {
  it('is the formula of RFC 8445 section 5.1.2.1', () => {
    expect(candidatePriority('host', 65535)).toBe(126 * 2 ** 24 + 65535 * 2 ** 8 + 255);
    expect(candidatePriority('relay', 0)).toBe(255);
  });

  it('prefers the type to the local preference', () => {
    const types: CandidateType[] = ['host', 'prflx', 'mapped', 'srflx', 'relay'];
    for (const [i, worse] of types.slice(1).entries()) {
      expect(candidatePriority(types[i]!, 0)).toBeGreaterThan(candidatePriority(worse, 65535));
    }
  });

  it('fits 31 bits', () => {
    expect(candidatePriority('host', 65535)).toBeLessThan(2 ** 31);
  });
});

describe('the priority of a TCP candidate (RFC 6544 section 4.2)', () => {
  const over = (tcpType: TcpType): CandidateTransport => ({ transport: 'tcp', tcpType });

  it('has the direction in the upper 3 bits of the local preference', () => {
    expect(candidatePriority('host', 65535, over('active'))).toBe(90 * 2 ** 24 + (6 * 2 ** 13 + 8191) * 2 ** 8 + 255);
    expect(candidatePriority('host', 65535, over('passive'))).toBe(90 * 2 ** 24 + (4 * 2 ** 13 + 8191) * 2 ** 8 + 255);
    expect(candidatePriority('srflx', 65533, over('so'))).toBe(70 * 2 ** 24 + (6 * 2 ** 13 + 8189) * 2 ** 8 + 255);
  });

  it('is below that of every UDP candidate but a relay, whatever the preference', () => {
    const types = fc.constantFrom<CandidateType>('host', 'prflx', 'mapped', 'srflx');
    const preference = fc.nat(65535);
    const tcpType = fc.constantFrom<TcpType>('active', 'passive', 'so');
    fc.assert(
      fc.property(types, types, preference, preference, tcpType, (ofUdp, ofTcp, a, b, type) => {
        const tcp = candidatePriority(ofTcp, b, over(type));
        expect(candidatePriority(ofUdp, a)).toBeGreaterThan(tcp);
        expect(tcp).toBeGreaterThan(candidatePriority('relay', a));
      }),
    );
  });
});

describe('peerReflexivePriority (RFC 8445 section 7.1.1)', () => {
  it('is the candidate’s own, with another type preference', () => {
    const tcp = { transport: 'tcp', tcpType: 'active' } as const;
    const udpHost = { ...UDP, priority: candidatePriority('host', 65_500) };
    const tcpHost = { ...tcp, priority: candidatePriority('host', 65_500, tcp) };
    expect(peerReflexivePriority(udpHost)).toBe(candidatePriority('prflx', 65_500));
    expect(peerReflexivePriority(tcpHost)).toBe(tcpHost.priority - (90 - 80) * 2 ** 24);
  });
});

describe('candidateKey', () => {
  it('tells transports apart', () => {
    const at = { endpoint: endpoint('192.0.2.1', 9) };
    const keys = [
      UDP,
      ...(['active', 'passive', 'so'] as const).map((tcpType) => ({ transport: 'tcp', tcpType }) as const),
    ];
    expect(keys.map((transport) => candidateKey({ ...transport, ...at }))).toEqual([
      'udp 192.0.2.1:9',
      'tcp-active 192.0.2.1:9',
      'tcp-passive 192.0.2.1:9',
      'tcp-so 192.0.2.1:9',
    ]);
  });

  it('is the same for the same address, whatever its spelling', () => {
    expect(candidateKey({ ...UDP, endpoint: endpoint('2001:db8:0::1', 80) })).toBe('udp [2001:db8::1]:80');
    expect(candidateKey({ ...UDP, endpoint: endpoint('2001:db8::1', 80) })).toBe('udp [2001:db8::1]:80');
  });
});
