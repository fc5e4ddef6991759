import { describe, expect, it } from 'vitest';
import { type CandidateType, candidateKey, candidatePriority } from '../../src/core/candidate.ts';
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

describe('candidateKey', () => {
  it('is the same for the same address, whatever its spelling', () => {
    expect(candidateKey({ endpoint: endpoint('2001:db8:0::1', 80) })).toBe('[2001:db8::1]:80');
    expect(candidateKey({ endpoint: endpoint('2001:db8::1', 80) })).toBe('[2001:db8::1]:80');
  });
});
