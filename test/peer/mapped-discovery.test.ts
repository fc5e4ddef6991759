import { BehaviorSubject } from 'rxjs';
import { expect, it } from 'vitest';
import { type Candidate, DISCARD_PORT, UDP } from '../../src/core/candidate.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import type { Mapping } from '../../src/core/port-mapper.ts';
import type { Discovery, Reachability } from '../../src/peer/discovery.ts';
import { hostCandidates, reflexiveCandidate } from '../../src/peer/local-candidates.ts';
import { withMappedPorts } from '../../src/peer/mapped-discovery.ts';
import type { MappedPort } from '../../src/peer/mapped-ports.ts';
import { mappingBetween } from './peer-leases.ts';

const HOST = '192.168.1.2';
const OUTSIDE = endpoint('203.0.113.7', 40_000);
const lan = [{ name: 'eth0', address: HOST, family: 4, internal: false } as const];
const hosts = [
  { ...UDP, local: endpoint('0.0.0.0', 5000) },
  { transport: 'tcp', tcpType: 'passive', local: endpoint('0.0.0.0', 6000) } as const,
  { transport: 'tcp', tcpType: 'active', local: endpoint('0.0.0.0', DISCARD_PORT) } as const,
].flatMap((socket) => hostCandidates(lan, socket, { loopback: false }));
const reflexive = reflexiveCandidate(endpoint('203.0.113.7', 5000), endpoint(HOST, 5000), '192.0.2.1', 0);
const [udp, tcp] = (['udp', 'tcp'] as const).map((protocol, i) =>
  mappingBetween({ protocol, internal: endpoint(HOST, 5000 + 1000 * i), external: OUTSIDE }),
) as [Mapping, Mapping];

const describe = ({ type, transport, tcpType }: Candidate): string => [type, transport, tcpType].join(' ').trim();

/** A discovery, and ports whose mappings are as the test says. */
function world() {
  const found = new BehaviorSubject<Reachability>({ candidates: hosts, behavior: unknownBehavior, complete: false });
  const ports$ = new BehaviorSubject<readonly MappedPort[]>([]);
  const looked: (readonly string[])[] = [];
  const look = {} as ReturnType<Discovery['look']>;
  const inner: Discovery = {
    get current() {
      return found.value;
    },
    reachability$: found,
    look(servers) {
      looked.push(servers);
      return look;
    },
    close: () => found.complete(),
  };
  const discovery = withMappedPorts(inner, { ports$ }, { loopback: false });
  const seen: Reachability[] = [];
  let completed = false;
  discovery.reachability$.subscribe({ next: (each) => seen.push(each), complete: () => (completed = true) });
  return {
    discovery,
    found,
    ports$,
    look,
    looked,
    seen,
    hasCompleted: () => completed,
    map: (...mappings: readonly Mapping[]) =>
      ports$.next(
        mappings.map((mapping) => ({
          request: { protocol: mapping.protocol, internalPort: mapping.internal.port },
          lease: { state: 'mapped', mapping, attempts: [] },
        })),
      ),
    kinds: () => discovery.current.candidates.map(describe),
  };
}

it('is what was discovered while nothing is mapped', () => {
  const { discovery, seen, look, looked } = world();
  expect(seen).toEqual([{ candidates: hosts, behavior: unknownBehavior, complete: false }]);
  expect(discovery.look(['stun.example.org:3478'])).toBe(look);
  expect(looked).toEqual([['stun.example.org:3478']]);
});

it('has mapped candidates as they come and go, before those over TCP', () => {
  const { seen, map, kinds } = world();
  map(udp, tcp);
  expect(kinds()).toEqual(['host udp', 'mapped udp', 'mapped tcp passive', 'host tcp passive', 'host tcp active']);
  map(tcp);
  expect(kinds()).toEqual(['host udp', 'mapped tcp passive', 'host tcp passive', 'host tcp active']);
  map();
  expect(kinds()).toEqual(['host udp', 'host tcp passive', 'host tcp active']);
  expect(seen).toHaveLength(4);
});

it('keeps what is mapped through what is discovered, and stays complete', () => {
  const { discovery, found, map, kinds } = world();
  map(udp);
  found.next({ candidates: [...hosts, reflexive], behavior: unknownBehavior, complete: true });
  expect(kinds().slice(0, 3)).toEqual(['host udp', 'srflx udp', 'mapped udp']);
  map();
  expect(discovery.current.complete).toBe(true);
  map(udp);
  expect(discovery.current).toMatchObject({ complete: true });
});

it('says nothing when a mapping is renewed, or asked for, or leads to what is known already', () => {
  const { found, seen, map, ports$ } = world();
  found.next({ candidates: [...hosts, reflexive], behavior: unknownBehavior, complete: true });
  ports$.next([{ request: { protocol: 'udp', internalPort: 5000 }, lease: { state: 'mapping' } }]);
  map({ ...udp, external: reflexive.endpoint });
  expect(seen).toHaveLength(2);
  map(udp);
  map({ ...udp, goodUntil: 2 * udp.goodUntil });
  expect(seen).toHaveLength(3);
});

it('tells the address of a mapping that has moved', () => {
  const { discovery, map } = world();
  map(udp);
  map({ ...udp, external: endpoint('203.0.113.7', 40_001) });
  const mapped = discovery.current.candidates.filter(({ type }) => type === 'mapped');
  expect(mapped.map(({ endpoint: at }) => at.port)).toEqual([40_001]);
});

it('ends with what it is made of', () => {
  const { discovery, ports$, map, seen, hasCompleted } = world();
  discovery.close();
  expect([hasCompleted(), ports$.observed]).toEqual([true, false]);
  map(udp);
  expect(seen).toHaveLength(1);
});
