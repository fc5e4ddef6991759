import { BehaviorSubject, combineLatest, distinctUntilChanged, map, type Observable, type Subscription } from 'rxjs';
import type { TimerHandle } from '../core/clock.ts';
import type { Environment } from '../core/environment.ts';
import type { Policy } from '../core/policy.ts';
import type { PortLeaseState, PortLeases } from '../core/port-lease.ts';
import type { MappingProtocol, MappingRequest } from '../core/port-mapper.ts';
import type { MappingEvent } from '../machines/connection-events.ts';
import type { PeerSockets } from './sockets.ts';

/** A port of this peer that its gateway is asked to map, and how that stands. */
export interface MappedPort {
  readonly request: MappingRequest;
  readonly lease: PortLeaseState;
}

/** The leases of a peer's IPv4 ports: UDP, and TCP where it is listened on. None where nothing is to be asked for. */
export interface MappedPorts {
  readonly current: readonly MappedPort[];
  /** The current ports first, then all of them with each change; completes on close. */
  readonly ports$: Observable<readonly MappedPort[]>;
  /** Begins to ask, once what else is to be begun now has been. Throws what opening the leases throws. */
  open(): void;
  /** The network is being looked at: the leases are told where this host has other IPv4 addresses than before. */
  look(): void;
  /** Releases what was mapped; as bounded in time as the leases are. */
  close(): Promise<void>;
}

export interface MappedPortsOptions extends Pick<Environment, 'network' | 'clock'> {
  readonly sockets: Pick<PeerSockets, 'routers' | 'lobby'>;
  /** Who hides its addresses asks for nothing. */
  readonly policy: Policy;
  /** Opens the leases; absent: no gateway is asked. */
  readonly openLeases: (() => PortLeases) | undefined;
}

export function createMappedPorts({ network, clock, sockets, policy, openLeases }: MappedPortsOptions): MappedPorts {
  const requests = openLeases === undefined || policy === 'relay-only' ? [] : requestsFor(sockets);
  const state = new BehaviorSubject<readonly MappedPort[]>(
    requests.map((request) => ({ request, lease: { state: 'mapping' } })),
  );
  let leases: PortLeases | undefined;
  let known = '';
  let following: Subscription | undefined;
  let beginning: TimerHandle;

  const addresses = (): string => {
    const own = network.interfaces().filter(({ family, internal }) => family === 4 && !internal);
    return own.map(({ name, address }) => `${name} ${address}`).join();
  };

  return {
    get current() {
      return state.value;
    },
    ports$: state,
    open() {
      if (openLeases === undefined || requests.length === 0) return;
      const made = openLeases();
      leases = made;
      known = addresses();
      // A connection that is dialled at once sends its first packets before.
      beginning = clock.setTimeout(() => {
        const kept = requests.map((request) => made.keep(request));
        following = combineLatest(kept.map(({ state$ }) => state$)).subscribe((states) =>
          state.next(requests.map((request, i) => ({ request, lease: states[i]! }))),
        );
      }, 0);
    },
    look() {
      if (leases === undefined) return;
      const before = known;
      known = addresses();
      if (known !== before) leases.networkChanged();
    },
    async close() {
      clock.clearTimeout(beginning);
      following?.unsubscribe();
      state.complete();
      await leases?.close();
    },
  };
}

/** Tells how the mapping stands, at once and whenever that changes: one mapped port is enough to be called mapped. */
export function followMapping({ ports$ }: MappedPorts, send: (event: MappingEvent) => void): () => void {
  const subscription = ports$.pipe(map(mappingFact), distinctUntilChanged()).subscribe((type) => send({ type }));
  return () => subscription.unsubscribe();
}

function mappingFact(ports: readonly MappedPort[]): MappingEvent['type'] {
  const isAny = (state: PortLeaseState['state']): boolean => ports.some(({ lease }) => lease.state === state);
  if (isAny('mapped')) return 'mapping.obtained';
  return isAny('mapping') ? 'mapping.started' : 'mapping.unavailable';
}

function requestsFor({ routers, lobby }: Pick<PeerSockets, 'routers' | 'lobby'>): readonly MappingRequest[] {
  const udp = routers.map(({ socket }) => socket.local).find(({ family }) => family === 4);
  const tcp = lobby?.bases.find(({ family }) => family === 4);
  const request = (protocol: MappingProtocol, port: number): MappingRequest => ({
    protocol,
    internalPort: port,
    description: DESCRIPTION,
  });
  return [
    ...(udp === undefined ? [] : [request('udp', udp.port)]),
    ...(tcp === undefined ? [] : [request('tcp', tcp.port)]),
  ];
}

/** What people read in the gateway's table. */
const DESCRIPTION = 'sallyport peer';
