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
  const { dialer, byHand, clock, random, routers, network, lobby, loopback, budget, on } = options;
  const tieBreaker = Buffer.from(random.bytes(8)).readBigUInt64BE();
  let generation = 0;
  let locals: Candidate[] = [];
  /** By transport and address. */
  const remotes = new Map<string, RemoteCandidate>();
  let ended = { local: false, remote: false };
  let current: IceGeneration | undefined;
  /** The last generation on which the session was heard, while the current one has yet to show that it carries it. */
  let former: IceGeneration | undefined;
  let used: string | undefined;
  let settling: TimerHandle | undefined;
  let spent = false;
  /** The session was heard on a path of the current generation. */
  let heard = false;
  let restarts = 0;
  let began = clock.now();
  /** The other side will begin its checks when somebody has carried the offer there. */
  const isPatient = byHand && dialer;
  let waiting: TimerHandle | undefined;

  const createGeneration = (): IceGeneration => {
    const { dialer: ofDialer, listener: ofListener } = options.credentials(generation);
    const rank = restarts * LATER;
    const agent = createIceAgent({
      role: dialer ? 'controlling' : 'controlled',
      tieBreaker,
      local: dialer ? ofDialer : ofListener,
      remote: dialer ? ofListener : ofDialer,
      random,
      nomination: 'deferred',
      ta: TA,
      rto: isPatient ? PATIENT_RTO : RTO,
      burst: BURST,
      ...(isPatient && { checkingTime: Number.POSITIVE_INFINITY }),
      allowLoopback: loopback,
      budget,
    });
    const made: IceGeneration = createIceGeneration({
      number: generation,
      agent,
      routers,
      network,
      lobby,
      clock,
      on: {
        early: on.early,
        validated(path, preference) {
          on.validated(path, rank + preference);
        },
        lost(path, reason) {
          // What was let go of because a better one was nominated is no sign of trouble.
          if (reason !== 'superseded') {
            if (made === current) spent = true;
            else if (made.paths.length === 0) retireFormer(reason);
            checkAll();
          }
          on.lost(path.info.id, reason);
        },
        doubtful: ({ info }) => on.doubtful(info.id),
        confirmed({ info }) {
          on.confirmed(info.id);
          if (info.id === used && settling === undefined) settle();
        },
        exhausted(reason) {
          if (made !== current) return;
          spent = true;
          on.exhausted(reason);
        },
      },
    });
    return made;
  };

  /**
   * Checks begin again while nothing was heard: an agent sends no more than 32 requests to an address that does not
   * answer.
   */
  const keepChecking = (): void => {
    clock.clearTimeout(waiting);
    waiting = clock.setTimeout(() => {
      if (current === undefined || current.paths.length > 0) return;
      current.stop();
      current = undefined;
      begin();
    }, RENEWAL);
  };

  const begin = (): void => {
    if (current !== undefined) return;
    current = createGeneration();
    for (const candidate of locals) current.handle({ type: 'local-candidate', candidate });
    for (const candidate of remotes.values()) current.handle({ type: 'remote-candidate', candidate });
    if (ended.local) current.handle({ type: 'end-of-candidates', side: 'local' });
    if (ended.remote) current.handle({ type: 'end-of-candidates', side: 'remote' });
    if (isPatient) keepChecking();
  };

  const retire = (generation: IceGeneration | undefined, reason: string): void => {
    const lost = generation?.paths ?? [];
    generation?.stop();
    for (const { info } of lost) on.lost(info.id, reason);
  };

  const retireFormer = (reason: string): void => {
    const retired = former;
    former = undefined;
    retire(retired, reason);
  };

  const checkAll = (): void => {
    unsettle();
    current?.check();
    former?.check();
  };

  /** From now on the path has to carry data without doubt for a while. */
  const settle = (): void => {
    unsettle();
    const pathId = used;
    if (!dialer || pathId === undefined || current === undefined || current.isNominated) return;
    settling = clock.setTimeout(() => {
      settling = undefined;
      current?.nominate(pathId);
    }, SETTLED);
  };

  const unsettle = (): void => {
    clock.clearTimeout(settling);
    settling = undefined;
  };

  return {
    get generation() {
      return generation;
    },
    get isSpent() {
      return spent || (remotes.size === 0 && clock.now() - began > PATIENCE);
    },
    get remotes() {
      return [...remotes.values()];
    },
    addLocal(candidates) {
      locals = [...locals, ...candidates];
      for (const candidate of candidates) current?.handle({ type: 'local-candidate', candidate });
    },
    addRemote(candidates) {
      for (const candidate of candidates) {
        if (remotes.size >= MAX_REMOTES) return;
        remotes.set(candidateKey(candidate), candidate);
        current?.handle({ type: 'remote-candidate', candidate });
      }
    },
    end(side) {
      ended = { ...ended, [side]: true };
      current?.handle({ type: 'end-of-candidates', side });
    },
    start: begin,
    restart(next) {
      unsettle();
      clock.clearTimeout(waiting);
      const left = current;
      current = undefined;
      if (left !== undefined && left.paths.length > 0 && (heard || former === undefined)) {
        retireFormer('restarted');
        former = left;
      } else {
        retire(left, 'restarted');
      }
      former?.check();
      spent = false;
      heard = false;
      restarts++;
      began = clock.now();
      locals = [];
      ended = { local: false, remote: byHand && ended.remote };
      if (byHand) retireFormer('restarted');
      else {
        generation = next;
        remotes.clear();
      }
    },
    hear(pathId) {
      if (heard || !current?.paths.some(({ info }) => info.id === pathId)) return;
      heard = true;
      retireFormer('superseded');
    },
    check: checkAll,
    use(pathId) {
      used = pathId;
      current?.use(pathId);
      former?.use(pathId);
      settle();
    },
    snapshot: () => current?.agent.snapshot(),
    stop() {
      unsettle();
      clock.clearTimeout(waiting);
      current?.stop();
      former?.stop();
    },
  };
}
