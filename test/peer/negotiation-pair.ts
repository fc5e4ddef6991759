import { TraversalError } from '../../src/core/errors.ts';
import type { Log } from '../../src/core/log.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import type { Policy } from '../../src/core/policy.ts';
import type { Agreement, Json, StrategyInput, StrategyResult } from '../../src/core/strategy.ts';
import { defineStrategy, type Step, type Strategy, type StrategyHost } from '../../src/flows/index.ts';
import { AttemptLog } from '../../src/peer/attempt-log.ts';
import type { ConnectionServices } from '../../src/peer/connection-services.ts';
import { createDeskHost, type DeskHost } from '../../src/peer/desk-host.ts';
import { Negotiation } from '../../src/peer/negotiation.ts';
import type { ProposingRun } from '../../src/peer/proposals.ts';
import { decodeNegotiation, type NegotiationMessage } from '../../src/protocol/negotiation/messages.ts';
import { VirtualClock } from '../../src/sim/index.ts';

/** ms that a note and an envelope take, one way. */
export const CROSSING = { note: 20, envelope: 50 } as const;

/** A connection's end, as far as negotiation sees it. */
export class NegotiationEnd {
  readonly negotiation: Negotiation;
  readonly services: ConnectionServices;
  /** What it said, and by which way. */
  readonly said: { readonly message: NegotiationMessage; readonly vouched: boolean; readonly at: number }[] = [];
  readonly logged: string[] = [];
  /** The ids of the paths that stand. */
  readonly paths = new Set<string>();
  /** The path that the session is carried by. */
  readonly table = {
    current: {} as object | undefined,
    isSuspect: false,
    has: (id: string) => this.paths.has(id),
  };
  isAuthenticated = false;
  policy: Policy = 'relay-first';
  /** Whether notes are taken. */
  takesNotes = true;
  /** Where what it says arrives. */
  other: NegotiationEnd | undefined;
  readonly #clock: VirtualClock;
  readonly #ending = new AbortController();
  #authenticate: () => void = () => {};

  constructor(clock: VirtualClock, role: 'dialer' | 'listener', host: DeskHost, authenticated: boolean) {
    this.#clock = clock;
    const end = this;
    const log: Log = (event) => void this.logged.push(event);
    const session = {
      note: (bytes: Uint8Array) => this.takesNotes && this.#say(decodeNegotiation(bytes), bytes),
      stats: () => ({ rtt: 2 * CROSSING.note }),
    };
    this.services = {
      id: 'connection',
      role,
      env: { clock, log },
      get facts() {
        return {
          role,
          policy: end.policy,
          local: [],
          remote: [],
          behaviors: { mine: unknownBehavior, theirs: unknownBehavior },
        };
      },
      attempts: new AttemptLog(),
      link: { session, table: this.table },
      signal: {
        send: (message: NegotiationMessage) => this.#say(message),
        roundTrip: 2 * CROSSING.envelope,
        reached: Promise.resolve(),
      },
      get isAuthenticated() {
        return end.isAuthenticated;
      },
      authenticated: new Promise<void>((resolve) => {
        this.#authenticate = resolve;
      }),
      ended: this.#ending.signal,
    } as unknown as ConnectionServices;
    this.negotiation = new Negotiation(this.services, host);
    if (authenticated) this.authenticate();
  }

  /** Proven keys from now on. */
  authenticate(): void {
    this.isAuthenticated = true;
    this.#authenticate();
  }

  end(): void {
    this.#ending.abort(new TraversalError('ERR_CLOSED', 'the connection has ended'));
  }

  /** The types of what was said. */
  get types(): readonly string[] {
    return this.said.map(({ message }) => message.type);
  }

  get reasons(): readonly string[] {
    return this.said.flatMap(({ message }) => (message.type === 'decline' ? [message.reason] : []));
  }

  #say(message: NegotiationMessage, note?: Uint8Array): true {
    this.said.push({ message, vouched: note !== undefined, at: this.#clock.now() });
    const arrive = (): void =>
      note === undefined ? this.other?.negotiation.receive(message, false) : this.other?.negotiation.hear(note);
    this.#clock.setTimeout(arrive, note === undefined ? CROSSING.envelope : CROSSING.note);
    return true;
  }
}

export type Act = (input: StrategyInput<'direct'>) => Promise<StrategyResult<'direct'>>;

export interface PairOptions {
  /** The listener's. */
  readonly strategies?: readonly Strategy<'direct'>[];
  /** Whether the keys are proven; default true. */
  readonly authenticated?: boolean;
}

/** A dialer and a listener whose desk runs real strategies. */
export class NegotiationPair {
  readonly clock = new VirtualClock();
  readonly dialer: NegotiationEnd;
  readonly listener: NegotiationEnd;
  readonly host: DeskHost;
  /** Runs of the listener's strategies that have not ended. */
  readonly running = new Set<string>();
  readonly #authenticated: boolean;
  readonly #listeners = new Map<string, NegotiationEnd>();

  constructor({ strategies = [twoSided('knock')], authenticated = true }: PairOptions = {}) {
    this.#authenticated = authenticated;
    this.host = createDeskHost({
      punch: oneByOne(strategies),
      host: this.#runner(),
      clock: this.clock,
      inspect: undefined,
    });
    const nobody = createDeskHost({ punch: oneByOne([]), host: this.#runner(), clock: this.clock, inspect: undefined });
    this.dialer = new NegotiationEnd(this.clock, 'dialer', nobody, authenticated);
    this.listener = this.#listen(this.host);
    this.dialer.other = this.listener;
    this.listener.other = this.dialer;
  }

  /** The desk of another connection of the same listener. */
  another(): NegotiationEnd {
    return this.#listen(this.host);
  }

  propose(params: Json = null, run: TestRun = new TestRun(twoSided('knock'))): Promise<Agreement> {
    return this.dialer.negotiation.agree(run, params);
  }

  #listen(host: DeskHost): NegotiationEnd {
    const id = `connection ${this.#listeners.size}`;
    const end = new NegotiationEnd(this.clock, 'listener', host, this.#authenticated);
    Object.assign(end.services, { id });
    this.#listeners.set(id, end);
    return end;
  }

  #runner(): StrategyHost {
    const runs = new Map<object, TestRun>();
    return {
      begin: (strategy, step) => {
        const run = new TestRun(strategy);
        runs.set(step, run);
        this.running.add(step.step);
        const listener = this.#listeners.get(step.id)!;
        const env = {
          clock: this.clock,
          signal: run.signal,
          agree: (params: Json = null) => listener.negotiation.agree(run, params),
        };
        return { ...step.facts, env } as unknown as StrategyInput;
      },
      end: (step, result) => {
        runs.get(step)!.end(result.ok);
        this.running.delete(step.step);
        return { startedAt: 0, endedAt: 0 };
      },
    };
  }
}

/** A run of a strategy as its host sees it. */
export class TestRun implements ProposingRun {
  readonly strategy: Strategy;
  won = false;
  readonly #ending = new AbortController();

  constructor(strategy: Strategy) {
    this.strategy = strategy;
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  end(won = false): void {
    this.won = won;
    this.#ending.abort(new TraversalError('ERR_ABORTED', 'the run is over'));
  }
}

/** Agrees, and ends well, unless told otherwise. */
export function twoSided(
  name: string,
  {
    act = agreeAtOnce,
    version = 1,
    vouched = false,
    time = 5_000,
  }: { act?: Act; version?: number; vouched?: boolean; time?: number } = {},
): Strategy<'direct'> {
  const { strategy } = defineStrategy({
    name,
    gives: 'direct',
    bounds: { time, packets: 10, sockets: 1 },
    twoSided: { version, vouched },
    run: act,
  });
  return strategy;
}

const agreeAtOnce: Act = async ({ env }) => {
  await env.agree('mine');
  return { ok: true, path: 'path' };
};

function oneByOne(strategies: readonly Strategy<'direct'>[]): Step<'direct'> {
  return { kind: 'sequence', steps: strategies.map((strategy) => ({ kind: 'strategy', strategy })) };
}
