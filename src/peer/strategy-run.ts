import { TraversalError } from '../core/errors.ts';
import type { ByteSocket, DatagramSocket, Network } from '../core/network.ts';
import type { Path } from '../core/path.ts';
import type { StrategyResult } from '../core/strategy.ts';
import {
  type AttemptCounts,
  type PacketAccount,
  ScopedNetwork,
  type StepInput,
  type Strategy,
} from '../flows/index.ts';
import type { ConnectionServices } from './connection-services.ts';

/** One run of a strategy for one connection: what is counted, and what is released at its end. */
export interface StrategyRun {
  readonly strategy: Strategy;
  /** Aborted when the run has ended or is not wanted any more; its reason is an `ERR_ABORTED`. */
  readonly signal: AbortSignal;
  /** It has ended, and gave a path. */
  readonly won: boolean;
  /** Its sockets belong to the run, and what they send counts. */
  readonly network: Network;
  /** Counts a packet that it sends on a socket which is not its own; false: it may send no more. */
  count(): boolean;
  /** Counts a packet that came in for it on such a socket. */
  hear(): void;
  /** A socket of `network` becomes the connection's: it counts no more, and whoever takes it closes it. */
  handOver(socket: DatagramSocket | ByteSocket): void;
  /**
   * Takes a path into the connection's table, with its strategy's name, and gives its id. It is lost when its datagrams end, and closed
   * at the end of the run unless it is what the run gives. `preference` as in `ConnectionServices.addPath`.
   */
  adopt(path: Path, preference?: number): string;
}

export class CountedRun implements StrategyRun {
  readonly strategy: Strategy;
  readonly #services: ConnectionServices;
  readonly #step: StepInput;
  readonly #account: PacketAccount;
  readonly #startedAt: number;
  /** These are made for those that ask for them: most open no socket of their own. */
  #network: ScopedNetwork | undefined;
  #abort: AbortController | undefined;
  readonly #paths: string[] = [];
  #isOver = false;
  #won = false;

  constructor(services: ConnectionServices, strategy: Strategy, step: StepInput, account: PacketAccount) {
    this.strategy = strategy;
    this.#services = services;
    this.#step = step;
    this.#account = account;
    this.#startedAt = services.elapsed;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#isOver) this.#abort.abort(this.#over());
    }
    return this.#abort.signal;
  }

  get network(): Network {
    this.#network ??= new ScopedNetwork({
      network: this.#services.env.network,
      account: this.#account,
      sockets: this.strategy.bounds.sockets,
      signal: this.signal,
    });
    return this.#network;
  }

  get won(): boolean {
    return this.#won;
  }

  count(): boolean {
    return this.#account.take();
  }

  hear(): void {
    this.#account.received++;
  }

  handOver(socket: DatagramSocket | ByteSocket): void {
    this.#network?.handOver(socket);
  }

  adopt(path: Path, preference = 0): string {
    if (this.#isOver) throw this.#over();
    const { id } = path.info;
    const own = named(path, this.strategy.name);
    this.#paths.push(id);
    this.#services.addPath(own, preference);
    const end = (reason: string): void => this.#services.losePath(id, reason);
    own.datagrams$.subscribe({ complete: () => end('it ended'), error: (error) => end(String(error)) });
    return id;
  }

  /** Nothing is left of the run but what it gave. */
  end(result: StrategyResult): AttemptCounts {
    const given = result.ok && 'path' in result ? result.path : undefined;
    this.#won = result.ok;
    this.#isOver = true;
    this.#abort?.abort(this.#over());
    const leftOpen = this.#network?.closeAll() ?? 0;
    for (const id of this.#paths) if (id !== given) this.#services.losePath(id, `${this.strategy.name} did not win`);
    const { sent, received } = this.#account;
    const counts = { startedAt: this.#startedAt, endedAt: this.#services.elapsed, sent, received };
    const { strategy, step } = this.#step;
    const reason = result.ok ? `path ${given}` : result.reason;
    this.#services.attempts.add(
      step,
      { strategy, ok: result.ok, reason, ...counts },
      { note: noteOf(leftOpen), abandoned: !result.ok && result.code === 'ERR_ABORTED' },
    );
    this.#services.scoring?.note(this.#services.facts, this.strategy, result, counts);
    return counts;
  }

  #over(): TraversalError {
    return new TraversalError('ERR_ABORTED', `the run of ${this.strategy.name} is over`);
  }
}

/** The path with its strategy's name: who adopts one may not know whose it will be. */
function named(path: Path, strategy: string): Path {
  if (path.info.strategy === strategy) return path;
  return {
    info: { ...path.info, strategy },
    send: (bytes) => path.send(bytes),
    datagrams$: path.datagrams$,
    close: () => path.close(),
  };
}

function noteOf(count: number): string {
  if (count === 0) return '';
  return `; ${count} ${count === 1 ? 'socket was' : 'sockets were'} left open, and closed`;
}
