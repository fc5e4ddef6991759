import { filter, firstValueFrom } from 'rxjs';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { cryptoRandom, nodeNetwork, systemClock } from '../../src/adapters/node/index.ts';
import { quicSessions } from '../../src/adapters/session/quic/index.ts';
import { type MemoryRendezvous, memoryRendezvous } from '../../src/adapters/signaling/memory.ts';
import type { Clock, TimerHandle } from '../../src/core/clock.ts';
import type { Environment } from '../../src/core/environment.ts';
import { silentLog } from '../../src/core/log.ts';
import type { PathKind } from '../../src/core/path.ts';
import type { Signaling } from '../../src/core/signaling.ts';
import type { Connection } from '../../src/peer/connection.ts';
import { createPeer } from '../../src/peer/create-peer.ts';
import type { Peer, PeerOptions } from '../../src/peer/peer.ts';
import { type FaultyNetwork, faultyNetwork, type TcpFreedom } from './faulty-network.ts';

/** A peer of the test, its own network and its ways to the rendezvous. */
export interface Inhabitant {
  readonly peer: Peer;
  readonly network: FaultyNetwork;
  readonly carriers: readonly Signaling[];
}

export interface InhabitantOptions extends Omit<PeerOptions, 'env'> {
  readonly env?: Partial<Environment>;
  /** `none` by default, so that what UDP does shows. */
  readonly tcp?: TcpFreedom;
}

/** Peers in this process: a rendezvous in memory, real UDP sockets on loopback, real sessions. `await using` closes it all. */
export interface World extends AsyncDisposable {
  readonly rendezvous: MemoryRendezvous;
  inhabitant(options?: InhabitantOptions): Promise<Inhabitant>;
}

/** `latency`: ms to and from the rendezvous, one way. */
export function createWorld({ latency = 0 }: { latency?: number } = {}): World {
  const clock = systemClock();
  const random = cryptoRandom();
  const rendezvous = memoryRendezvous({ clock, random, latency });
  const peers: Peer[] = [];
  return {
    rendezvous,
    async inhabitant({ env, tcp, ...options } = {}) {
      const network = faultyNetwork(nodeNetwork(), tcp);
      const carriers: Signaling[] = [];
      const world: Environment = {
        network,
        clock,
        random,
        log: silentLog,
        signaling() {
          const carrier = rendezvous.signaling();
          carriers.push(carrier);
          return carrier;
        },
        sessions: quicSessions,
        newIdentity: createIdentity,
        servers: ['ws://memory'],
        stun: [],
        loopback: true,
        ...env,
      };
      const peer = await createPeer({ ...options, env: world });
      peers.push(peer);
      // A peer asks for its mappings in a turn of its own.
      if (world.mappers !== undefined) await new Promise<void>((resolve) => clock.setTimeout(resolve, 0));
      return { peer, network, carriers };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(peers.map((peer) => peer.close()));
    },
  };
}

/** Two peers and an established connection between them, seen from both ends. */
export interface Pair {
  readonly listener: Inhabitant;
  readonly dialer: Inhabitant;
  readonly here: Connection;
  readonly there: Connection;
}

export async function connectedPair(
  world: World,
  options: { readonly listener?: InhabitantOptions; readonly dialer?: InhabitantOptions } = {},
): Promise<Pair> {
  const listener = await world.inhabitant(options.listener);
  const dialer = await world.inhabitant(options.dialer);
  const ticket = await listener.peer.createTicket();
  const incoming = firstValueFrom(listener.peer.incoming$);
  const here = dialer.peer.connect(ticket);
  await here.ready;
  return { listener, dialer, here, there: await incoming };
}

/** Fulfils when the connection sends on a path of this kind. */
export async function untilPath(connection: Connection, kind: PathKind): Promise<void> {
  await firstValueFrom(connection.path$.pipe(filter((path) => path?.kind === kind)));
}

/** Fulfils when the chart is in this top state. */
export async function untilState(connection: Connection, state: 'connected' | 'recovering'): Promise<void> {
  await firstValueFrom(
    connection.state$.pipe(filter((value) => (typeof value === 'string' ? value : Object.keys(value)[0]) === state)),
  );
}

/** The code that a promise rejects with. */
export function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'fulfilled',
    (error: { code?: unknown }) => error.code,
  );
}

/** The system's clock, and how many of the timers set on it are still to come. */
export function countingClock(): { readonly clock: Clock; readonly pending: () => number } {
  const clock = systemClock();
  const timers = new Set<TimerHandle>();
  return {
    pending: () => timers.size,
    clock: {
      ...clock,
      setTimeout(callback, delay) {
        const timer = clock.setTimeout(() => {
          timers.delete(timer);
          callback();
        }, delay);
        timers.add(timer);
        return timer;
      },
      clearTimeout(timer) {
        timers.delete(timer);
        clock.clearTimeout(timer);
      },
    },
  };
}
