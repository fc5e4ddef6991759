import { describe, expect, it } from 'vitest';
import type { RemoteCandidate } from '../../src/core/candidate.ts';
import { formatEndpoint, parseEndpoint } from '../../src/core/endpoint.ts';
import { isOfKind, readEndpoints, seenEndpoints } from '../../src/flows/strategies/told-endpoints.ts';

const told = (type: RemoteCandidate['type'], text: string): RemoteCandidate => ({
  type,
  endpoint: parseEndpoint(text)!,
  priority: 1,
  foundation: '1',
  transport: 'udp',
});

const seen = (...candidates: RemoteCandidate[]): string[] => seenEndpoints(candidates).map(formatEndpoint);

describe('where a side is seen from afar', () => {
  it('is what servers see, and else its public addresses', () => {
    const host = told('host', '198.51.100.1:5000');
    expect(seen(host, told('srflx', '203.0.113.1:6000'))).toEqual(['203.0.113.1:6000']);
    expect(seen(host, told('host', '192.168.1.5:5000'), told('host', '[2001:db8::1]:5000'))).toEqual([
      '198.51.100.1:5000',
    ]);
  });

  it('is no private address, whatever a server or the other side says', () => {
    for (const text of ['192.168.1.5:6000', '10.0.0.1:6000', '100.64.0.1:6000', '169.254.0.1:6000', '224.0.0.1:6000']) {
      expect(seen(told('srflx', text))).toEqual([]);
      const lied = { local: [told('srflx', '192.168.1.6:6000')], remote: [told('srflx', text)] };
      expect(readEndpoints([text], lied)).toEqual([]);
      expect(isOfKind(parseEndpoint(text)!, lied.local)).toBe(false);
    }
  });

  it('is read of what is told as a candidate, too, and of the kind of ours', () => {
    const local = [told('srflx', '203.0.113.1:6000')];
    const remote = [told('srflx', '203.0.113.2:6000'), told('srflx', '127.0.0.1:6000')];
    const named = ['203.0.113.2:6000', '203.0.113.2:6001', '127.0.0.1:6000', 'x', 5, null];
    expect(readEndpoints(named, { local, remote }).map(formatEndpoint)).toEqual(['203.0.113.2:6000']);
    expect(readEndpoints('203.0.113.2:6000', { local, remote })).toEqual([]);
  });
});
