import { pause } from '../../core/pause.ts';
import { TraversalError } from '../../index.ts';
import { systemClock } from '../../node.ts';
import type { Driver, Remains, World, WorldSetup } from '../model/driver.ts';
import { EVENTS, type ModelEvent, type ModelEventType, RARE_EVENTS } from '../model/model-event.ts';
import type { Prospects } from '../model/prospects.ts';
import type { Observation, Side } from '../model/sight.ts';
import { CommandSide } from './command-side.ts';

/** A process that was started. */
export interface RunningCommand {
  /** Of its standard output; ends with it. */
  readonly lines: AsyncIterable<string>;
  kill(signal: 'SIGINT' | 'SIGKILL'): void;
  /** Fulfils with its exit code, `null` when a signal ended it. */
  readonly exited: Promise<number | null>;
}

export interface CommandDriverOptions {
  /** As it stands in titles. */
  readonly name: string;
  readonly prospects: Prospects;
  /** Starts `sallyport` with these arguments where that side is, as by `ip netns exec`. */
  readonly run: (side: Side, args: readonly string[]) => RunningCommand;
  /** URLs of rendezvous servers. */
  readonly servers: readonly string[];
  /** How events of the environment are made to happen; those that are missing cannot be. Each world ends as it began. */
  readonly events?: Readonly<Partial<Record<ModelEventType, (event: ModelEvent) => Promise<void>>>>;
}

/**
 * A pair of `sallyport` processes, wherever they are started: in network namespaces with NATs of the kernel, or on two machines. The
 * listener runs `sallyport listen`, the dialer `sallyport ping`, with the policy of the flow; they run the default flow. What is seen
 * is what they tell with `--json`. A process that does not end within 10 s when it is told to counts as a socket that is left.
 */
export function commandDriver({ name, prospects, run, servers, events = {} }: CommandDriverOptions): Driver {
  const able = new Set<ModelEventType>([...OWN, ...(Object.keys(events) as ModelEventType[])]);
  const unable = [...EVENTS, ...RARE_EVENTS].filter(({ type }) => !able.has(type));
  return {
    name,
    code: `/* ${name}: a commandDriver */ driver`,
    prospects,
    cannot: Object.fromEntries(unable.map(({ type }) => [type, 'nobody has said how'])),
    bounds: { traversing: 35_000, recovering: 125_000, rest: 240_000 },
    start: (setup) => CommandWorld.open({ run, servers, events, setup }),
  };
}

interface CommandSetup extends Required<Pick<CommandDriverOptions, 'run' | 'servers' | 'events'>> {
  readonly setup: WorldSetup;
}

class CommandWorld implements World {
  readonly #options: CommandSetup;
  readonly #clock = systemClock();
  readonly #startedAt = this.#clock.now();
  readonly #dialer = new CommandSide(this.#clock);
  readonly #listener = new CommandSide(this.#clock);
  #ticket = '';

  private constructor(options: CommandSetup) {
    this.#options = options;
  }

  /** Errors: `ERR_NOT_AVAILABLE` when the listener ends without a ticket. */
  static async open(options: CommandSetup): Promise<CommandWorld> {
    const world = new CommandWorld(options);
    world.#listener.follow(world.#run('listener', ['listen', '--echo']));
    const { ticket } = await world.#listener.told('ticket');
    world.#ticket = String(ticket);
    return world;
  }

  async perform(event: ModelEvent): Promise<void> {
    switch (event.type) {
      case 'dialed':
        this.#dialer.follow(this.#run('dialer', ['ping', this.#ticket, '--count', '1000000', '--interval', '500']));
        return;
      case 'closed':
        return (event.side === 'dialer' ? this.#dialer : this.#listener).interrupt();
      case 'listener.ended':
        return this.#listener.kill();
      default: {
        const perform = this.#options.events[event.type];
        if (perform === undefined)
          throw new TraversalError('ERR_NOT_AVAILABLE', `nobody has said how ${event.type} is done`);
        await perform(event);
      }
    }
  }

  pass(ms: number): Promise<void> {
    return pause(this.#clock, ms);
  }

  observe(): Observation {
    return {
      at: this.#clock.now() - this.#startedAt,
      dialer: this.#dialer.observe(this.#startedAt),
      listener: this.#listener.observe(this.#startedAt),
    };
  }

  async end(): Promise<Remains> {
    const ended = await Promise.all([this.#dialer.end(), this.#listener.end()]);
    return { timers: 0, sockets: ended.filter((isOver) => !isOver).length, subscriptions: 0 };
  }

  #run(side: Side, args: readonly string[]): RunningCommand {
    const { run, servers, setup } = this.#options;
    const common = ['--json', '--policy', setup.flow.policy, ...servers.flatMap((url) => ['--server', url])];
    return run(side, [...args, ...common]);
  }
}

/** What the driver does by itself. */
const OWN: readonly ModelEventType[] = ['dialed', 'time.passed', 'closed', 'listener.ended'];
