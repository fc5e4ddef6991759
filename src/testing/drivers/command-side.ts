import type { Clock } from '../../core/clock.ts';
import { Deferred } from '../../core/deferred.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { PathInfo } from '../../core/path.ts';
import { type ConnectionState, TraversalError } from '../../index.ts';
import type { SideObservation, Sight } from '../model/sight.ts';
import { isSuspect, sightOf } from './connection-sight.ts';

/** A process that was started. */
export interface RunningCommand {
  /** Of its standard output; ends with it. */
  readonly lines: AsyncIterable<string>;
  kill(signal: 'SIGINT' | 'SIGKILL'): void;
  /** Fulfils with its exit code, `null` when a signal ended it. */
  readonly exited: Promise<number | null>;
}

/** One side of a pair: a `sallyport` process, seen by what it tells with `--json` (docs/cli.md). */
export class CommandSide {
  readonly #clock: Clock;
  readonly #ticket = new Deferred<string>();
  readonly #begun = new Deferred();
  #command: RunningCommand | undefined;
  /** Fulfils when all is read and the process has ended. */
  #over: Promise<void> = Promise.resolve();
  #toldError = false;
  #wasInterrupted = false;
  #wasKilled = false;
  /** It did what no process of Sallyport does. */
  #failure: Error | undefined;
  #state: ConnectionState | undefined;
  #path: Omit<PathInfo, 'id'> | undefined;
  #suspectSince: number | undefined;
  #code: ErrorCode | undefined;
  #established = 0;
  /** When the ping was due that is the next to be answered. */
  #pingAt: number | undefined;
  #seen: { readonly sight: Sight; readonly since: number };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#seen = { sight: 'none', since: clock.now() };
  }

  /** Errors: `ERR_NOT_AVAILABLE` when the process ends without one. */
  get ticket(): Promise<string> {
    return this.#ticket.promise;
  }

  /** Fulfils when it has begun with a connection. Errors: `ERR_NOT_AVAILABLE` when the process ends before. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  /** ms for which the next ping has not been answered. */
  get waiting(): number {
    return this.#pingAt === undefined ? 0 : Math.max(0, this.#clock.now() - this.#pingAt);
  }

  follow(command: RunningCommand): void {
    this.#command = command;
    this.#over = this.#read(command).catch((error: Error) => {
      this.#failure = error;
      this.#giveUp(error);
    });
  }

  /** As by Ctrl-C; once, since the second one would end it at once. */
  interrupt(): void {
    if (this.#wasInterrupted) return;
    this.#wasInterrupted = true;
    this.#command?.kill('SIGINT');
  }

  /** It is gone from one moment to the next, and says nothing more. */
  kill(): void {
    this.#see('gone');
    this.#wasKilled = true;
    this.#command?.kill('SIGKILL');
  }

  /** `startedAt`: of the world, by its clock. Errors: what is wrong with the process, if it ended as none should. */
  observe(startedAt: number): SideObservation {
    if (this.#failure !== undefined) throw this.#failure;
    const { sight, since } = this.#seen;
    return {
      sight,
      since: since - startedAt,
      path: this.#path,
      suspectSince: this.#suspectSince === undefined ? undefined : this.#suspectSince - startedAt,
      code: this.#code,
      established: this.#established,
    };
  }

  /** Interrupts the process, and kills it if that does not end it in time; gives whether it did. Errors: as of `observe`. */
  async end(): Promise<boolean> {
    let inTime = true;
    const timer = this.#clock.setTimeout(() => {
      inTime = false;
      this.kill();
    }, PATIENCE);
    this.interrupt();
    await this.#over;
    this.#clock.clearTimeout(timer);
    if (this.#failure !== undefined) throw this.#failure;
    return inTime;
  }

  async #read({ lines, exited }: RunningCommand): Promise<void> {
    for await (const line of lines) this.#hear(JSON.parse(line));
    const code = await exited;
    this.#giveUp(new TraversalError('ERR_NOT_AVAILABLE', `the process has ended with ${code ?? 'a signal'}`));
    const isExplained = this.#toldError || this.#wasKilled || (this.#wasInterrupted && code === INTERRUPTED);
    if (code !== 0 && !isExplained) throw new Error(`a process of Sallyport has ended with ${code ?? 'a signal'}`);
  }

  #hear(told: Told): void {
    const now = this.#clock.now();
    switch (told.event) {
      case 'ticket':
        this.#ticket.resolve(told.ticket);
        break;
      case 'state':
        this.#state = told.value;
        this.#suspectSince = isSuspect(told.value) ? (this.#suspectSince ?? now) : undefined;
        this.#look();
        this.#begun.resolve();
        break;
      case 'path':
        this.#path = told;
        this.#look();
        break;
      case 'connected':
        this.#established++;
        this.#pingAt = now;
        break;
      case 'pong':
        this.#pingAt = now + PING_EVERY;
        break;
      case 'verdict':
        this.#code = told.code;
        this.#pingAt = undefined;
        if (!isOver(this.#seen.sight)) this.#see(told.code === undefined ? 'closed' : 'failed');
        break;
      case 'error':
        this.#toldError = true;
    }
  }

  /** What has not been told by now never will. */
  #giveUp(error: Error): void {
    this.#ticket.reject(error);
    this.#begun.reject(error);
  }

  /** At what was told last. */
  #look(): void {
    if (this.#state !== undefined) this.#see(sightOf(this.#state, this.#path));
  }

  #see(sight: Sight): void {
    if (this.#seen.sight !== sight && this.#seen.sight !== 'gone') this.#seen = { sight, since: this.#clock.now() };
  }
}

/** ms between two pings of the dialer. */
export const PING_EVERY = 500;

/** What there is to know of the events of `--json`. */
type Told =
  | { readonly event: 'ticket'; readonly ticket: string }
  | { readonly event: 'state'; readonly value: ConnectionState }
  | ({ readonly event: 'path' } & Omit<PathInfo, 'id'>)
  | { readonly event: 'connected' | 'pong' | 'error' }
  | { readonly event: 'verdict'; readonly code?: ErrorCode };

function isOver(sight: Sight): boolean {
  return sight === 'closed' || sight === 'failed';
}

/** Exit code of what SIGINT ended: 128 and its number. */
const INTERRUPTED = 130;
/** ms that a process may take to end. */
const PATIENCE = 10_000;
