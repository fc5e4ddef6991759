import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { filter, firstValueFrom, ReplaySubject } from 'rxjs';
import { buildCommandLine } from './build.ts';

export interface CommandEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface CommandEnd {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Of `--json`, all of them in order. */
  readonly events: readonly CommandEvent[];
}

/** A `sallyport` process. Leaving the scope kills it, if it has not ended. */
export interface RunningCommand extends AsyncDisposable {
  readonly pid: number;
  readonly stdin: Writable;
  /** Ends by being closed, as `| head` does it. */
  readonly stdout: Readable;
  readonly ended: Promise<CommandEnd>;
  /** The first event of this name that matches, past ones included; errors when the process ends without. */
  event(name: string, matches?: (event: CommandEvent) => boolean): Promise<CommandEvent>;
  /** The first line on stdout or stderr that matches, past ones included; errors when the process ends without. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  signal(signal: NodeJS.Signals): void;
}

export interface CommandOptions {
  /** What stdin holds before its end; stays open when absent. */
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Nobody reads what it writes to stdout. */
  readonly unread?: boolean;
  /** A TypeScript file to run in its place. */
  readonly main?: string;
}

const MAIN = await buildCommandLine();

/** Runs the command line in a process of its own. */
export function sallyport(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const { input, env = {}, unread = false, main } = options;
  const program = main === undefined ? [MAIN] : ['--import', 'tsx', main];
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(process.execPath, [...program, ...args], {
    stdio: 'pipe',
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  const lines = new ReplaySubject<string>();
  const texts = [child.stdout, child.stderr].map((stream) => {
    const reader = { text: '' };
    if (unread && stream === child.stdout) return reader;
    let rest = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      reader.text += chunk;
      const parts = (rest + chunk).split('\n');
      rest = parts.pop()!;
      for (const line of parts) lines.next(line);
    });
    return reader;
  });
  const [stdout, stderr] = texts as [{ text: string }, { text: string }];
  // A process that ends early closes its stdin; what it did is told by its end.
  child.stdin.on('error', () => {});
  if (input !== undefined) child.stdin.end(input);

  const ended = new Promise<CommandEnd>((resolve) => {
    child.once(unread ? 'exit' : 'close', (code: number | null) => {
      lines.complete();
      const events = stdout.text.split('\n').filter((line) => line.startsWith('{'));
      resolve({
        code,
        stdout: stdout.text,
        stderr: stderr.text,
        events: events.map((line) => JSON.parse(line) as CommandEvent),
      });
    });
  });

  const first = async (matches: (line: string) => boolean, wanted: string): Promise<string> => {
    const line = await firstValueFrom(lines.pipe(filter(matches)), { defaultValue: undefined });
    if (line !== undefined) return line;
    const { code } = await ended;
    throw new Error(`sallyport ${args[0]} ended with ${code} before ${wanted}\n${stdout.text}${stderr.text}`);
  };

  return {
    pid: child.pid!,
    stdin: child.stdin,
    stdout: child.stdout,
    ended,
    async event(name, matches = () => true) {
      const isWanted = (line: string): boolean => {
        if (!line.startsWith('{')) return false;
        const event = JSON.parse(line) as CommandEvent;
        return event.event === name && matches(event);
      };
      return JSON.parse(await first(isWanted, name)) as CommandEvent;
    },
    async line(pattern) {
      return pattern.exec(await first((line) => pattern.test(line), String(pattern)))!;
    },
    signal: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs a command to its end; stdin is empty unless `input` says otherwise. */
export async function run(args: readonly string[], options: CommandOptions = {}): Promise<CommandEnd> {
  await using command = sallyport(args, { input: '', ...options });
  return await command.ended;
}

/** A listener with `--json`, and its ticket. */
export async function listenJson(
  server: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<RunningCommand & { readonly ticket: string }> {
  const command = sallyport(['listen', '--server', server, '--json', ...args], options);
  const { ticket } = await command.event('ticket');
  return Object.assign(command, { ticket: ticket as string });
}

/** The code of the error that `--json` told. */
export function errorCode({ events }: CommandEnd): unknown {
  return events.find(({ event }) => event === 'error')?.code;
}
