import type { Clock } from '../../core/clock.ts';
import { Deferred } from '../../core/deferred.ts';
import type { PathInfo } from '../../core/path.ts';
import { pause } from '../../core/pause.ts';
import { type ConnectionState, TraversalError } from '../../index.ts';
import type { SideObservation, Sight } from '../model/sight.ts';
import type { RunningCommand } from './command.ts';
import { sightOf } from './pair-program.ts';

/** One event of `--json`: docs/cli.md. */
type CommandEvent = Readonly<Record<string, unknown>> & { readonly event: string };

/** What one side's `sallyport` process tells. */
export class CommandSide {
  readonly #clock: Clock;
  readonly #events: CommandEvent[] = [];
  /** Settled with each event, and with the end. */
  #news = new Deferred();
  #command: RunningCommand | undefined;
  #state: ConnectionState | undefined;
  #path: PathInfo | undefined;
  #established = 0;
  #seen: { readonly sight: Sight; readonly since: number };
  #isOver = true;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#seen = { sight: 'none', since: clock.now() };
  }

  follow(command: RunningCommand): void {
    this.#command = command;
    this.#isOver = false;
    void this.#read(command);
  }

  /** The first event of that name, past or to come. Errors: `ERR_NOT_AVAILABLE` when the process ends without it. */
  async told(name: string): Promise<CommandEvent> {
    for (;;) {
      const found = this.#events.find(({ event }) => event === name);
      if (found !== undefined) return found;
      if (this.#isOver) throw new TraversalError('ERR_NOT_AVAILABLE', `the process has ended without ${name}`);
      await this.#news.promise;
    }
  }

  interrupt(): void {
    this.#command?.kill('SIGINT');
  }

  /** It is gone, whatever it told. */
  kill(): void {
    this.#see('gone');
    this.#command?.kill('SIGKILL');
  }

  observe(startedAt: number): SideObservation {
    const { sight, since } = this.#seen;
    return { sight, since: since - startedAt, path: this.#path, established: this.#established };
  }

  /** Whether it has ended in time; it has by then, in either case. */
  async end(): Promise<boolean> {
    if (this.#command === undefined) return true;
    this.interrupt();
    const inTime = await Promise.race([
      this.#command.exited.then(() => true),
      pause(this.#clock, PATIENCE).then(() => false),
    ]);
    if (!inTime) this.#command.kill('SIGKILL');
    return inTime;
  }

  async #read({ lines, exited }: RunningCommand): Promise<void> {
    for await (const line of lines) this.#hear(JSON.parse(line));
    const code = await exited;
    this.#isOver = true;
    const { sight } = this.#seen;
    if (sight !== 'closed' && sight !== 'failed') this.#see(code === 0 ? 'closed' : 'failed');
    this.#tell();
  }

  #hear(event: CommandEvent): void {
    this.#events.push(event);
    if (event.event === 'state') this.#state = event.value as ConnectionState;
    if (event.event === 'path') this.#path = event as unknown as PathInfo;
    if (event.event === 'connected') this.#established++;
    if (this.#state !== undefined) this.#see(sightOf(this.#state, this.#path));
    this.#tell();
  }

  #see(sight: Sight): void {
    if (this.#seen.sight !== sight && this.#seen.sight !== 'gone') this.#seen = { sight, since: this.#clock.now() };
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = new Deferred();
  }
}

/** ms that a process may take to end. */
const PATIENCE = 10_000;
