import type { InspectionEvent } from 'xstate';
import type { Clock } from '../../core/clock.ts';
import type { Environment } from '../../core/environment.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { Identity } from '../../core/identity.ts';
import type { Network } from '../../core/network.ts';
import type { Random } from '../../core/random.ts';
import type { Session, SessionOptions } from '../../core/session.ts';
import type { Signaling } from '../../core/signaling.ts';
import type { Flow } from '../../flows/flow.ts';
import {
  type Connection,
  type ConnectionDelays,
  type ConnectionState,
  createPeer,
  createScores,
  type Peer,
  type ScoresJson,
} from '../../index.ts';
import { ProgramClock } from '../../scenario/program-clock.ts';
import type { PeerRecorder } from '../../trace/index.ts';
import type { Remains } from '../model/driver.ts';
import type { SideObservation, Sight } from '../model/sight.ts';
import { ChartWatch } from './chart-watch.ts';
import { isSuspect, sightOf } from './connection-sight.ts';
import { FaultyNetwork } from './faulty-network.ts';
import { faultySignaling, type SignalingFaults } from './faulty-signaling.ts';
import { echoAll, PairTalk } from './pair-talk.ts';
import { slowJournal } from './slow-journal.ts';
import type { SubscriptionCount } from './subscription-count.ts';

export interface PairProgramOptions {
  readonly flow: Flow;
  readonly identity: Identity;
  /** Of the world that the program runs in, before anything is wrong with it. */
  readonly clock: Clock;
  readonly network: Network;
  /** Of which datagrams are lost. */
  readonly random: Random;
  /** The world as an environment, over this clock and this network. */
  readonly environment: (parts: { readonly clock: Clock; readonly network: Network }) => Environment;
  readonly delays?: Partial<ConnectionDelays>;
  /** What strategies are ordered by, to begin with; absent: they are not. */
  readonly scores?: ScoresJson;
  readonly inspect?: (event: InspectionEvent) => void;
  readonly recorder?: PeerRecorder;
}

/** One run of one side's program: a peer, and the one connection that the model is about. */
export class PairProgram {
  readonly network: FaultyNetwork;
  readonly signalingFaults: SignalingFaults = { delay: 0 };
  readonly talk: PairTalk;
  readonly #options: PairProgramOptions;
  readonly #clock: ProgramClock;
  readonly #subscriptions: SubscriptionCount = { standing: 0 };
  readonly #abort = new AbortController();
  readonly #signaling: Signaling[] = [];
  readonly #charts: ChartWatch;
  #session: Session | undefined;
  #peer: Peer | undefined;
  #connection: Connection | undefined;
  #state: ConnectionState | undefined;
  #suspectSince: number | undefined;
  #code: ErrorCode | undefined;
  #established = 0;
  #seen: { readonly sight: Sight; readonly since: number };
  #isKilled = false;

  constructor(options: PairProgramOptions) {
    this.#options = options;
    this.#clock = new ProgramClock(options.clock);
    this.network = new FaultyNetwork(options.network, options.random, this.#subscriptions);
    this.#charts = new ChartWatch(options.flow);
    this.talk = new PairTalk(this.#clock, TALK);
    this.#seen = { sight: 'none', since: options.clock.now() };
  }

  /** Opens the peer. Errors: those of `createPeer`. */
  async start(): Promise<void> {
    const { flow, identity, delays, scores, inspect, recorder } = this.#options;
    const env = this.#environment();
    const peer = await createPeer({
      env,
      flow,
      identity,
      delays,
      scores: scores && createScores(scores),
      inspect: (event) => {
        this.#charts.inspect(event);
        recorder?.inspect(event);
        inspect?.(event);
      },
    });
    this.#peer = peer;
    peer.reachability$.subscribe((reachability) => recorder?.reachability(reachability));
    peer.incoming$.subscribe((connection) => {
      this.#established++;
      this.#follow(connection);
      connection.streams$.subscribe((stream) => {
        echoAll(stream).catch((error) => env.log('echo.ended', { error: String(error) }));
      });
    });
  }

  /** Before it is started: what was to break in a run before breaks in this one. `ports`: it gets those of that run. */
  succeed({ network, doomed }: PairProgram, ports: 'same' | undefined): void {
    for (const actor of doomed) this.#charts.break(actor);
    if (ports === 'same') for (const [family, port] of network.ports) this.network.ports.set(family, port);
  }

  /** Names of actors that fail as soon as there is one. */
  get doomed(): readonly string[] {
    return this.#charts.doomed;
  }

  /** Registers, for a ticket to this side. Errors: those of `Peer.createTicket`. */
  createTicket(): Promise<string> {
    return this.#running().createTicket();
  }

  /** Registers, where a server can be reached; what keeps it from that is in the log. */
  register(): void {
    const { recorder } = this.#options;
    this.#running()
      .register()
      .catch((error) => recorder?.log('not-registered', { error: String(error) }));
  }

  /** Dials, and talks once it is connected. */
  dial(ticket: string): void {
    const connection = this.#running().connect(ticket, { signal: this.#abort.signal });
    this.#follow(connection);
    connection.ready.then(
      () => this.#established++,
      () => undefined, // The verdict says why.
    );
    void this.talk.speak(connection);
  }

  /** The user closes the connection; nothing happens where there is none. */
  hangUp(): void {
    void this.#connection?.close();
  }

  /** The session ends with an error. */
  breakSession(): void {
    this.#session?.close(BROKEN, 'broken by a test');
  }

  /** An actor of the charts fails, or the next one of that name. */
  breakActor(actor: string): void {
    this.#charts.break(actor);
    this.#look();
  }

  /** The user aborts the dial. */
  abort(): void {
    this.#abort.abort();
  }

  /** `startedAt`: of the world, by its clock. */
  observe(startedAt: number): SideObservation {
    if (this.#connection === undefined) this.#look();
    const { sight, since } = this.#seen;
    return {
      sight,
      since: since - startedAt,
      path: this.#connection?.path,
      suspectSince: this.#suspectSince === undefined ? undefined : this.#suspectSince - startedAt,
      code: this.#code,
      established: this.#established,
      winners: this.#charts.winners,
      sent: this.network.sent,
    };
  }

  /** The program is gone from one moment to the next; nothing of it says or does anything more. */
  kill(): void {
    this.#isKilled = true;
    this.#clock.stop();
    this.network.destroy();
    for (const signaling of this.#signaling) signaling.close();
    this.#see('gone');
  }

  async close(): Promise<void> {
    if (!this.#isKilled) await this.#peer?.close();
  }

  /** What it has not released; of a program that was killed, nothing is left. */
  get remains(): Remains {
    if (this.#isKilled) return { timers: 0, sockets: 0, subscriptions: 0 };
    return {
      timers: this.#clock.pending,
      sockets: this.network.open,
      subscriptions: this.#subscriptions.standing,
    };
  }

  #environment(): Environment {
    const { environment, recorder } = this.#options;
    const env = environment({ clock: this.#clock, network: this.network });
    const { leaseJournal } = env;
    return {
      ...env,
      clock: this.#clock,
      network: this.network,
      log: (event, fields) => {
        recorder?.log(event, fields);
        env.log(event, fields);
      },
      leaseJournal: leaseJournal && (() => slowJournal(leaseJournal(), this.#clock)),
      sessions: async (identity) => {
        const factory = await env.sessions(identity);
        const create = (options: SessionOptions): Session => {
          this.#session = factory.create(options);
          return this.#session;
        };
        return { create, close: () => factory.close() };
      },
      signaling: (url) => {
        const signaling = env.signaling(url);
        this.#signaling.push(signaling);
        const faults = { faults: this.signalingFaults, clock: this.#clock, subscriptions: this.#subscriptions };
        return faultySignaling(signaling, faults);
      },
    };
  }

  #running(): Peer {
    if (this.#peer === undefined) throw new Error('the program has not been started');
    return this.#peer;
  }

  #follow(connection: Connection): void {
    this.#connection = connection;
    connection.state$.subscribe((state) => {
      this.#state = state;
      this.#suspectSince = isSuspect(state) ? (this.#suspectSince ?? this.#options.clock.now()) : undefined;
      this.#look();
    });
    connection.path$.subscribe(() => this.#look());
    connection.verdict.then((verdict) => {
      // A dial that fails at once has no state to be looked at any more, and a chart that broke has come to no end.
      const { sight } = this.#seen;
      if (sight !== 'closed' && sight !== 'failed') this.#see(verdict.code === undefined ? 'closed' : 'failed');
      this.#code = verdict.code;
      this.#options.recorder?.verdict(connection.id, verdict);
    });
  }

  /** A listener's user is given a connection once it is established; before that, only its chart is there to be seen. */
  #look(): void {
    if (this.#state !== undefined) this.#see(sightOf(this.#state, this.#connection?.path));
    else if (this.#charts.connection !== undefined) {
      this.#see(sightOf(this.#charts.connection.state, this.#charts.connection.path));
    }
  }

  #see(sight: Sight): void {
    if (this.#seen.sight === sight || this.#seen.sight === 'gone') return;
    this.#seen = { sight, since: this.#options.clock.now() };
  }
}

/** ms between two numbers that the dialer says. */
const TALK = 1_000;
/** A code of an application's own (RFC 9000 section 20.2); any but 0 is an error. */
const BROKEN = 1;
