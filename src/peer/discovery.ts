import { BehaviorSubject, fromEvent, lastValueFrom, type Observable, takeUntil, tap } from 'rxjs';
import { type Candidate, candidateKey, UDP } from '../core/candidate.ts';
import { type Endpoint, endpoint, type Family, formatEndpoint, parseEndpoint, sameEndpoint } from '../core/endpoint.ts';
import type { Environment } from '../core/environment.ts';
import { classifyAddress } from '../core/ip-address.ts';
import { type NatBehavior, unknownBehavior } from '../core/nat-behavior.ts';
import { probeBehavior } from '../streams/behavior-probe.ts';
import type { PacketRouter } from '../streams/packet-router.ts';
import { hostCandidates, reflexiveCandidate } from './local-candidates.ts';
import { tcpCandidates } from './tcp-candidates.ts';

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
  /**
   * Looks at the interfaces and asks the STUN servers (`host:port`) once; a call while one runs waits for that one.
   * `final: false`: more servers are expected to become known, so what is found is not all.
   */
  gather(servers: readonly string[], options?: { final: boolean }): Promise<void>;
  /** Also ends a look that is under way. */
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
  let running: Promise<void> | undefined;

  const publish = (candidates: readonly Candidate[], behavior: NatBehavior, complete: boolean): void => {
    const { value } = state;
    const known =
      sameCandidates(value.candidates, candidates) &&
      value.complete === complete &&
      sameBehavior(value.behavior, behavior);
    if (known) return;
    state.next({ candidates, behavior, complete });
  };

  const gather = async (names: readonly string[], final: boolean): Promise<void> => {
    const interfaces = network.interfaces();
    const found = new Map<string, Candidate>();
    const hosts = routers.flatMap(({ socket }) =>
      hostCandidates(interfaces, { ...UDP, local: socket.local }, { loopback }),
    );
    const sockets = routers.map(({ socket }) => socket.local);
    const tcp = tcpCandidates(interfaces, { sockets, listening }, { loopback });
    const all = (): readonly Candidate[] => [...found.values(), ...tcp];
    for (const host of hosts) found.set(formatEndpoint(host.endpoint), host);
    const known = state.value;
    const answered = new Set<Family>();
    // What was reflexive a moment ago stays told until the servers have answered again.
    publish(known.complete ? known.candidates : all(), known.behavior, known.complete);

    const probes = routers.map(async (router): Promise<NatBehavior> => {
      const { family } = router.socket.local;
      if (isLocalOnly(hosts, family)) return unknownBehavior;
      const servers = await resolveServers(names, router.socket.local);
      if (servers.length === 0 || closing.signal.aborted) return unknownBehavior;
      const locals = hosts.map((host) => host.endpoint).filter((local) => local.family === family);
      const base = locals[0] ?? router.socket.local;
      const results$ = probeBehavior({ router, servers, locals, clock, random }).pipe(
        tap((result) => {
          if (result.type !== 'binding') return;
          answered.add(result.binding.mapped.family);
          if (locals.some((local) => sameEndpoint(local, result.binding.mapped))) return;
          const key = formatEndpoint(result.binding.mapped);
          if (found.has(key)) return;
          const reflexives = [...found.values()].filter(
            ({ type, endpoint: at }) => type === 'srflx' && at.family === result.binding.mapped.family,
          );
          found.set(
            key,
            reflexiveCandidate(result.binding.mapped, base, result.binding.server.address, reflexives.length),
          );
          if (!known.complete) publish(all(), state.value.behavior, false);
        }),
        takeUntil(fromEvent(closing.signal, 'abort')),
      );
      const last = await lastValueFrom(results$, { defaultValue: undefined });
      return last?.type === 'behavior' ? last.behavior : unknownBehavior;
    });
    const behaviors = await Promise.all(probes);
    // Silence proves nothing: a reflexive address is forgotten when a server has seen another one.
    for (const candidate of known.candidates) {
      const { type, base } = candidate;
      const isOwn = hosts.some((host) => sameEndpoint(host.endpoint, base));
      if (type === 'srflx' && isOwn && !answered.has(base.family))
        found.set(formatEndpoint(candidate.endpoint), candidate);
    }
    const behavior = behaviors.find(({ mapping, evidence }) => mapping !== 'unknown' || evidence.length > 0);
    publish(all(), behavior ?? (answered.size > 0 ? unknownBehavior : known.behavior), final);
  };

  const resolveServers = async (names: readonly string[], local: Endpoint): Promise<Endpoint[]> => {
    const resolved = await Promise.all(names.map((name) => resolveServer(name, local)));
    return resolved.flat();
  };

  const resolveServer = async (name: string, { family }: Endpoint): Promise<Endpoint[]> => {
    const literal = parseEndpoint(name);
    if (literal !== undefined) return literal.family === family ? [literal] : [];
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(name) ?? [];
    try {
      const [address] = await network.resolve(host, { family, signal: closing.signal });
      return address === undefined ? [] : [endpoint(address, Number(port))];
    } catch (error) {
      log('stun.unresolved', { name, family, error: String(error) });
      return [];
    }
  };

  return {
    get current() {
      return state.value;
    },
    reachability$: state,
    gather(names, { final } = { final: true }) {
      running ??= gather(names, final).finally(() => {
        running = undefined;
      });
      return running;
    },
    close() {
      closing.abort();
      state.complete();
    },
  };
}

/** The host has addresses, and none of this family leads beyond its links: servers would be asked in vain, and waited for. */
function isLocalOnly(hosts: readonly Candidate[], family: Family): boolean {
  const leadsOn = ({ endpoint: { family: of, address } }: Candidate): boolean =>
    of === family && classifyAddress(address) !== 'link-local';
  return hosts.length > 0 && !hosts.some(leadsOn);
}

/** By transport and address, in whatever order. */
export function sameCandidates(a: readonly Candidate[], b: readonly Candidate[]): boolean {
  const keys = new Set(a.map(candidateKey));
  return a.length === b.length && b.every((candidate) => keys.has(candidateKey(candidate)));
}

/** Both were made by the same code, so equal ones read the same. */
function sameBehavior(a: NatBehavior, b: NatBehavior): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
