import { type Endpoint, endpoint } from '../../src/core/endpoint.ts';
import type { PortLeases } from '../../src/core/port-lease.ts';
import {
  type Mapping,
  type MappingProtocol,
  type MappingRequest,
  mappingReach,
  type PortMapperFactory,
} from '../../src/core/port-mapper.ts';
import { type FakeLease, fakeLeases, mappingOf } from '../fake-leases.ts';

/** The leases of one peer on loopback, which stand as the test says. */
export interface PeerLeases {
  /** For the peer's environment, where {@link leasesBehind} stands in for the leases that a peer makes. */
  readonly mappers: readonly PortMapperFactory[];
  /** How often leases were opened. */
  readonly opened: number;
  /** What was asked for, in order. */
  readonly requests: readonly MappingRequest[];
  /** The port that was asked for, from now on reached at `external`. */
  map(protocol: MappingProtocol, external: Endpoint): void;
  /** The port that was asked for, from now on without a mapping. */
  fail(protocol: MappingProtocol): void;
  /** The gateway is being asked again. */
  ask(protocol: MappingProtocol): void;
  /** How often the leases were told that the network has changed. */
  readonly changes: number;
  /** Whether everything is to be released. */
  readonly closed: boolean;
}

/** `release` is what the gateway takes to confirm. */
export function peerLeases(release?: () => Promise<void>): PeerLeases {
  const leases = fakeLeases(release);
  let opened = 0;
  const mappers: readonly PortMapperFactory[] = [
    () => {
      throw new Error('nobody makes this port mapper');
    },
  ];
  openers.set(mappers, () => {
    opened++;
    return leases;
  });

  function leaseOf(protocol: MappingProtocol): FakeLease {
    const lease = leases.kept.find(({ request }) => request.protocol === protocol);
    if (lease === undefined) throw new Error(`no ${protocol} port was to be mapped`);
    return lease;
  }

  return {
    mappers,
    get opened() {
      return opened;
    },
    get requests() {
      return leases.kept.map(({ request }) => request);
    },
    map(protocol, external) {
      const lease = leaseOf(protocol);
      const internal = endpoint('127.0.0.1', lease.request.internalPort);
      lease.map(mappingBetween({ protocol, internal, external }));
    },
    fail: (protocol) => leaseOf(protocol).fail(),
    ask: (protocol) => leaseOf(protocol).lose(),
    get changes() {
      return leases.changes;
    },
    get closed() {
      return leases.closed;
    },
  };
}

/** Opens the leases of the test whose mappers these are; `undefined` for mappers of others. */
export function leasesBehind(mappers: readonly PortMapperFactory[]): PortLeases | undefined {
  return openers.get(mappers)?.();
}

const openers = new WeakMap<readonly PortMapperFactory[], () => PortLeases>();

/** What the gateway grants for these two. */
export function mappingBetween(ends: Pick<Mapping, 'protocol' | 'internal' | 'external'>): Mapping {
  const granted = mappingOf({ protocol: ends.protocol, internalPort: ends.internal.port });
  return { ...granted, ...ends, reach: mappingReach(ends.external.address) };
}
