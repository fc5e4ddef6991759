import { filter, type Subscription } from 'rxjs';
import type { Candidate, RemoteCandidate } from '../core/candidate.ts';
import type { TimerHandle } from '../core/clock.ts';
import { Deferred } from '../core/deferred.ts';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import type { Environment } from '../core/environment.ts';
import { TraversalError } from '../core/errors.ts';
import type { ByteSocket, DatagramSocket } from '../core/network.ts';
import type { IceEvent } from '../protocol/ice/index.ts';
import { createDirectPath, type DirectPath } from '../streams/direct-path.ts';
import { createIcePump, type IcePump, type IcePumpTcp } from '../streams/ice-pump.ts';
import type { PacketRouter } from '../streams/packet-router.ts';
import { createCheckAgent } from './check-agent.ts';
import type { ConnectionServices } from './connection-services.ts';
import type { SessionLink } from './session-link.ts';
import type { StrategyRun } from './strategy-run.ts';

/** What checks of a link take of its connection, and of the strategy's run. */
export type CheckServices = Pick<ConnectionServices, 'role' | 'credentials' | 'budget' | 'losePath'> & {
  readonly env: Pick<Environment, 'clock' | 'random' | 'loopback'>;
  readonly link: Pick<SessionLink, 'table' | 'accept'>;
};
export type CheckRun = Pick<StrategyRun, 'strategy' | 'signal' | 'handOver' | 'adopt'>;

/** A socket or TCP connection of a strategy's, on which nothing but its own checks and the session are to be. */
export interface CheckedLink {
  readonly socket: DatagramSocket | ByteSocket;
  readonly remote: Endpoint;
  /** Over TCP there is no router, and `tcp`. */
  readonly routers: readonly PacketRouter[];
  readonly tcp?: IcePumpTcp;
  readonly local: Candidate;
  /** Absent: the other side asks first. */
  readonly candidate?: RemoteCandidate;
  send(packet: Uint8Array, to: Endpoint, pairId: string): boolean;
  /** The path stands, and socket or connection is no more the run's. */
  onProven?(path: DirectPath): void;
  /** Nothing came of it, or nobody wants it any more. */
  onFailed?(): void;
  /** The path was closed. */
  onClosed(): void;
}

/** ms until the other side must have proven itself: round trips, and time for what gets lost. */
export const PROOF_TIME = 5000;

/** The checks of one link by an ICE agent of its own, with the connection's credentials, and the path that they make. */
export class LinkChecks {
  readonly #services: CheckServices;
  readonly #run: CheckRun;
  readonly #link: CheckedLink;
  readonly #pump: IcePump;
  readonly #result = new Deferred<string>();
  readonly #deadline: TimerHandle;
  readonly #suspicions: Subscription;
  #path: DirectPath | undefined;
  #pairId: string | undefined;
  #stopped = false;

  constructor(services: CheckServices, run: CheckRun, link: CheckedLink) {
    const { role, env, credentials, budget } = services;
    const { clock, random, loopback } = env;
    this.#services = services;
    this.#run = run;
    this.#link = link;
    const tieBreaker = Buffer.from(random.bytes(8)).readBigUInt64BE();
    this.#pump = createIcePump({
      agent: createCheckAgent({ dialer: role === 'dialer', tieBreaker, credentials, random, loopback, budget }),
      clock,
      routers: link.routers,
      ...(link.tcp && { tcp: link.tcp }),
      onEvent: (event) => this.#handle(event),
    });
    this.#deadline = clock.setTimeout(() => this.lose('no proof in time'), PROOF_TIME);
    this.#suspicions = services.link.table.observations$
      .pipe(filter(({ type }) => type === 'suspect'))
      .subscribe(() => this.#check());
    run.signal.addEventListener('abort', this.#abort);
    this.#pump.handle({ type: 'local-candidate', candidate: link.local });
    if (link.candidate !== undefined) this.#pump.handle({ type: 'remote-candidate', candidate: link.candidate });
  }

  /** Id of the path. Errors: those of `PathEnvironment.validate`. */
  get proven(): Promise<string> {
    return this.#result.promise;
  }

  /** A packet of the session came in on the link. */
  receive(packet: Uint8Array): void {
    if (this.#path === undefined) this.#services.link.accept([packet]);
    else this.#path.receive(packet);
  }

  /** Sends a packet of the session on the TCP connection of the pair. */
  sendTcp(packet: Uint8Array, pairId: string): boolean {
    return this.#pump.sendTcp(pairId, packet);
  }

  /** The link is no good, or has ended. */
  lose(reason: string): void {
    if (this.#stopped) return;
    if (this.#path === undefined) this.#fail(exhausted(this.#link.remote, reason));
    else this.#services.losePath(this.#path.info.id, reason);
  }

  #handle(event: IceEvent): void {
    const { table } = this.#services.link;
    switch (event.type) {
      case 'pair.valid':
        if (this.#path === undefined) this.#validate(event);
        break;
      case 'pair.confirmed':
        if (event.pairId === this.#pairId) table.confirm(this.#path!.info.id);
        break;
      case 'pair.doubtful':
        if (event.pairId === this.#pairId) table.doubt(this.#path!.info.id);
        break;
      case 'pair.lost':
        if (event.pairId === this.#pairId) this.lose(event.reason);
        break;
      case 'checks.exhausted':
        this.lose('no check was answered');
    }
  }

  #validate({ pairId, local, remote, rtt }: Extract<IceEvent, { type: 'pair.valid' }>): void {
    const { strategy } = this.#run;
    const { socket, send, onProven } = this.#link;
    const transport = this.#link.tcp === undefined ? 'udp' : 'tcp';
    const path = createDirectPath({
      id: `${transport}/${strategy.name}/${formatEndpoint(socket.local)}>${formatEndpoint(remote.endpoint)}`,
      transport,
      send: (packet) => send(packet, remote.endpoint, pairId),
      local: local.endpoint,
      remote: remote.endpoint,
      strategy: strategy.name,
      rtt,
      onClose: () => this.#close(),
    });
    this.#path = path;
    this.#pairId = pairId;
    this.#settle();
    this.#pump.handle({ type: 'use', pairIds: [pairId] });
    this.#run.handOver(socket);
    onProven?.(path);
    this.#result.resolve(this.#run.adopt(path, local.priority + remote.priority));
  }

  /** Asks for consent at once. */
  #check(): void {
    if (this.#pairId !== undefined) this.#pump.handle({ type: 'check', pairId: this.#pairId });
  }

  readonly #abort = (): void => this.#fail(this.#run.signal.reason);

  /** Before the path stands; from then on it is lost by its own rules. */
  #fail(reason: Error): void {
    this.#stop();
    this.#link.onFailed?.();
    this.#result.reject(reason);
  }

  #close(): void {
    this.#stop();
    this.#link.onClosed();
  }

  #stop(): void {
    this.#stopped = true;
    this.#settle();
    this.#suspicions.unsubscribe();
    this.#pump.stop();
  }

  /** Whether it is the other side, is known. */
  #settle(): void {
    this.#services.env.clock.clearTimeout(this.#deadline);
    this.#run.signal.removeEventListener('abort', this.#abort);
  }
}

export function exhausted(remote: Endpoint, reason: string): TraversalError {
  return new TraversalError('ERR_PUNCH_EXHAUSTED', `${formatEndpoint(remote)}: ${reason}`);
}
