import { type Candidate, candidateKey, type RemoteCandidate } from '../core/candidate.ts';
import type { Clock, TimerHandle } from '../core/clock.ts';
import type { Network } from '../core/network.ts';
import type { Random } from '../core/random.ts';
import { type CheckBudget, createIceAgent, type IceCredentials, type IceSnapshot } from '../protocol/ice/index.ts';
import type { DirectPath } from '../streams/direct-path.ts';
import type { PacketRouter } from '../streams/packet-router.ts';
import type { TcpLobby } from '../streams/tcp-lobby.ts';
import { createIceGeneration, type IceGeneration } from './ice-generation.ts';

export interface IceLinkOptions {
  readonly dialer: boolean;
  /**
   * What is said between the two is carried by people. The dialer's checks go on slowly until the listener's come, and
   * since nothing new can be said, a restart keeps credentials and the other side's candidates.
   */
  readonly byHand: boolean;
  /** Credentials of a generation: both sides derive the same from the shared secret. */
  readonly credentials: (generation: number) => { readonly dialer: IceCredentials; readonly listener: IceCredentials };
  readonly routers: readonly PacketRouter[];
  readonly network: Pick<Network, 'connect'>;
  /** Where TCP connections to us come in; absent, we only open some. */
  readonly lobby: TcpLobby | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly loopback: boolean;
  /** What this connection may send of what all connections of the peer may. */
  readonly budget: CheckBudget;
  readonly on: IceLinkEvents;
}

export interface IceLinkEvents {
  validated(path: DirectPath, preference: number): void;
  lost(pathId: string, reason: string): void;
  confirmed(pathId: string): void;
  /** Checks of the path have gone unanswered. */
  doubtful(pathId: string): void;
  /** A packet of the session came in over TCP before its path was validated; valid during the call only. */
  early(packet: Uint8Array): void;
  exhausted(reason: string): void;
}

/**
 * The ICE agents of a connection on the peer's shared sockets, one a generation of credentials (RFC 8445 section 9).
 */
export interface IceLink {
  readonly generation: number;
  /**
   * This generation has had its chance: a valid pair was lost again, every check failed, or the other side said
   * nothing.
   */
  readonly isSpent: boolean;
  /** What the other side has told in this generation. */
  readonly remotes: readonly RemoteCandidate[];
  addLocal(candidates: readonly Candidate[]): void;
  addRemote(candidates: readonly RemoteCandidate[]): void;
  end(side: 'local' | 'remote'): void;
  /** Begins to send checks; until then only candidates are collected. */
  start(): void;
  /**
   * New credentials on the same sockets. Paths of the generation before are asked for consent at once; those that
   * answer stay until the session was heard on a path of this one. A generation on which it never was gives way to the
   * next instead, for whoever holds the ticket can have made it.
   */
  restart(generation: number): void;
  /** The session's first authentic packet has come in on this path. */
  hear(pathId: string): void;
  /** Asks for consent on every path at once: those that died together are found out together. */
  check(): void;
  /** The path that carries data; the dialer nominates its pair once it has carried data for a while without doubt. */
  use(pathId: string | undefined): void;
  /** What this generation tried and saw; stays readable after `stop`. */
  snapshot(): IceSnapshot | undefined;
  stop(): void;
}

/** Two Sallyports agree on the fastest pacing that RFC 8445 section 14.2 allows. */
const TA = 5;
/** Retransmission of a check in ms: candidates are probed while the far side may still be opening its filter. */
const RTO = 200;
/** The same while the offer is carried by hand: a check leaves at least every 4 s. */
const PATIENT_RTO = 500;
/** ms after which such checks begin again; 16 requests to each address. */
const RENEWAL = 30_000;
/** ms in which the other side's candidates are to come. */
const PATIENCE = 10_000;
/** Candidates of the other side that are kept. */
const MAX_REMOTES = 32;
/** Checks sent at once when candidates arrive together. */
const BURST = 4;
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
  /** The session was heard on a path of the current generation. */
  #heard = false;
  #restarts = 0;
  #began: number;
  /** The other side will begin its checks when somebody has carried the offer there. */
  readonly #isPatient: boolean;
  #waiting: TimerHandle | undefined;

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
    for (const candidate of candidates) this.#current?.handle({ type: 'local-candidate', candidate });
  }

  addRemote(candidates: readonly RemoteCandidate[]): void {
    for (const candidate of candidates) {
      if (this.#remotes.size >= MAX_REMOTES) return;
      this.#remotes.set(candidateKey(candidate), candidate);
      this.#current?.handle({ type: 'remote-candidate', candidate });
    }
  }

  end(side: 'local' | 'remote'): void {
    this.#ended = { ...this.#ended, [side]: true };
    this.#current?.handle({ type: 'end-of-candidates', side });
  }

  start(): void {
    if (this.#current !== undefined) return;
    this.#current = this.#createGeneration();
    for (const candidate of this.#locals) this.#current.handle({ type: 'local-candidate', candidate });
    for (const candidate of this.#remotes.values()) this.#current.handle({ type: 'remote-candidate', candidate });
    if (this.#ended.local) this.#current.handle({ type: 'end-of-candidates', side: 'local' });
    if (this.#ended.remote) this.#current.handle({ type: 'end-of-candidates', side: 'remote' });
    if (this.#isPatient) this.#keepChecking();
  }

  restart(next: number): void {
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
    this.#unsettle();
    this.#options.clock.clearTimeout(this.#waiting);
    this.#current?.stop();
    this.#former?.stop();
  }

  #createGeneration(): IceGeneration {
    const { dialer, random, loopback, budget, routers, network, lobby, clock, on } = this.#options;
    const { dialer: ofDialer, listener: ofListener } = this.#options.credentials(this.#generation);
    const rank = this.#restarts * LATER;
    const agent = createIceAgent({
      role: dialer ? 'controlling' : 'controlled',
      tieBreaker: this.#tieBreaker,
      local: dialer ? ofDialer : ofListener,
      remote: dialer ? ofListener : ofDialer,
      random,
      nomination: 'deferred',
      ta: TA,
      rto: this.#isPatient ? PATIENT_RTO : RTO,
      burst: BURST,
      ...(this.#isPatient && { checkingTime: Number.POSITIVE_INFINITY }),
      allowLoopback: loopback,
      budget,
    });
    const made: IceGeneration = createIceGeneration({
      number: this.#generation,
      agent,
      routers,
      network,
      lobby,
      clock,
      on: {
        early: on.early,
        validated: (path, preference) => on.validated(path, rank + preference),
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
        exhausted: (reason) => {
          if (made !== this.#current) return;
          this.#spent = true;
          on.exhausted(reason);
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
      if (this.#current === undefined || this.#current.paths.length > 0) return;
      this.#current.stop();
      this.#current = undefined;
      this.start();
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
