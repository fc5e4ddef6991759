import type { Candidate, RemoteCandidate } from '../core/candidate.ts';
import { type Endpoint, formatEndpoint, isReachableUnicast, sameEndpoint } from '../core/endpoint.ts';
import { TraversalError } from '../core/errors.ts';
import type { RelayedSocket } from '../core/relay.ts';
import type { Facts } from '../core/strategy.ts';
import type { DirectPath } from '../streams/direct-path.ts';
import type { PacketRouter } from '../streams/packet-router.ts';
import { createCheckAgent } from './check-agent.ts';
import type { ConnectionCredentials } from './connection-credentials.ts';
import { OwnRelay } from './own-relay.ts';
import { RelayedChecks } from './relayed-checks.ts';
import type { RuntimeOptions } from './runtime-contract.ts';
import type { SessionLink } from './session-link.ts';

/** ms for which what is said by hand waits for an address at a relay. */
export const RELAY_PATIENCE = 5_000;

export interface RelayedLinkOptions {
  readonly runtime: RuntimeOptions;
  /** What is said between the two is carried by people: the listener hears of the dialer's addresses in its own time. */
  readonly byHand: boolean;
  readonly credentials: ConnectionCredentials;
  readonly link: SessionLink;
  /** Candidates of both sides, as they are known by now. */
  readonly known: () => Pick<Facts, 'local' | 'remote'>;
  readonly on: RelayedLinkEvents;
}

export interface RelayedLinkEvents {
  /** There is one more address of ours at a relay, to be told. */
  allocated(): void;
  /** The path is in the table. */
  validated(path: DirectPath, preference: number): void;
  lost(pathId: string, reason: string): void;
}

/**
 * The addresses at relays that serve one connection, ours and the other side's, and the paths over them. Each has checks of its own; a
 * pair of two such addresses belongs to the dialer's.
 */
export class RelayedLink {
  readonly #options: RelayedLinkOptions;
  readonly #startedAt: number;
  #own: readonly OwnRelay[] = NONE;
  /** Oldest first. */
  #theirs: readonly RelayedChecks[] = NONE;
  #forbidden: string | undefined;

  constructor(options: RelayedLinkOptions) {
    this.#options = options;
    this.#startedAt = options.runtime.env.clock.now();
  }

  /** Our addresses at relays, to be told. */
  get candidates(): readonly Candidate[] {
    return this.#own.map(({ candidate }) => candidate);
  }

  /** The other side is told once, by hand, and an address of ours may come before long. */
  get isAwaited(): boolean {
    const { clock, relays } = this.#options.runtime.env;
    const mayCome = this.#isPatient && this.#forbidden === undefined && relays !== undefined && relays.length > 0;
    return mayCome && this.#own.length === 0 && clock.now() - this.#startedAt < RELAY_PATIENCE;
  }

  /**
   * Checks pairs with this address at a relay: the id of the first valid path. The socket is the link's from now on, and stays when the
   * call is aborted while the connection has no path at all: a late candidate of the other side may still make one. It takes the place of
   * those without a path. Errors: `ERR_NOT_AVAILABLE` where relays are forbidden, or nobody could send to the address,
   * `ERR_PUNCH_EXHAUSTED`, what `signal` was aborted with.
   */
  async offer(socket: RelayedSocket, strategy: string, signal: AbortSignal): Promise<string> {
    const obstacle = this.#forbidden ?? this.#faultOf(socket);
    if (obstacle !== undefined || signal.aborted) {
      socket.close();
      signal.throwIfAborted();
      throw new TraversalError('ERR_NOT_AVAILABLE', `no path over ${socket.relay.name}: ${obstacle}`);
    }
    for (const former of this.#own)
      if (!former.hasPath) this.#drop(former, 'another address at a relay takes its place');
    const own = this.#add(socket, strategy);
    const onAbort = (): void => {
      own.found.reject(signal.reason);
      if (!own.hasPath && this.#options.link.table.current !== undefined) this.#drop(own, 'not wanted any more');
    };
    signal.addEventListener('abort', onAbort);
    try {
      return await own.found.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Candidates of this host that are new. */
  addLocal(candidates: readonly Candidate[]): void {
    for (const theirs of this.#theirs) this.#give(theirs, candidates);
  }

  /** Candidates of the other side that are new. */
  addRemote(candidates: readonly RemoteCandidate[]): void {
    for (const candidate of candidates) {
      if (candidate.transport !== 'udp') continue;
      for (const { checks } of this.#own) this.#pair(checks, candidate);
      if (candidate.type === 'relay') this.#follow(candidate);
    }
  }

  /** Asks for consent on every path at once. */
  check(): void {
    for (const checks of this.#checks()) checks.check();
  }

  /** The path that carries data, if it is one of these. */
  use(pathId: string | undefined): void {
    for (const checks of this.#checks()) checks.use(pathId);
  }

  /** Relays must not be used any more, or ever: all is given back. */
  forbid(reason: string): void {
    this.#forbidden = reason;
    for (const own of this.#own) this.#drop(own, reason);
    for (const theirs of this.#theirs) theirs.stop(reason);
    this.#theirs = NONE;
  }

  get #isDialer(): boolean {
    return this.#options.runtime.role === 'dialer';
  }

  /** The listener's checks begin when somebody has carried the offer there. */
  get #isPatient(): boolean {
    return this.#options.byHand && this.#isDialer;
  }

  /** Why the address is not to be told: who reads of port 0 drops all that comes with it. */
  #faultOf({ local }: RelayedSocket): string | undefined {
    if (isReachableUnicast(local, this.#options.runtime.env.loopback)) return undefined;
    return `nobody could send to ${formatEndpoint(local)}`;
  }

  #add(socket: RelayedSocket, strategy: string): OwnRelay {
    const { known, link, on } = this.#options;
    const checks = this.#createChecks(socket.local, strategy, this.#isPatient, () => {
      const problem = `none of the other side's addresses answers at ${socket.relay.name}`;
      own.found.reject(new TraversalError('ERR_PUNCH_EXHAUSTED', problem));
    });
    const own = new OwnRelay(socket, checks);
    this.#own = [...this.#own, own];
    link.follow(own.router, (packet, from) => {
      const path = own.pathFrom(from);
      if (path === undefined) link.accept([packet]);
      else path.receive(packet);
    });
    void own.router.ended.then((error) => this.#drop(own, error?.message ?? 'given back'));
    // Told first, so that the other side's checks are on their way when ours come.
    on.allocated();
    for (const candidate of known().remote) this.#pair(checks, candidate);
    if (!this.#isDialer) for (const theirs of this.#theirs) this.#join(theirs, own);
    return own;
  }

  /** Our address at a relay, and a candidate of the other side. */
  #pair(checks: RelayedChecks, candidate: RemoteCandidate): void {
    if (candidate.transport !== 'udp') return;
    if (candidate.type !== 'relay' || this.#isDialer) checks.addRemote(candidate);
  }

  /** An address at a relay of the other side; of more than four, an old one without a path gives way. */
  #follow(candidate: RemoteCandidate): void {
    const { endpoint: relayed } = candidate;
    if (this.#forbidden !== undefined || this.#theirs.some((one) => sameEndpoint(one.relayed, relayed))) return;
    if (this.#theirs.length >= MAX_THEIRS) {
      const idle = this.#theirs.find(({ hasPath }) => !hasPath);
      if (idle === undefined) return;
      idle.stop('superseded');
      this.#theirs = this.#theirs.filter((one) => one !== idle);
    }
    const { runtime, known } = this.#options;
    const checks = this.#createChecks(relayed, 'turn', false, () => {});
    this.#theirs = [...this.#theirs, checks];
    // Who hides its addresses sends nothing to the other side but from a relay.
    if (runtime.policy !== 'relay-only') for (const router of runtime.routers) checks.listen(router);
    this.#give(checks, known().local);
    if (!this.#isDialer) for (const own of this.#own) this.#join(checks, own);
    checks.addRemote(candidate);
  }

  /** Candidates of this host for checks of the other side's address at a relay. */
  #give(theirs: RelayedChecks, candidates: readonly Candidate[]): void {
    for (const candidate of candidates) {
      if (candidate.transport === 'udp' && candidate.type !== 'relay') theirs.addLocal(candidate);
    }
  }

  /** Both ends of the pair are at relays. */
  #join(theirs: RelayedChecks, own: OwnRelay): void {
    theirs.listen(own.router);
    theirs.addLocal(own.candidate);
  }

  #createChecks(relayed: Endpoint, strategy: string, isPatient: boolean, exhausted: () => void): RelayedChecks {
    const { runtime, credentials, link, on } = this.#options;
    const { clock, random, loopback } = runtime.env;
    return new RelayedChecks({
      relayed,
      strategy,
      // Our own packets to an address at a relay of the other side are UDP.
      transportOf: (router) => this.#ownAt(router)?.transport ?? 'turn-udp',
      isPatient,
      clock,
      createAgent: () =>
        createCheckAgent({
          dialer: this.#isDialer,
          tieBreaker: Buffer.from(random.bytes(8)).readBigUInt64BE(),
          credentials: credentials.atRelay(relayed),
          random,
          loopback,
          budget: runtime.budget,
          isPatient,
        }),
      on: {
        validated: (path, preference, router) => {
          const own = this.#ownAt(router);
          if (own === undefined) link.addDirect(path);
          else link.addRelayed(path);
          own?.add(path);
          on.validated(path, preference);
        },
        lost: (pathId, reason) => {
          for (const own of this.#own) own.remove(pathId);
          on.lost(pathId, reason);
        },
        confirmed: (pathId) => link.table.confirm(pathId),
        doubtful: (pathId) => link.table.doubt(pathId),
        exhausted,
      },
    });
  }

  #drop(own: OwnRelay, reason: string): void {
    if (!this.#own.includes(own)) return;
    own.found.reject(new TraversalError('ERR_ABORTED', reason));
    own.close(reason);
    this.#own = this.#own.filter((each) => each !== own);
  }

  #ownAt(router: PacketRouter): OwnRelay | undefined {
    return this.#own.find((each) => each.router === router);
  }

  #checks(): readonly RelayedChecks[] {
    return [...this.#own.map(({ checks }) => checks), ...this.#theirs];
  }
}

const NONE: readonly never[] = [];
/** Addresses at relays of the other side: it has one, and another when that is lost. */
const MAX_THEIRS = 4;
