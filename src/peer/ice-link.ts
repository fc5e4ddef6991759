import { type Candidate, candidateKey, type RemoteCandidate } from '../core/candidate.ts';
import type { Clock } from '../core/clock.ts';
import type { Random } from '../core/random.ts';
import type { IceCredentials, IceEvent, IceSnapshot } from '../protocol/ice/index.ts';
import { createIceAgent } from '../protocol/ice/index.ts';
import { createDirectPath, type DirectPath } from '../streams/direct-path.ts';
import { createIcePump, type IcePump } from '../streams/ice-pump.ts';
import type { PacketRouter } from '../streams/packet-router.ts';

export interface IceLinkOptions {
  readonly dialer: boolean;
  /** Credentials of a generation: both sides derive the same from the shared secret. */
  readonly credentials: (generation: number) => { readonly dialer: IceCredentials; readonly listener: IceCredentials };
  readonly routers: readonly PacketRouter[];
  readonly clock: Clock;
  readonly random: Random;
  readonly loopback: boolean;
  readonly on: IceLinkEvents;
}

export interface IceLinkEvents {
  validated(path: DirectPath, preference: number): void;
  lost(pathId: string, reason: string): void;
  confirmed(pathId: string): void;
  exhausted(reason: string): void;
}

/** The ICE agent of a connection on the peer's shared sockets, through restarts (RFC 8445 section 9). */
export interface IceLink {
  readonly generation: number;
  /** This generation has had its chance: a valid pair was lost again, every check failed, or the other side said nothing. */
  readonly isSpent: boolean;
  /** What the other side has told in this generation. */
  readonly remotes: readonly RemoteCandidate[];
  addLocal(candidates: readonly Candidate[]): void;
  addRemote(candidates: readonly RemoteCandidate[]): void;
  end(side: 'local' | 'remote'): void;
  /** Begins to send checks; until then only candidates are collected. */
  start(): void;
  /** New credentials on the same sockets; the pairs of older generations are lost. */
  restart(generation: number): void;
  /** Asks for consent on every path at once: those that died together are found out together. */
  check(): void;
  /** The path that carries data. */
  use(pathId: string | undefined): void;
  /** What this generation tried and saw; stays readable after `stop`. */
  snapshot(): IceSnapshot | undefined;
  stop(): void;
}

/** Two Sallyports agree on the fastest pacing that RFC 8445 section 14.2 allows. */
const TA = 5;
/** Retransmission of a check in ms: candidates are probed while the far side may still be opening its filter. */
const RTO = 200;
/** ms in which the other side's candidates are to come. */
const PATIENCE = 10_000;
/** Candidates of the other side that are kept. */
const MAX_REMOTES = 32;
/** Checks sent at once when candidates arrive together. */
const BURST = 4;

export function createIceLink(options: IceLinkOptions): IceLink {
  const { dialer, clock, random, routers, loopback, on } = options;
  const tieBreaker = Buffer.from(random.bytes(8)).readBigUInt64BE();
  let generation = 0;
  let locals: Candidate[] = [];
  /** By address. */
  const remotes = new Map<string, RemoteCandidate>();
  let ended = { local: false, remote: false };
  let pump: IcePump | undefined;
  let spent = false;
  let began = clock.now();
  /** Valid pairs by pair id. */
  const paths = new Map<string, DirectPath>();

  const handleEvent = (event: IceEvent): void => {
    if (event.type === 'pair.valid') validate(event);
    else if (event.type === 'pair.lost') lose(event.pairId, event.reason);
    else if (event.type === 'checks.exhausted') {
      spent = true;
      on.exhausted(event.reason);
    } else if (event.type === 'pair.confirmed') {
      const path = paths.get(event.pairId);
      if (path !== undefined) on.confirmed(path.info.id);
    }
  };

  const validate = ({ pairId, local, remote, rtt }: Extract<IceEvent, { type: 'pair.valid' }>): void => {
    const router = routers.find(({ socket }) => socket.local.family === remote.endpoint.family);
    if (router === undefined || paths.has(pairId)) return;
    const path = createDirectPath({
      id: `udp/${generation}/${pairId}`,
      socket: router.socket,
      local: local.endpoint,
      remote: remote.endpoint,
      strategy: 'checks',
      rtt,
    });
    paths.set(pairId, path);
    on.validated(path, remote.priority + local.priority);
  };

  const lose = (pairId: string, reason: string): void => {
    const path = paths.get(pairId);
    if (path === undefined) return;
    paths.delete(pairId);
    spent = true;
    checkAll();
    on.lost(path.info.id, reason);
  };

  const checkAll = (): void => {
    for (const pairId of [...paths.keys()]) pump?.handle({ type: 'check', pairId });
  };

  const pairOf = (pathId: string | undefined): string | undefined =>
    [...paths].find(([, path]) => path.info.id === pathId)?.[0];

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
      for (const candidate of candidates) pump?.handle({ type: 'local-candidate', candidate });
    },
    addRemote(candidates) {
      for (const candidate of candidates) {
        if (remotes.size >= MAX_REMOTES) return;
        remotes.set(candidateKey(candidate), candidate);
        pump?.handle({ type: 'remote-candidate', candidate });
      }
    },
    end(side) {
      ended = { ...ended, [side]: true };
      pump?.handle({ type: 'end-of-candidates', side });
    },
    start() {
      if (pump !== undefined) return;
      const credentials = options.credentials(generation);
      const agent = createIceAgent({
        role: dialer ? 'controlling' : 'controlled',
        tieBreaker,
        local: dialer ? credentials.dialer : credentials.listener,
        remote: dialer ? credentials.listener : credentials.dialer,
        random,
        nomination: 'deferred',
        ta: TA,
        rto: RTO,
        burst: BURST,
        allowLoopback: loopback,
      });
      pump = createIcePump({ agent, clock, routers, onEvent: handleEvent });
      for (const candidate of locals) pump.handle({ type: 'local-candidate', candidate });
      for (const candidate of remotes.values()) pump.handle({ type: 'remote-candidate', candidate });
      if (ended.local) pump.handle({ type: 'end-of-candidates', side: 'local' });
      if (ended.remote) pump.handle({ type: 'end-of-candidates', side: 'remote' });
    },
    restart(next) {
      pump?.stop();
      pump = undefined;
      generation = next;
      const lost = [...paths.values()].map((path) => path.info.id);
      paths.clear();
      spent = false;
      began = clock.now();
      remotes.clear();
      locals = [];
      ended = { local: false, remote: false };
      for (const path of lost) on.lost(path, 'restarted');
    },
    check: checkAll,
    use(pathId) {
      const pairId = pairOf(pathId);
      pump?.handle({ type: 'use', pairIds: pairId === undefined ? [] : [pairId] });
    },
    snapshot: () => pump?.agent.snapshot(),
    stop() {
      pump?.stop();
      paths.clear();
    },
  };
}
