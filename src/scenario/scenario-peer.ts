import type { AnyEventObject, InspectionEvent } from 'xstate';
import { simIdentity } from '../adapters/sim/identity.ts';
import { simNetwork } from '../adapters/sim/network.ts';
import type { CandidateType } from '../core/candidate.ts';
import { formatEndpoint } from '../core/endpoint.ts';
import type { Identity } from '../core/identity.ts';
import type { PathInfo } from '../core/path.ts';
import { pause } from '../core/pause.ts';
import type { SessionStream } from '../core/session.ts';
import {
  type Connection,
  createPeer,
  type Flow,
  type Peer,
  type PeerAddress,
  type PeerObserver,
  type Reachability,
} from '../index.ts';
import type { Host } from '../sim/host.ts';
import { simEnvironment } from './environment.ts';
import type { LeftOver } from './outcome.ts';
import { ProgramClock } from './program-clock.ts';
import { ProgramNetwork } from './program-network.ts';
import type { ConnectionNews, PeerNews, Without } from './run-event.ts';
import type { DialPlan, PeerPlan } from './scenario.ts';
import { asConnection, SideRecord } from './side-record.ts';

/** What a peer tells of itself: its name is known. */
export type OwnNews = Without<PeerNews | ConnectionNews, 'who'>;

export interface ScenarioPeerOptions {
  readonly plan: PeerPlan;
  readonly host: Host;
  /** Absent: the default flow. */
  readonly flow: Flow | undefined;
  readonly servers: readonly string[];
  /** By what it is dialled. */
  readonly dialedBy: ReadonlySet<'ticket' | 'key'>;
  readonly tell: (news: OwnNews) => void;
  /** Whether what the charts do is told step by step. */
  readonly isWatched: boolean;
}

/** A peer of a scenario: it listens, echoes, and keeps records of its connections. */
export class ScenarioPeer {
  readonly name: string;
  readonly host: Host;
  readonly identity: Identity;
  readonly #options: ScenarioPeerOptions;
  /** Kinds of all candidates that it ever had, by transport and address. */
  readonly #candidates = new Map<string, CandidateType>();
  readonly #clock: ProgramClock;
  readonly #network: ProgramNetwork;
  /** By connection id. */
  readonly #records = new Map<string, SideRecord>();
  readonly #killed: Promise<void>;
  #onKilled: () => void = () => {};
  #state: 'waiting' | 'running' | 'killed' = 'waiting';
  #peer: Promise<Peer> | undefined;
  #ticket: Promise<string> | undefined;
  #registered: Promise<void> | undefined;

  constructor(options: ScenarioPeerOptions) {
    this.#options = options;
    this.name = options.plan.name;
    this.host = options.host;
    this.identity = simIdentity(this.host.random.stream(`identity ${this.name}`));
    this.#clock = new ProgramClock(this.host.clock);
    this.#network = new ProgramNetwork(simNetwork(this.host));
    this.#killed = new Promise((resolve) => {
      this.#onKilled = resolve;
    });
  }

  /** What it has not released yet. */
  get leftOver(): LeftOver {
    return { timers: this.#clock.pending, sockets: this.#network.open };
  }

  /** Of a connection, once its chart has started here. */
  record(connection: string): SideRecord | undefined {
    return this.#records.get(connection);
  }

  /** Of which kind this peer's candidate is that another one's path leads to; one that it never told is peer-reflexive. */
  typeOf({ transport, remote }: PathInfo): CandidateType {
    return this.#candidates.get(`${transport} ${remote}`) ?? 'prflx';
  }

  /** Opens the peer in `delay` ms; it lets in the holders of its tickets, and of these keys. Errors: those of `createPeer`. */
  async start(delay: number, keys: readonly Uint8Array[]): Promise<void> {
    const { dialedBy, tell } = this.#options;
    this.#peer = pause(this.host.clock, delay).then(() => {
      this.#state = 'running';
      return this.#create(keys);
    });
    const peer = await this.#peer;
    tell({ type: 'started' });
    peer.incoming$.subscribe((connection) => this.#serve(connection));
    peer.reachability$.subscribe((reachability) => {
      this.#note(reachability);
      tell({ type: 'reachability', reachability });
    });
    if (dialedBy.has('ticket')) this.#ticket = peer.createTicket();
    if (dialedBy.has('key')) this.#registered = peer.register();
    if (dialedBy.size === 0) return;
    await Promise.all([this.#ticket, this.#registered]).then(
      () => tell({ type: 'listening' }),
      (error) => tell({ type: 'log', event: 'not-listening', fields: { error: String(error) } }),
    );
  }

  /** What makes a connection to another peer, once both have been started. Errors: those of `createTicket` and `register` there. */
  async dialer(to: ScenarioPeer, { by, timeout }: DialPlan): Promise<() => Connection> {
    const [peer, target] = await Promise.all([this.#peer!, to.#target(by)]);
    return () => {
      const connection = peer.connect(target, { timeout });
      connection.verdict.then((verdict) => this.record(connection.id)?.end(verdict));
      return connection;
    };
  }

  /** Fulfils when it has been killed, if ever. */
  get killed(): Promise<void> {
    return this.#killed;
  }

  /** Its program is gone from one moment to the next, and says nothing any more; its host has closed the sockets. */
  kill(): void {
    if (this.#state !== 'running') return;
    this.#state = 'killed';
    this.#clock.stop();
    this.#options.tell({ type: 'killed' });
    this.#onKilled();
  }

  /** Fulfils when nothing is left of it. */
  async close(): Promise<void> {
    if (this.#state === 'killed') return;
    const peer = await this.#peer;
    await peer?.close();
  }

  #create(keys: readonly Uint8Array[]): Promise<Peer> {
    const { plan, flow, servers, tell } = this.#options;
    const inspect = (event: InspectionEvent): void => this.#inspect(event);
    const env = simEnvironment(this.host, {
      name: this.name,
      servers,
      stun: plan.stun,
      turn: plan.turn,
      mapping: plan.mapping,
      clock: this.#clock,
      network: this.#network,
      log: (event, fields) => tell({ type: 'log', event, fields }),
    });
    const observer = this.#options.isWatched ? this.#observer() : undefined;
    return createPeer({ env, flow, identity: this.identity, policy: plan.policy, accept: { keys }, inspect, observer });
  }

  /** What nobody but a watch wants to know. */
  #observer(): PeerObserver {
    const { tell } = this.#options;
    return {
      signal: (signal) => tell({ type: 'signal', signal }),
      pairs: (connection, pairs) => tell({ type: 'pairs', connection, pairs }),
      stats: (connection, stats) => tell({ type: 'stats', connection, stats }),
    };
  }

  async #target(by: DialPlan['by']): Promise<string | PeerAddress> {
    await this.#peer;
    if (by !== 'key') return this.#ticket!;
    await this.#registered;
    return { key: this.identity.publicKey, servers: this.#options.servers };
  }

  #note({ candidates }: Reachability): void {
    for (const { transport, endpoint, type } of candidates) {
      const key = `${transport} ${formatEndpoint(endpoint)}`;
      // What a mapping made stays its doing when STUN servers see it too.
      if (this.#candidates.get(key) !== 'mapped') this.#candidates.set(key, type);
    }
  }

  #serve(connection: Connection): void {
    connection.verdict.then((verdict) => this.record(connection.id)?.end(verdict));
    connection.streams$.subscribe((stream) => {
      echo(stream).catch((error) => {
        const fields = { connection: connection.id, error: String(error) };
        this.#options.tell({ type: 'log', event: 'echo-ended', fields });
      });
    });
  }

  #inspect(inspection: InspectionEvent): void {
    if (this.#options.isWatched) this.#options.tell({ type: 'machine', inspection });
    if (inspection.type === '@xstate.snapshot') {
      const snapshot = asConnection(inspection.snapshot);
      if (snapshot !== undefined) this.#recordOf(snapshot.context).follow(snapshot, this.host.clock.now());
    } else if (inspection.type === '@xstate.event' && isExhaustion(inspection.event)) {
      const snapshot = asConnection(inspection.actorRef.getSnapshot());
      if (snapshot !== undefined) this.#recordOf(snapshot.context).exhaust();
    }
  }

  #recordOf({ id, role }: { readonly id: string; readonly role: 'dialer' | 'listener' }): SideRecord {
    const known = this.#records.get(id);
    if (known !== undefined) return known;
    const record = new SideRecord(role, (news) => this.#options.tell({ connection: id, ...news }));
    this.#records.set(id, record);
    return record;
  }
}

/** A round of punching has ended without a direct path. */
function isExhaustion(event: AnyEventObject): boolean {
  return event.type === 'xstate.done.actor.punch' && event.output?.ok !== true;
}

/** Sends everything back, and ends when the other side does. Errors: those of the stream. */
async function echo(stream: SessionStream): Promise<void> {
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) await stream.write(chunk);
  await stream.end();
}
