import { pause } from '../../core/pause.ts';
import { within } from '../../core/within.ts';
import { ComposedFlow } from '../../flows/composed-flow.ts';
import { flowSlots } from '../../flows/flow.ts';
import { defaultFlow, type Flow, TraversalError } from '../../index.ts';
import { systemClock } from '../../node.ts';
import { usage } from '../../sim/fields.ts';
import type { Driver, Remains, World, WorldSetup } from '../model/driver.ts';
import { EVENTS, type ModelEvent, type ModelEventType, RARE_EVENTS } from '../model/model-event.ts';
import type { Prospects } from '../model/prospects.ts';
import type { Observation, Side } from '../model/sight.ts';
import { CommandSide, PING_EVERY, type RunningCommand } from './command-side.ts';

/** Where a pair of processes is run: two hosts, whatever is between them, and a rendezvous server. */
export interface CommandPlace {
  /** URLs of rendezvous servers. */
  readonly servers: readonly string[];
  /** Starts `sallyport` with these arguments on the host of that side, as by `ip netns exec`. */
  run(side: Side, args: readonly string[]): RunningCommand;
}

export interface CommandDriverOptions<Place extends CommandPlace> {
  /** As it stands in titles. */
  readonly name: string;
  /** What can come of a pair there. */
  readonly prospects: Prospects;
  /** Makes a place for one run, which nobody has been at before. */
  readonly place: () => Promise<Place>;
  /** ES module whose default export is the flow of the model, for `--flow`; absent: it is the default flow, under any policy. */
  readonly flow?: string;
  /** How the driver is made, as code, for what a failure prints. Default `driver`, for the reader to fill in. */
  readonly code?: string;
  /** How what the environment does is done there; what is missing cannot happen. */
  readonly events?: PlaceEvents<Place>;
}

export type PlaceEvents<Place> = {
  readonly [Type in ModelEventType]?: (place: Place, event: Extract<ModelEvent, { type: Type }>) => Promise<void>;
};

/**
 * A pair of `sallyport` processes, wherever they are started: in network namespaces with NATs of the kernel, or on two machines. The
 * listener runs `sallyport listen`, the dialer `sallyport ping`, by the policy of the flow. What is seen is what they tell with `--json`, and
 * whether pings are answered. A process that does not end within 10 s when it is interrupted counts as a socket that is left. Its worlds
 * know no seed: chance is that of real processes. Errors of its worlds: `ERR_USAGE` for a flow that the processes do not run, and for
 * `trace` and `inspect`, as nobody sees their charts; `ERR_NOT_AVAILABLE` when a process ends before it has begun; `ERR_TIMEOUT` when it
 * does not begin.
 */
export function commandDriver<Place extends CommandPlace>(options: CommandDriverOptions<Place>): Driver {
  const { name, prospects, place, flow, code = 'driver', events = {} } = options;
  const able = new Set<string>([...OWN, ...Object.keys(events)]);
  const unable = [...EVENTS, ...RARE_EVENTS, BROKEN_ACTOR].filter(({ type }) => !able.has(type));
  return {
    name,
    code,
    prospects: () => prospects,
    cannot: Object.fromEntries(unable.map(({ type }) => [type, 'nobody has said how'])),
    bounds: BOUNDS,
    async start(setup) {
      refuseMore(setup, flow);
      const world = new CommandWorld(await place(), events, flow, setup);
      await world.open();
      return world;
    },
  };
}

/** Errors: `ERR_USAGE` for what no process would do. */
function refuseMore({ flow, trace, inspect }: WorldSetup, module: string | undefined): void {
  if (module === undefined && !isDefault(flow))
    throw usage('flow', 'is not the default one, which the processes would run; give commandDriver the module of it');
  if (trace !== undefined) throw usage('trace', "a process writes a trace of its own, by the command's --trace");
  if (inspect !== undefined) throw usage('inspect', 'nobody sees the charts of another process');
}

/** But for its policy, which is told to the processes. */
function isDefault(flow: Flow): boolean {
  const isAsComposed = flow instanceof ComposedFlow && flow.isAsComposed;
  return isAsComposed && flowSlots.every((slot) => flow.spec[slot] === defaultFlow.spec[slot]);
}

class CommandWorld<Place extends CommandPlace> implements World {
  readonly #place: Place;
  readonly #events: PlaceEvents<Place>;
  /** For both sides. */
  readonly #arguments: readonly string[];
  readonly #clock = systemClock();
  readonly #startedAt = this.#clock.now();
  readonly #sides: Readonly<Record<Side, CommandSide>> = {
    dialer: new CommandSide(this.#clock),
    listener: new CommandSide(this.#clock),
  };
  #ticket = '';

  constructor(place: Place, events: PlaceEvents<Place>, flow: string | undefined, setup: WorldSetup) {
    this.#place = place;
    this.#events = events;
    this.#arguments = [
      ...['--json', '--policy', setup.flow.policy],
      ...(flow === undefined ? [] : ['--flow', flow]),
      ...place.servers.flatMap((url) => ['--server', url]),
    ];
  }

  /** Errors: `ERR_NOT_AVAILABLE` when the listener ends without a ticket, `ERR_TIMEOUT` when it gives none; it is gone then. */
  async open(): Promise<void> {
    const { listener } = this.#sides;
    this.#run('listener', 'listen', '--echo');
    try {
      this.#ticket = await this.#soon('a ticket of the listener', listener.ticket);
    } catch (error) {
      listener.kill();
      throw error;
    }
  }

  async perform(event: ModelEvent): Promise<void> {
    switch (event.type) {
      case 'dialed':
        this.#run('dialer', 'ping', this.#ticket, '--interval', String(PING_EVERY), '--count', String(ENDLESS));
        return this.#soon('the dial', this.#sides.dialer.begun);
      case 'closed':
        return this.#sides[event.side].interrupt();
      case 'listener.ended':
        return this.#sides.listener.kill();
      case 'time.passed':
        return;
    }
    const perform = this.#events[event.type] as ((place: Place, event: ModelEvent) => Promise<void>) | undefined;
    if (perform === undefined)
      throw new TraversalError('ERR_NOT_AVAILABLE', `nobody has said how ${event.type} is done`);
    await perform(this.#place, event);
  }

  pass(ms: number): Promise<void> {
    return pause(this.#clock, ms);
  }

  observe(): Observation {
    const { dialer, listener } = this.#sides;
    return {
      at: this.#clock.now() - this.#startedAt,
      dialer: dialer.observe(this.#startedAt),
      listener: listener.observe(this.#startedAt),
      waiting: dialer.waiting,
    };
  }

  async end(): Promise<Remains> {
    const ended = await Promise.all(Object.values(this.#sides).map((side) => side.end()));
    return { timers: 0, sockets: ended.filter((inTime) => !inTime).length, subscriptions: 0 };
  }

  /** Errors: those of the promise; `ERR_TIMEOUT`. */
  #soon<T>(what: string, promise: Promise<T>): Promise<T> {
    return within(this.#clock, what, STARTING, NEVER, () => promise);
  }

  #run(side: Side, ...args: readonly string[]): void {
    this.#sides[side].follow(this.#place.run(side, [...args, ...this.#arguments]));
  }
}

/** What the driver does by itself. */
const OWN: readonly ModelEventType[] = ['dialed', 'time.passed', 'closed', 'listener.ended'];
const BROKEN_ACTOR = { type: 'actor.broke' } as const;
/** Pings; the most that the command takes. */
const ENDLESS = 1_000_000_000;
/** ms that a process may take until it says what it is about. */
const STARTING = 30_000;
/** Nobody aborts. */
const NEVER = new AbortController().signal;
/** ms: those of the connection chart with a margin for processes to start; at rest also after 30 of consent. */
const BOUNDS = { traversing: 35_000, recovering: 125_000, rest: 240_000 };
