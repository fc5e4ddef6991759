import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { on } from 'node:events';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';

/** How a process ended: by itself with a code, or by a signal. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process in a lab that speaks in lines. Its output is kept until read, so bulk data wants `spawnRaw`. */
export class LabProcess implements AsyncDisposable {
  readonly pid: number | undefined;
  readonly stdin: Writable;
  /** Lines of stdout, each given once: a loop that is left goes on where it was. Ends with the stream. */
  readonly lines: AsyncIterable<string>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #command: string;
  readonly #exit: Promise<Exit>;
  #stderr = '';

  constructor(child: ChildProcessWithoutNullStreams, command: string) {
    this.pid = child.pid;
    this.stdin = child.stdin;
    this.lines = linesOf(child);
    this.#child = child;
    this.#command = command;
    this.#exit = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
  }

  /** The last 64 Ki characters of stderr so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Reads on to the first line that matches. Rejects, with what stderr said, when there is none. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    for await (const line of this.lines) {
      const match = pattern.exec(line);
      if (match !== null) return match;
    }
    const { code, signal } = await this.#exit;
    throw new Error(`${this.#command} ended (${signal ?? code}) before ${pattern}\n${this.#stderr}`);
  }

  /** Fulfils once the process has ended and its output is closed. */
  wait(): Promise<Exit> {
    return this.#exit;
  }

  /** Signals the process, SIGTERM by default, and waits for its end. */
  kill(signal?: NodeJS.Signals): Promise<Exit> {
    this.#child.kill(signal);
    return this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGKILL');
  }
}

const STDERR_KEPT = 64 * 1024;

/** An iterator without `return`, so that leaving a loop does not end it for the next one. */
function linesOf(child: ChildProcessWithoutNullStreams): AsyncIterable<string> {
  const events = on(createInterface({ input: child.stdout }), 'line', { close: ['close'] });
  const next = async (): Promise<IteratorResult<string>> => {
    const { done, value } = await events.next();
    return done ? { done: true, value: undefined } : { done: false, value: value[0] };
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}
