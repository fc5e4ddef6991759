import { expect, it } from 'vitest';
import { type Candidate, candidatePriority, DISCARD_PORT } from '../../src/core/candidate.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import type { NetworkInterface } from '../../src/core/network.ts';
import { toldCandidates } from '../../src/peer/local-candidates.ts';
import { tcpCandidates } from '../../src/peer/tcp-candidates.ts';

const address = (text: string): NetworkInterface => ({
  name: 'eth0',
  address: text,
  family: text.includes(':') ? 6 : 4,
  internal: false,
});

const interfaces = [address('192.0.2.7'), address('2001:db8::7')];
const listening = [endpoint('0.0.0.0', 7004), endpoint('::', 7006)];
const sockets = [endpoint('0.0.0.0', 5004), endpoint('::', 5006)];
const candidates = tcpCandidates(interfaces, { sockets, listening }, { loopback: false });

const describe = ({ tcpType, endpoint: { address, port } }: Candidate): string => `${tcpType} ${address} ${port}`;

it('has passive ones where TCP is listened on, and active ones of every family', () => {
  expect(candidates.map(describe)).toEqual([
    'passive 192.0.2.7 7004',
    'passive 2001:db8::7 7006',
    `active 192.0.2.7 ${DISCARD_PORT}`,
    `active 2001:db8::7 ${DISCARD_PORT}`,
  ]);
  expect(tcpCandidates(interfaces, { sockets, listening: [] }, { loopback: false }).map(describe)).toEqual([
    `active 192.0.2.7 ${DISCARD_PORT}`,
    `active 2001:db8::7 ${DISCARD_PORT}`,
  ]);
});

it('ranks them below everything that UDP has but relays', () => {
  const worst = Math.min(...(['host', 'prflx', 'mapped', 'srflx'] as const).map((type) => candidatePriority(type, 0)));
  for (const { priority } of candidates) {
    expect(priority).toBeLessThan(worst);
    expect(priority).toBeGreaterThan(candidatePriority('relay', 65_535));
  }
});

it('tells the passive ones only, and no more candidates than a message holds', () => {
  expect(toldCandidates(candidates, 'relay-first').map(({ tcpType }) => tcpType)).toEqual(['passive', 'passive']);
  const many = Array.from({ length: 40 }, (_, i) => ({ ...candidates[0]!, endpoint: endpoint('192.0.2.7', 9000 + i) }));
  expect(toldCandidates(many, 'relay-first').map(({ endpoint }) => endpoint.port)).toEqual(
    Array.from({ length: 32 }, (_, i) => 9000 + i),
  );
  expect(toldCandidates(candidates, 'relay-only')).toEqual([]);
});
