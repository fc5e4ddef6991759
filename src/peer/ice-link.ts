import { type Candidate, candidateKey, candidatePriority, type RemoteCandidate, UDP } from '../core/candidate.ts';
import type { TimerHandle } from '../core/clock.ts';
import { Deferred } from '../core/deferred.ts';
import { type Endpoint, formatEndpoint, sameEndpoint } from '../core/endpoint.ts';
import { TraversalError } from '../core/errors.ts';
import type { CheckOptions } from '../core/strategy.ts';
import type { IceSnapshot } from '../protocol/ice/index.ts';
import { type CandidateFilter, closedFilter } from './candidate-filter.ts';
import { createCheckAgent } from './check-agent.ts';
import { FoundAddresses } from './found-addresses.ts';
import { createIceGeneration, type IceGeneration } from './ice-generation.ts';
import type { IceLink, IceLinkOptions } from './ice-link-contract.ts';

/** ms after which checks by hand begin again; 16 requests to each address. */
const RENEWAL = 30_000;
/** ms in which the other side's candidates are to come. */
const PATIENCE = 10_000;
/** Candidates of the other side that are kept. */
const MAX_REMOTES = 32;
/**
 * Added to the preference of paths for each restart: every path of a later generation is preferred. Above the sum of
 * two priorities.
 */
const LATER = 2 ** 32;
/** ms in use without doubt after which a path has settled and is nominated. */
const SETTLED = 2000;

export function createIceLink(options: IceLinkOptions): IceLink {
  return new Generations(options);
}

class Generations implements IceLink {
  readonly #options: IceLinkOptions;
  readonly #tieBreaker: bigint;
  #generation = 0;
  #locals: readonly Candidate[] = [];
  /** By transport and address. */
  readonly #remotes = new Map<string, RemoteCandidate>();
  #ended = { local: false, remote: false };
  #current: IceGeneration | undefined;
  /** The last generation on which the session was heard, while the current one has yet to show that it carries it. */
  #former: IceGeneration | undefined;
  #used: string | undefined;
  #settling: TimerHandle | undefined;
  #spent = false;
  #isStopped = false;
  /** The session was heard on a path of the current generation. */
  #heard = false;
  #restarts = 0;
  #began: number;
  /** The other side will begin its checks when somebody has carried the offer there. */
  readonly #isPatient: boolean;
  #waiting: TimerHandle | undefined;
  /** Who takes part in the checks of this generation. */
  #filter: CandidateFilter = closedFilter;
  /** Whoever waits for the first path of this generation. */
  #found: Deferred<string> | undefined;
  #foundAddresses: FoundAddresses | undefined;
  #hearers: Set<(from: Endpoint) => void> | undefined;

  constructor(options: IceLinkOptions) {
    this.#options = options;
    this.#tieBreaker = Buffer.from(options.random.bytes(8)).readBigUInt64BE();
    this.#began = options.clock.now();
    this.#isPatient = options.byHand && options.dialer;
  }

  get generation(): number {
    return this.#generation;
  }

  get isSpent(): boolean {
    return this.#spent || (this.#remotes.size === 0 && this.#options.clock.now() - this.#began > PATIENCE);
  }

  get remotes(): readonly RemoteCandidate[] {
    return [...this.#remotes.values()];
  }

  addLocal(candidates: readonly Candidate[]): void {
    this.#locals = [...this.#locals, ...candidates];
    for (const candidate of candidates) {
      if (this.#filter.admits(candidate)) this.#current?.handle({ type: 'local-candidate', candidate });
    }
  }

  addRemote(candidates: readonly RemoteCandidate[]): void {
    for (const candidate of candidates) {
      if (this.#remotes.size >= MAX_REMOTES) return;
      this.#remotes.set(candidateKey(candidate), candidate);
      if (this.#filter.admits(candidate)) this.#current?.handle({ type: 'remote-candidate', candidate });
    }
  }

  end(side: 'local' | 'remote'): void {
    this.#ended = { ...this.#ended, [side]: true };
    this.#current?.handle({ type: 'end-of-candidates', side });
  }

  findPath(options: CheckOptions = {}): Promise<string> {
    if (this.#isStopped) return Promise.reject(stopped());
    const before = this.#filter;
    this.#filter = before.widened(options);
    const [path] = this.#current?.paths ?? [];
    this.#found ??= new Deferred();
    const { promise } = this.#found;
    if (path !== undefined) this.#find(path.info.id);
    if (this.#current === undefined || (this.#spent && path === undefined)) this.#begin();
    else this.#handOver(this.#current, (candidate) => !before.admits(candidate) && this.#filter.admits(candidate));
    return promise;
  }

  provePath(remote: Endpoint, strategy: string): Promise<string> {
    if (this.#isStopped) return Promise.reject(stopped());
    const current = this.#answer();
    this.#foundAddresses ??= new FoundAddresses();
    const path = this.#foundAddresses.add(remote, strategy);
    const known = current.paths.find(({ info, remote: to }) => info.transport === 'udp' && sameEndpoint(to, remote));
    if (known !== undefined) this.#foundAddresses.reach(remote, known.info.id);
    else current.handle({ type: 'remote-candidate', candidate: foundCandidate(remote) });
    return path;
  }

  hearChecks(heard: (from: Endpoint) => void): () => void {
    if (this.#isStopped) return () => {};
    this.#answer();
    this.#hearers ??= new Set();
    this.#hearers.add(heard);
    return () => this.#hearers?.delete(heard);
  }

  restart(next: number): void {
    this.#foundAddresses?.clear();
    this.#giveUp('ERR_ABORTED', 'another generation of checks has begun');
    this.#filter = closedFilter;
    this.#unsettle();
    this.#options.clock.clearTimeout(this.#waiting);
    const left = this.#current;
    this.#current = undefined;
    if (left !== undefined && left.paths.length > 0 && (this.#heard || this.#former === undefined)) {
      this.#retireFormer('restarted');
      this.#former = left;
    } else {
      this.#retire(left, 'restarted');
    }
    this.#former?.check();
    this.#spent = false;
    this.#heard = false;
    this.#restarts++;
    this.#began = this.#options.clock.now();
    this.#locals = [];
    this.#ended = { local: false, remote: this.#options.byHand && this.#ended.remote };
    if (this.#options.byHand) this.#retireFormer('restarted');
    else {
      this.#generation = next;
      this.#remotes.clear();
    }
  }

  hear(pathId: string): void {
    if (this.#heard || !this.#current?.paths.some(({ info }) => info.id === pathId)) return;
    this.#heard = true;
    this.#retireFormer('superseded');
  }

  check(): void {
    this.#unsettle();
    this.#current?.check();
    this.#former?.check();
  }

  use(pathId: string | undefined): void {
    this.#used = pathId;
    this.#current?.use(pathId);
    this.#former?.use(pathId);
    this.#settle();
  }

  snapshot(): IceSnapshot | undefined {
    return this.#current?.agent.snapshot();
  }

  stop(): void {
    this.#isStopped = true;
    this.#foundAddresses?.clear();
    this.#found?.reject(stopped());
    this.#found = undefined;
    this.#unsettle();
    this.#options.clock.clearTimeout(this.#waiting);
    this.#current?.stop();
    this.#former?.stop();
  }

  /** The agent, which answers on the peer's own UDP sockets even where it was not asked to check any pair. */
  #answer(): IceGeneration {
    if (this.#current === undefined) this.#begin();
    const current = this.#current!;
    for (const candidate of this.#locals) {
      if (candidate.type === 'host' && candidate.transport === 'udp')
        current.handle({ type: 'local-candidate', candidate });
    }
    return current;
  }

  /** A fresh agent with all that is known; one that was there has no valid pair. */
  #begin(): void {
    this.#current?.stop();
    this.#spent = false;
    this.#current = this.#createGeneration();
    this.#handOver(this.#current, (candidate) => this.#filter.admits(candidate));
    if (this.#ended.local) this.#current?.handle({ type: 'end-of-candidates', side: 'local' });
    if (this.#ended.remote) this.#current?.handle({ type: 'end-of-candidates', side: 'remote' });
    if (this.#isPatient) this.#keepChecking();
  }

  #handOver(to: IceGeneration, isWanted: (candidate: RemoteCandidate) => boolean): void {
    for (const candidate of this.#locals) if (isWanted(candidate)) to.handle({ type: 'local-candidate', candidate });
    for (const candidate of this.#remotes.values()) {
      if (isWanted(candidate)) to.handle({ type: 'remote-candidate', candidate });
    }
  }

  #find(pathId: string): void {
    this.#found?.resolve(pathId);
    this.#found = undefined;
  }

  #giveUp(code: 'ERR_ABORTED' | 'ERR_PUNCH_EXHAUSTED', message: string): void {
    this.#found?.reject(new TraversalError(code, message));
    this.#found = undefined;
  }

  #createGeneration(): IceGeneration {
    const { dialer, random, loopback, budget, routers, network, lobby, clock, on } = this.#options;
    const rank = this.#restarts * LATER;
    const agent = createCheckAgent({
      dialer,
      tieBreaker: this.#tieBreaker,
      credentials: this.#options.credentials(this.#generation),
      random,
      loopback,
      budget,
      isPatient: this.#isPatient,
    });
    const made: IceGeneration = createIceGeneration({
      number: this.#generation,
      agent,
      routers,
      network,
      lobby,
      clock,
      strategyOf: (remote) => this.#foundAddresses?.strategyOf(remote) ?? 'checks',
      on: {
        early: on.early,
        validated: (path, preference) => {
          on.validated(path, rank + preference);
          if (made !== this.#current || this.#foundAddresses?.reach(path.remote, path.info.id)) return;
          this.#find(path.info.id);
        },
        lost: (path, reason) => {
          // What was let go of because a better one was nominated is no sign of trouble.
          if (reason !== 'superseded') {
            if (made === this.#current) this.#spent = true;
            else if (made.paths.length === 0) this.#retireFormer(reason);
            this.check();
          }
          on.lost(path.info.id, reason);
        },
        doubtful: ({ info }) => on.doubtful(info.id),
        confirmed: ({ info }) => {
          on.confirmed(info.id);
          if (info.id === this.#used && this.#settling === undefined) this.#settle();
        },
        heard: (from) => {
          for (const heard of this.#hearers ?? []) heard(from);
        },
        exhausted: (reason) => {
          if (made !== this.#current) return;
          this.#spent = true;
          this.#giveUp(
            'ERR_PUNCH_EXHAUSTED',
            reason === 'timeout' ? 'no check was answered in time' : 'every check failed',
          );
        },
      },
    });
    return made;
  }

  /**
   * Checks begin again while nothing was heard: an agent sends no more than 32 requests to an address that does not
   * answer.
   */
  #keepChecking(): void {
    this.#options.clock.clearTimeout(this.#waiting);
    this.#waiting = this.#options.clock.setTimeout(() => {
      if (this.#current !== undefined && this.#current.paths.length === 0) this.#begin();
    }, RENEWAL);
  }

  #retire(generation: IceGeneration | undefined, reason: string): void {
    const lost = generation?.paths ?? [];
    generation?.stop();
    for (const { info } of lost) this.#options.on.lost(info.id, reason);
  }

  #retireFormer(reason: string): void {
    const retired = this.#former;
    this.#former = undefined;
    this.#retire(retired, reason);
  }

  /** From now on the path has to carry data without doubt for a while. */
  #settle(): void {
    this.#unsettle();
    const pathId = this.#used;
    if (!this.#options.dialer || pathId === undefined || this.#current === undefined || this.#current.isNominated)
      return;
    this.#settling = this.#options.clock.setTimeout(() => {
      this.#settling = undefined;
      this.#current?.nominate(pathId);
    }, SETTLED);
  }

  #unsettle(): void {
    this.#options.clock.clearTimeout(this.#settling);
    this.#settling = undefined;
  }
}

/** Peer-reflexive, as the other side has told of no such address (RFC 8445 section 7.3.1.3). */
function foundCandidate(remote: Endpoint): RemoteCandidate {
  return {
    type: 'prflx',
    endpoint: remote,
    priority: candidatePriority('prflx', 0),
    foundation: `found ${formatEndpoint(remote)}`,
    ...UDP,
  };
}

function stopped(): TraversalError {
  return new TraversalError('ERR_ABORTED', 'the connection has ended');
}
