import { describe, expect, it } from 'vitest';
import { type RemoteCandidate, UDP } from '../../../src/core/candidate.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import {
  attributeOf,
  decodeCandidateAttribute,
  encodeCandidateAttribute,
  toldCandidate,
} from '../../../src/protocol/ice/index.ts';

const told = (line: string) => toldCandidate(decodeCandidateAttribute(line));

describe('a candidate of a foreign agent', () => {
  it('is taken as it is told', () => {
    expect(told('candidate:7 1 UDP 2015363327 192.0.2.1 50222 typ host generation 0')).toEqual({
      type: 'candidate',
      candidate: {
        ...UDP,
        type: 'host',
        endpoint: endpoint('192.0.2.1', 50_222),
        priority: 2_015_363_327,
        foundation: '7',
      },
    });
    expect(told('candidate:7 1 TCP 1015021823 2001:DB8::1 9 typ host tcptype active')).toMatchObject({
      candidate: { transport: 'tcp', tcpType: 'active', endpoint: endpoint('2001:db8::1', 9) },
    });
  });

  it('waits for its Multicast DNS name, and is then one with an address', () => {
    const attribute = decodeCandidateAttribute('candidate:7 1 udp 1 0f1e2d3c.local 9000 typ host');
    expect(toldCandidate(attribute)).toEqual({ type: 'unresolved', name: '0f1e2d3c.local' });
    expect(toldCandidate({ ...attribute, address: 'fe80::1%eth0' })).toMatchObject({
      candidate: { endpoint: endpoint('fe80::1%eth0', 9000) },
    });
  });

  it.each([
    ['component', 'candidate:7 2 udp 1 192.0.2.1 9 typ host'],
    ['transport', 'candidate:7 1 sctp 1 192.0.2.1 9 typ host'],
    ['transport', 'candidate:7 1 tcp 1 192.0.2.1 9 typ host'],
    ['transport', 'candidate:7 1 tcp 1 192.0.2.1 9 typ host tcptype lazy'],
    ['type', 'candidate:7 1 udp 1 192.0.2.1 9 typ mapped'],
    ['host-name', 'candidate:7 1 udp 1 peer.example 9 typ host'],
    ['host-name', 'candidate:7 1 udp 1 peer.example.local 9 typ host'],
  ])('is ignored for its %s: %s', (reason, line) => {
    expect(told(line)).toEqual({ type: 'ignored', reason });
  });
});

describe('a candidate of ours', () => {
  const candidate: RemoteCandidate = {
    ...UDP,
    type: 'host',
    endpoint: endpoint('fe80::1%eth0', 4000),
    priority: 7,
    foundation: 'f1',
  };

  it.each<[Partial<RemoteCandidate>, string]>([
    [{}, 'candidate:f1 1 udp 7 fe80::1 4000 typ host'],
    [{ transport: 'tcp', tcpType: 'passive' }, 'candidate:f1 1 tcp 7 fe80::1 4000 typ host tcptype passive'],
    [
      { type: 'srflx', endpoint: endpoint('203.0.113.1', 5) },
      'candidate:f1 1 udp 7 203.0.113.1 5 typ srflx raddr 0.0.0.0 rport 9',
    ],
    [
      { type: 'mapped', endpoint: endpoint('2001:db8::1', 5) },
      'candidate:f1 1 udp 7 2001:db8::1 5 typ srflx raddr :: rport 9',
    ],
  ])('tells neither its base nor its zone, nor a type that is not in the RFC: %o', (change, line) => {
    expect(encodeCandidateAttribute(attributeOf({ ...candidate, ...change } as RemoteCandidate))).toBe(line);
  });
});
