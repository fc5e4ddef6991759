import { BehaviorSubject, type Observable } from 'rxjs';
import { type Candidate, candidateKey } from '../core/candidate.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { Environment } from '../core/environment.ts';
import { type NatBehavior, unknownBehavior } from '../core/nat-behavior.ts';
import type { PacketRouter } from '../streams/packet-router.ts';
import { createLook, type Look } from './look.ts';

/** What a peer knows of its own reachability. */
export interface Reachability {
  readonly candidates: readonly Candidate[];
  readonly behavior: NatBehavior;
  /** No more candidates are expected for now. */
  readonly complete: boolean;
}

/** One discovery for all connections of a peer. */
export interface Discovery {
  readonly current: Reachability;
  /** The current value first, then each change. */
  readonly reachability$: Observable<Reachability>;
  /** Begins a look at the network, in which these STUN servers (`host:port`) can be asked; the one before has ended. */
  look(servers: readonly string[]): Look;
  /** Also ends what a look is waiting for. */
  close(): void;
}

export function createDiscovery(
  { network, clock, random, log, loopback }: Pick<Environment, 'network' | 'clock' | 'random' | 'log' | 'loopback'>,
  routers: readonly PacketRouter[],
  /** The addresses that TCP is listened on. */
  listening: readonly Endpoint[] = [],
): Discovery {
  const state = new BehaviorSubject<Reachability>({ candidates: [], behavior: unknownBehavior, complete: false });
  const closing = new AbortController();

  function publish(found: Reachability): void {
    if (!isSame(state.value, found)) state.next(found);
  }

  const { signal } = closing;
  const world = { network, clock, random, log, loopback, routers, listening, signal, publish };
  return {
    get current() {
      return state.value;
    },
    reachability$: state,
    look: (servers) => createLook(world, servers, state.value),
    close() {
      closing.abort();
      state.complete();
    },
  };
}

/** By transport and address, in whatever order. */
export function sameCandidates(a: readonly Candidate[], b: readonly Candidate[]): boolean {
  const keys = new Set(a.map(candidateKey));
  return a.length === b.length && b.every((candidate) => keys.has(candidateKey(candidate)));
}

function isSame(a: Reachability, b: Reachability): boolean {
  return (
    sameCandidates(a.candidates, b.candidates) && a.complete === b.complete && sameBehavior(a.behavior, b.behavior)
  );
}

/** Both were made by the same code, so equal ones read the same. */
function sameBehavior(a: NatBehavior, b: NatBehavior): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
