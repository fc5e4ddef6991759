import { fromEvent, lastValueFrom, takeUntil, tap } from 'rxjs';
import type { Binding } from '../core/binding.ts';
import { type Candidate, candidateKey, UDP } from '../core/candidate.ts';
import { type Endpoint, type Family, isReachableUnicast, sameEndpoint } from '../core/endpoint.ts';
import type { Environment } from '../core/environment.ts';
import { TraversalError } from '../core/errors.ts';
import { classifyAddress } from '../core/ip-address.ts';
import { type NatBehavior, unknownBehavior } from '../core/nat-behavior.ts';
import type { CandidateEnvironment } from '../core/strategy.ts';
import { resolveStunServers } from '../core/stun-servers.ts';
import { probeBehavior } from '../streams/behavior-probe.ts';
import type { PacketRouter } from '../streams/packet-router.ts';
import type { Reachability } from './discovery.ts';
import { type AnnouncedType, announcedCandidates, hostCandidates, reflexiveCandidate } from './local-candidates.ts';
import { tcpCandidates } from './tcp-candidates.ts';

/**
 * One look at the network. What strategies find in it is told as it comes, unless all was known before: then what was known stays told
 * until the look ends, and what was reflexive even longer, until servers have answered again.
 */
export interface Look extends Pick<CandidateEnvironment, 'interfaces' | 'announce'> {
  /** As in `CandidateEnvironment`; `signal` ends it. */
  reflexive(signal?: AbortSignal): Promise<void>;
  /** All have looked. `complete`: no more candidates are expected for now. */
  end(complete: boolean): void;
}

/** What all looks of a peer share. */
export interface LookWorld extends Pick<Environment, 'network' | 'clock' | 'random' | 'log' | 'loopback'> {
  readonly routers: readonly PacketRouter[];
  /** The addresses that TCP is listened on. */
  readonly listening: readonly Endpoint[];
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  readonly publish: (found: Reachability) => void;
}

/** `servers`: those that can be asked, `host:port`; `known`: what the look before has found. */
export function createLook(world: LookWorld, servers: readonly string[], known: Reachability): Look {
  return new NetworkLook(world, servers, known);
}

class NetworkLook implements Look {
  readonly #world: LookWorld;
  readonly #servers: readonly string[];
  readonly #known: Reachability;
  /** The host candidates that there are, whether a strategy has them told or not. */
  readonly #hosts: readonly Candidate[];
  readonly #found = new Map<string, Candidate>();
  /** Families of which a server has answered. */
  readonly #answered = new Set<Family>();
  #behavior: NatBehavior | undefined;
  #isOver = false;

  constructor(world: LookWorld, servers: readonly string[], known: Reachability) {
    const { network, routers, listening, loopback } = world;
    const interfaces = network.interfaces();
    const sockets = routers.map(({ socket }) => socket.local);
    this.#world = world;
    this.#servers = servers;
    this.#known = known;
    this.#hosts = [
      ...sockets.flatMap((local) => hostCandidates(interfaces, { ...UDP, local }, { loopback })),
      ...tcpCandidates(interfaces, { sockets, listening }, { loopback }),
    ];
  }

  interfaces(): void {
    for (const host of this.#hosts) this.#add(host);
    this.#tell();
  }

  async reflexive(signal = this.#world.signal): Promise<void> {
    const unwanted = AbortSignal.any([signal, this.#world.signal]);
    const asked = await Promise.all(this.#world.routers.map((router) => this.#ask(router, unwanted)));
    unwanted.throwIfAborted();
    const behaviors = asked.filter((behavior) => behavior !== undefined);
    if (behaviors.length === 0) {
      throw new TraversalError('ERR_NOT_AVAILABLE', 'there is no STUN server that could be asked');
    }
    this.#behavior = behaviors.find(isTelling) ?? this.#behavior;
    if (this.#answered.size === 0) throw new TraversalError('ERR_STUN_TIMEOUT', 'no STUN server has answered');
  }

  announce(address: Endpoint, type: AnnouncedType): void {
    const announced = { address, type, rank: this.#count(type, address.family) };
    for (const candidate of announcedCandidates(announced, this.#hosts, this.#world)) this.#add(candidate);
    this.#tell();
  }

  end(complete: boolean): void {
    this.#isOver = true;
    // Silence proves nothing: a reflexive address is forgotten when a server has seen another one.
    for (const candidate of this.#known.candidates) {
      const { type, base } = candidate;
      const isOwn = this.#hosts.some(({ endpoint }) => sameEndpoint(endpoint, base));
      if (type === 'srflx' && isOwn && !this.#answered.has(base.family)) this.#add(candidate);
    }
    const before = this.#answered.size > 0 ? unknownBehavior : this.#known.behavior;
    this.#world.publish({ candidates: this.#all(), behavior: this.#behavior ?? before, complete });
  }

  /** Asks all servers from one socket; `undefined` where there is none that could be asked. */
  async #ask(router: PacketRouter, unwanted: AbortSignal): Promise<NatBehavior | undefined> {
    const { network, clock, random, log } = this.#world;
    const { local } = router.socket;
    const hosts = this.#hosts.filter(isUdp);
    if (isLocalOnly(hosts, local.family)) return undefined;
    const servers = await resolveStunServers(this.#servers, local.family, { network, log, signal: unwanted });
    if (servers.length === 0 || unwanted.aborted) return undefined;
    const locals = hosts.map(({ endpoint }) => endpoint).filter(({ family }) => family === local.family);
    const results$ = probeBehavior({ router, servers, locals, clock, random }).pipe(
      tap((result) => {
        if (result.type === 'binding') this.#observe(result.binding, locals[0] ?? local);
      }),
      takeUntil(fromEvent(unwanted, 'abort')),
    );
    const last = await lastValueFrom(results$, { defaultValue: undefined });
    return last?.type === 'behavior' ? last.behavior : unknownBehavior;
  }

  /** A socket's address as a server has seen it: none where nobody could send to, and none beside a host candidate of that address. */
  #observe({ mapped, server }: Binding, base: Endpoint): void {
    if (!isReachableUnicast(mapped, this.#world.loopback)) return;
    this.#answered.add(mapped.family);
    this.#add(reflexiveCandidate(mapped, base, server.address, this.#count('srflx', mapped.family)));
    this.#tell();
  }

  #count(type: AnnouncedType, family: Family): number {
    return this.#all().filter((found) => found.type === type && found.endpoint.family === family).length;
  }

  #add(candidate: Candidate): void {
    const key = candidateKey(candidate);
    if (!this.#found.has(key)) this.#found.set(key, candidate);
  }

  #tell(): void {
    const { complete, behavior } = this.#known;
    if (!complete && !this.#isOver) this.#world.publish({ candidates: this.#all(), behavior, complete });
  }

  /** Those over TCP last: the first to be left out where there are too many to tell. */
  #all(): readonly Candidate[] {
    const found = [...this.#found.values()];
    return [...found.filter(isUdp), ...found.filter((candidate) => !isUdp(candidate))];
  }
}

function isUdp({ transport }: Candidate): boolean {
  return transport === 'udp';
}

function isTelling({ mapping, evidence }: NatBehavior): boolean {
  return mapping !== 'unknown' || evidence.length > 0;
}

/** The host has addresses, and none of this family leads beyond its links: servers would be asked in vain, and waited for. */
function isLocalOnly(hosts: readonly Candidate[], family: Family): boolean {
  const leadsOn = ({ endpoint: { family: of, address } }: Candidate): boolean =>
    of === family && classifyAddress(address) !== 'link-local';
  return hosts.length > 0 && !hosts.some(leadsOn);
}
