import { BehaviorSubject } from 'rxjs';
import { endpoint } from '../src/core/endpoint.ts';
import { TraversalError } from '../src/core/errors.ts';
import type { MappingAttempt, PortLease, PortLeaseState, PortLeases } from '../src/core/port-lease.ts';
import { type Mapping, type MappingRequest, mappingReach } from '../src/core/port-mapper.ts';

/** Leases whose gateway is the test: nothing happens to them until it says so. */
export interface FakeLeases extends PortLeases {
  readonly kept: readonly FakeLease[];
  /** Calls of `networkChanged`. */
  readonly changes: number;
  readonly closed: boolean;
}

export interface FakeLease extends PortLease {
  /** The gateway has granted, or renewed. */
  map(mapping?: Partial<Mapping>): void;
  /** Every protocol has failed, by this error. */
  fail(error?: TraversalError): void;
  /** The mapping is gone, and made again. */
  lose(): void;
}

/** `release` is what the gateway takes to confirm. */
export function fakeLeases(release: () => Promise<void> = async () => {}): FakeLeases {
  const kept: FakeLease[] = [];
  const leases = {
    kept,
    changes: 0,
    closed: false,
    keep(request: MappingRequest) {
      if (leases.closed) throw new TraversalError('ERR_CLOSED', 'the leases are closed');
      if (request.lifetime === 0) throw new TraversalError('ERR_USAGE', 'a lifetime of 0');
      const lease = fakeLease(request, release);
      kept.push(lease);
      return lease;
    },
    networkChanged() {
      leases.changes++;
    },
    async close() {
      leases.closed = true;
      await Promise.all(kept.map((lease) => lease.close()));
    },
  };
  return leases;
}

function fakeLease(request: MappingRequest, release: () => Promise<void>): FakeLease {
  const state$ = new BehaviorSubject<PortLeaseState>({ state: 'mapping' });
  let obtain: (mapping: Mapping) => void = () => {};
  let refuse: (error: TraversalError) => void = () => {};
  const ready = new Promise<Mapping>((resolve, reject) => {
    obtain = resolve;
    refuse = reject;
  });
  ready.catch(() => 'told by the state as well');
  let closing: Promise<void> | undefined;

  return {
    request,
    get current() {
      return state$.value;
    },
    state$: state$.asObservable(),
    ready,
    map(changes) {
      const mapping = { ...mappingOf(request), ...changes };
      state$.next({ state: 'mapped', mapping, attempts: [] });
      obtain(mapping);
    },
    fail(error = new TraversalError('ERR_MAPPING_UNAVAILABLE', 'nobody answers')) {
      const attempt: MappingAttempt = {
        via: 'pcp',
        code: error.code,
        reason: error.message,
        startedAt: 0,
        endedAt: 1_750,
      };
      state$.next({ state: 'unavailable', attempts: [attempt] });
      refuse(error);
    },
    lose: () => state$.next({ state: 'mapping' }),
    close() {
      closing ??= release().then(() => {
        refuse(new TraversalError('ERR_CLOSED', 'the lease is closed'));
        state$.next({ state: 'released' });
        state$.complete();
      });
      return closing;
    },
  };
}

/** What the gateway at 192.168.0.1 grants when nobody says otherwise, at time 0. */
export function mappingOf({
  protocol,
  internalPort,
  externalPort,
  lifetime = 3600,
  internalAddress,
}: MappingRequest): Mapping {
  const external = endpoint('203.0.113.7', externalPort ?? internalPort);
  return {
    via: 'pcp',
    protocol,
    internal: endpoint(internalAddress ?? '192.168.0.10', internalPort),
    external,
    gateway: '192.168.0.1',
    lifetime,
    goodUntil: lifetime * 1000,
    renewAfter: lifetime * 500,
    reach: mappingReach(external.address),
    handle: {},
  };
}
