import { type Candidate, candidateKey, type RemoteCandidate } from '../core/candidate.ts';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import type { Environment } from '../core/environment.ts';
import {
  createIceAgent,
  type IceCredentials,
  type IceEvent,
  type IceInput,
  type IceRole,
  type IceSnapshot,
} from '../protocol/ice/index.ts';
import { createIcePump, type IcePump } from '../streams/ice-pump.ts';
import type { PacketRouter } from '../streams/packet-router.ts';

/** The pair that data goes on. */
export interface NominatedPair {
  /** Restarts before it. */
  readonly generation: number;
  /** As in the events and the snapshot. */
  readonly pairId: string;
  /** As the other side saw it. */
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

/** One generation of ICE: credentials of both sides, and the agent that has them (RFC 8445 section 9). */
export interface IceGeneration {
  readonly number: number;
  readonly local: IceCredentials;
  /** Of {@link start}. */
  readonly remote: IceCredentials | undefined;
  readonly role: IceRole;
  readonly nominated: NominatedPair | undefined;
  /** The other side's credentials are known: checks begin, and are answered from now on. */
  start(remote: IceCredentials): void;
  /** One that was added before is passed over. */
  addLocal(candidate: Candidate): void;
  addRemote(candidate: RemoteCandidate): void;
  end(side: 'local' | 'remote'): void;
  /** Whether it is a candidate of the other side, signalled or peer-reflexive. */
  knows(at: Endpoint): boolean;
  /** `undefined` before {@link start}. */
  snapshot(): IceSnapshot | undefined;
  stop(): void;
}

export interface IceGenerationOptions {
  readonly number: number;
  readonly role: IceRole;
  readonly tieBreaker: bigint;
  readonly local: IceCredentials;
  readonly env: Pick<Environment, 'clock' | 'random' | 'loopback'>;
  readonly routers: readonly PacketRouter[];
  readonly onEvent: (event: IceEvent) => void;
}

export function createIceGeneration(options: IceGenerationOptions): IceGeneration {
  const { number, local, env, routers } = options;
  let pump: IcePump | undefined;
  let remote: IceCredentials | undefined;
  let nominated: NominatedPair | undefined;
  /** What came before the agent could be made. */
  const early: Exclude<IceInput, { type: 'message' }>[] = [];
  const locals = new Set<string>();
  let senders: ReadonlySet<string> = new Set();

  const handle = (input: Exclude<IceInput, { type: 'message' }>): void => {
    if (pump === undefined) early.push(input);
    else pump.handle(input);
  };

  const onEvent = (event: IceEvent): void => {
    if (event.type === 'candidate.peer-reflexive') learnSenders();
    if (event.type === 'pair.nominated' || event.type === 'pair.lost') choose();
    options.onEvent(event);
  };

  const choose = (): void => {
    const { selected, pairs } = pump!.agent.snapshot();
    if (selected === nominated?.pairId) return;
    const pair = pairs.find(({ id }) => id === selected);
    nominated = pair && {
      generation: number,
      pairId: pair.id,
      local: pair.local.endpoint,
      remote: pair.remote.endpoint,
    };
    pump!.handle({ type: 'use', pairIds: pair === undefined ? [] : [pair.id] });
  };

  const learnSenders = (): void => {
    senders = new Set(pump?.agent.snapshot().remote.map(({ endpoint }) => formatEndpoint(endpoint)));
  };

  return {
    number,
    local,
    get remote() {
      return remote;
    },
    get role() {
      return pump?.agent.snapshot().role ?? options.role;
    },
    get nominated() {
      return nominated;
    },
    start(theirs) {
      remote = theirs;
      const agent = createIceAgent({
        role: options.role,
        tieBreaker: options.tieBreaker,
        local,
        remote: theirs,
        random: env.random,
        nomination: 'regular',
        allowLoopback: env.loopback,
      });
      pump = createIcePump({ agent, clock: env.clock, routers, onEvent });
      for (const input of early.splice(0)) pump.handle(input);
      learnSenders();
    },
    addLocal(candidate) {
      const key = `${candidateKey(candidate)} ${formatEndpoint(candidate.base)}`;
      if (locals.has(key)) return;
      locals.add(key);
      handle({ type: 'local-candidate', candidate });
    },
    addRemote(candidate) {
      handle({ type: 'remote-candidate', candidate });
      learnSenders();
    },
    end: (side) => handle({ type: 'end-of-candidates', side }),
    knows: (at) => senders.has(formatEndpoint(at)),
    snapshot: () => pump?.agent.snapshot(),
    stop: () => pump?.stop(),
  };
}
