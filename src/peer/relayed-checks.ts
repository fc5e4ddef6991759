import { type Candidate, candidateKey, type RemoteCandidate } from '../core/candidate.ts';
import type { Clock, TimerHandle } from '../core/clock.ts';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import type { Relay } from '../core/relay.ts';
import type { IceAgent, IceEvent } from '../protocol/ice/index.ts';
import { createDirectPath, type DirectPath } from '../streams/direct-path.ts';
import { createIcePump, type IcePump } from '../streams/ice-pump.ts';
import type { PacketRouter } from '../streams/packet-router.ts';

export interface RelayedChecksOptions {
  /** The address at a relay that is one side of each pair, ours or the other side's. */
  readonly relayed: Endpoint;
  /** Name of the strategy that made it. */
  readonly strategy: string;
  /** How the packets of this socket reach a relay. */
  readonly transportOf: (router: PacketRouter) => Relay['transport'];
  /** An agent with the credentials of that address. Only called once there are candidates of the other side. */
  readonly createAgent: () => IceAgent;
  /** The other side begins its checks when somebody has carried ours there: checks begin again until then. */
  readonly isPatient: boolean;
  readonly clock: Clock;
  readonly on: RelayedChecksEvents;
}

export interface RelayedChecksEvents {
  /** `on`: the socket that the path's packets go and come by. */
  validated(path: DirectPath, preference: number, on: PacketRouter): void;
  lost(pathId: string, reason: string): void;
  /** A check of the path was answered. */
  confirmed(pathId: string): void;
  /** Several checks of the path in a row were not. */
  doubtful(pathId: string): void;
  /** No pair became valid; a late check of the other side may still make one so. */
  exhausted(): void;
}

/**
 * Checks of the pairs that have one address at a relay on one side, by an ICE agent of its own: its credentials are that address's alone,
 * so each path that it makes is relayed, whatever the other side has told by then, and the checks for direct paths go on as if it were
 * not there.
 */
export class RelayedChecks {
  readonly #options: RelayedChecksOptions;
  readonly #routers: PacketRouter[] = [];
  readonly #locals = new Map<string, Candidate>();
  readonly #remotes = new Map<string, RemoteCandidate>();
  /** Valid ones by pair id. */
  readonly #paths = new Map<string, DirectPath>();
  #pump: IcePump | undefined;
  #renewal: TimerHandle | undefined;
  #stopped = false;

  constructor(options: RelayedChecksOptions) {
    this.#options = options;
  }

  get relayed(): Endpoint {
    return this.#options.relayed;
  }

  get hasPath(): boolean {
    return this.#paths.size > 0;
  }

  /** Candidates with this socket's base, or bound by family and port, are checked from it from now on. */
  listen(router: PacketRouter): void {
    this.#routers.push(router);
    this.#pump?.listen(router);
  }

  addLocal(candidate: Candidate): void {
    this.#locals.set(candidateKey(candidate), candidate);
    this.#pump?.handle({ type: 'local-candidate', candidate });
  }

  addRemote(candidate: RemoteCandidate): void {
    if (this.#stopped || this.#remotes.size >= MAX_REMOTES) return;
    this.#remotes.set(candidateKey(candidate), candidate);
    if (this.#pump === undefined) this.#begin();
    else this.#pump.handle({ type: 'remote-candidate', candidate });
  }

  /** Asks for consent on every path at once. */
  check(): void {
    for (const pairId of this.#paths.keys()) this.#pump?.handle({ type: 'check', pairId });
  }

  /** The path that carries data, if it is one of these. */
  use(pathId: string | undefined): void {
    const pairIds = [...this.#paths].filter(([, { info }]) => info.id === pathId).map(([pairId]) => pairId);
    this.#pump?.handle({ type: 'use', pairIds });
  }

  /** Takes the agent off the sockets; its paths are lost. */
  stop(reason: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#options.clock.clearTimeout(this.#renewal);
    this.#pump?.stop();
    for (const { info } of this.#paths.values()) this.#options.on.lost(info.id, reason);
    this.#paths.clear();
  }

  #begin(): void {
    const { createAgent, clock, isPatient } = this.#options;
    this.#pump?.stop();
    this.#pump = createIcePump({
      agent: createAgent(),
      clock,
      routers: this.#routers,
      onEvent: (event) => this.#handle(event),
    });
    for (const candidate of this.#locals.values()) this.#pump.handle({ type: 'local-candidate', candidate });
    for (const candidate of this.#remotes.values()) this.#pump.handle({ type: 'remote-candidate', candidate });
    if (isPatient) this.#renewal = clock.setTimeout(() => this.hasPath || this.#begin(), RENEWAL);
  }

  #handle(event: IceEvent): void {
    const { on } = this.#options;
    switch (event.type) {
      case 'pair.valid':
        this.#validate(event);
        break;
      case 'pair.lost': {
        const path = this.#paths.get(event.pairId);
        this.#paths.delete(event.pairId);
        if (path !== undefined) on.lost(path.info.id, event.reason);
        break;
      }
      case 'pair.confirmed': {
        const path = this.#paths.get(event.pairId);
        if (path !== undefined) on.confirmed(path.info.id);
        break;
      }
      case 'pair.doubtful': {
        const path = this.#paths.get(event.pairId);
        if (path !== undefined) on.doubtful(path.info.id);
        break;
      }
      case 'checks.exhausted':
        on.exhausted();
    }
  }

  #validate({ pairId, local, remote, rtt }: Extract<IceEvent, { type: 'pair.valid' }>): void {
    const router = this.#pump?.routerOf(local.base);
    if (router === undefined || this.#paths.has(pairId)) return;
    const { relayed, strategy, transportOf, on } = this.#options;
    const transport = transportOf(router);
    const path = createDirectPath({
      id: `${transport}/${formatEndpoint(relayed)}/${pairId}`,
      kind: 'relayed',
      transport,
      send: (packet) => router.socket.send(packet, remote.endpoint),
      local: local.endpoint,
      remote: remote.endpoint,
      strategy,
      rtt,
    });
    this.#paths.set(pairId, path);
    on.validated(path, local.priority + remote.priority, router);
  }
}

/** Candidates of the other side that are kept, as many as an agent checks. */
const MAX_REMOTES = 32;
/** ms after which checks by hand begin again; 16 requests to each address. */
const RENEWAL = 30_000;
