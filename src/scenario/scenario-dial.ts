import { asTraversalError } from '../core/errors.ts';
import { pause } from '../core/pause.ts';
import type { Connection } from '../index.ts';
import type { VirtualClock } from '../sim/virtual-clock.ts';
import { converse } from './conversation.ts';
import type { DialOutcome, Pong, SideOutcome } from './outcome.ts';
import type { ConnectionNews } from './run-event.ts';
import type { DialPlan } from './scenario.ts';
import type { ScenarioPeer } from './scenario-peer.ts';
import type { SideRecord } from './side-record.ts';

export interface ScenarioDialOptions {
  readonly plan: DialPlan;
  readonly from: ScenarioPeer;
  readonly to: ScenarioPeer;
  readonly clock: VirtualClock;
  /** Told before anything else of the connection that was made. */
  readonly onDialed: (connection: string, dial: ScenarioDial) => void;
  readonly tell: (news: ConnectionNews) => void;
  /** How many packets the host of that name has sent so far. */
  readonly packetsOf: (host: string) => number;
}

/** One dial of a scenario, from the call to its outcome. */
export class ScenarioDial {
  readonly #options: ScenarioDialOptions;
  readonly #pongs: Pong[] = [];
  #connection: Connection | undefined;
  /** This and the following in ms since the beginning of the run. */
  #dialedAt: number | undefined;
  #echoedAt: number | undefined;
  #settledAt: number | undefined;
  #error: DialOutcome['error'];
  /** What both hosts had sent before, and when it settled or the run ended. */
  #sentBefore: Sent = { from: 0, to: 0 };
  #sentAfter: Sent | undefined;
  /** Runs while nothing happens any more. */
  #resting: ReturnType<VirtualClock['setTimeout']> | undefined;
  #onSettled: () => void = () => {};
  #isOver = false;

  constructor(options: ScenarioDialOptions) {
    this.#options = options;
  }

  /** Dials and talks; fulfils when it has settled and was kept for its time, or has ended. */
  async run(): Promise<void> {
    const { plan, from, to, clock } = this.#options;
    await pause(clock, plan.at);
    const settled = new Promise<void>((resolve) => {
      this.#onSettled = resolve;
    });
    try {
      const connect = await from.dialer(to, plan);
      if (this.#isOver) return;
      const connection = this.#dial(connect);
      const rest = Promise.race([settled, from.killed]);
      await Promise.race([connection.verdict, Promise.all([rest, pause(clock, plan.lasts ?? 0)])]);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** One of the two charts has changed. */
  changed(): void {
    const { clock } = this.#options;
    if (this.#settledAt !== undefined || this.#isOver) return;
    clock.clearTimeout(this.#resting);
    const [at, sent] = [clock.now(), this.#sent()];
    if (this.#own?.verdict !== undefined) this.#settle(at, sent);
    else if (this.#isAtRest()) this.#resting = clock.setTimeout(() => this.#settle(at, sent), REST);
  }

  /** The run ends: what the connection does from now on is no outcome. */
  end(): void {
    this.#isOver = true;
    this.#options.clock.clearTimeout(this.#resting);
    this.#sentAfter ??= this.#sent();
  }

  outcome(): DialOutcome {
    const { from, to } = this.#options;
    const own = this.#own;
    const { from: packets, to: packetsThere } = this.#packets();
    return {
      from: from.name,
      to: to.name,
      dialedAt: this.#dialedAt,
      error: this.#error,
      outcome: own?.verdict?.outcome ?? 'failed',
      ready: this.#since(own?.readyAt),
      firstEcho: this.#since(this.#echoedAt),
      direct: this.#since(own?.paths.find(({ path }) => path?.kind === 'direct')?.at),
      settled: this.#since(this.#settledAt),
      path: own?.paths.findLast(({ path }) => path !== undefined)?.path,
      dialer: own && this.#side(own, to, packets),
      listener: this.#other && this.#side(this.#other, from, packetsThere),
      pongs: this.#pongs,
    };
  }

  get #own(): SideRecord | undefined {
    return this.#connection && this.#options.from.record(this.#connection.id);
  }

  get #other(): SideRecord | undefined {
    return this.#connection && this.#options.to.record(this.#connection.id);
  }

  #dial(connect: () => Connection): Connection {
    const { plan, from, to, clock, onDialed, tell } = this.#options;
    this.#dialedAt = clock.now();
    this.#sentBefore = this.#sent();
    const connection = connect();
    this.#connection = connection;
    onDialed(connection.id, this);
    const whose = { who: from.name, connection: connection.id };
    tell({ ...whose, type: 'dialed', to: to.name });
    converse(connection, {
      clock,
      pingEvery: plan.pingEvery,
      onEcho: () => {
        this.#echoedAt = clock.now();
        tell({ ...whose, type: 'echo' });
        this.changed();
      },
      onPong: (pong) => {
        const told = { ...pong, sentAt: this.#since(pong.sentAt)! };
        this.#pongs.push(told);
        tell({ ...whose, type: 'pong', pong: told });
      },
    }).catch((error) => this.#fail(error));
    return connection;
  }

  /** A connection that ends takes its streams along: its verdict says why. */
  #fail(error: unknown): void {
    if (this.#isOver || this.#own?.verdict !== undefined) return;
    const { code, message } = asTraversalError(error, 'ERR_PROTOCOL');
    this.#error = { code, message };
  }

  #isAtRest(): boolean {
    return this.#echoedAt !== undefined && this.#own?.isAtRest === true && this.#other?.isAtRest === true;
  }

  #settle(at: number, sent: Sent): void {
    this.#settledAt = at;
    this.#sentAfter = sent;
    const { from, tell } = this.#options;
    tell({ who: from.name, connection: this.#connection!.id, type: 'settled' });
    this.#onSettled();
  }

  #sent(): Sent {
    const { from, to, packetsOf } = this.#options;
    return { from: packetsOf(from.host.name), to: packetsOf(to.host.name) };
  }

  #packets(): Sent {
    const { from, to } = this.#sentAfter ?? this.#sentBefore;
    return { from: from - this.#sentBefore.from, to: to - this.#sentBefore.to };
  }

  #side({ stages, paths, verdict }: SideRecord, other: ScenarioPeer, packets: number): SideOutcome {
    const sinceDial = <T extends { readonly at: number }>(one: T): T => ({ ...one, at: this.#since(one.at)! });
    const direct = paths.findLast(({ path }) => path?.kind === 'direct')?.path;
    return {
      stages: stages.map(sinceDial),
      paths: paths.map(sinceDial),
      remoteType: direct && other.typeOf(direct),
      verdict,
      packets,
    };
  }

  /** ms since the dial, to the microsecond. */
  #since(at: number | undefined): number | undefined {
    return at === undefined ? undefined : Math.round((at - this.#dialedAt!) * 1_000) / 1_000;
  }
}

/** Packets. */
interface Sent {
  readonly from: number;
  readonly to: number;
}

/** ms without a change after which a connection has settled. */
const REST = 1_000;
