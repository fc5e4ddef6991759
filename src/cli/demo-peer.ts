import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { filter, firstValueFrom, ReplaySubject } from 'rxjs';
import { TraversalError } from '../index.ts';

/** One line of a command's `--json` output. */
export type CommandEvent = Readonly<Record<string, unknown>>;

/** A peer of the demo: this very command line in a process of its own. */
export interface DemoPeer {
  onEvent(handler: (event: CommandEvent) => void): void;
  /**
   * Fulfils with the first event of this name, past ones included; errors when the process ends before, or the deadline
   * comes.
   */
  until(name: string, matches?: (event: CommandEvent) => boolean): Promise<CommandEvent>;
  write(text: string): void;
  /** Ends the process as Ctrl-C would, and waits for it. */
  stop(): Promise<void>;
}

export function spawnDemoPeer(args: readonly string[], deadline: AbortSignal): DemoPeer {
  const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'main.ts' : 'main.js', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [...process.execArgv, main, ...args, '--json'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, SALLYPORT_TICKET: undefined },
    // Ctrl-C at the terminal ends the demo, which then ends its peers in order.
    detached: true,
  });
  const events = new ReplaySubject<CommandEvent>();
  createInterface({ input: child.stdout! }).on('line', (line) => events.next(JSON.parse(line)));
  // Nobody else ends it when this process is ended at once.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      process.off('exit', kill);
      events.complete();
      resolve();
    });
  });
  const tooLate = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new TraversalError('ERR_TIMEOUT', `${args[0]} did not get on with it in time`));
    if (deadline.aborted) fail();
    else deadline.addEventListener('abort', fail, { once: true });
  });
  tooLate.catch(() => child.kill('SIGTERM'));

  return {
    onEvent: (handler) => void events.subscribe(handler),
    until(name, matches = () => true) {
      const found = firstValueFrom(events.pipe(filter((event) => event.event === name && matches(event))));
      return Promise.race([found, tooLate]);
    },
    write: (text) => void child.stdin!.write(text),
    async stop() {
      if (child.exitCode === null) child.kill('SIGINT');
      await ended;
    },
  };
}
