import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Host } from './net/host.ts';
import type { LabProcess } from './net/lab-process.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** One line of `--json` output. */
export type CommandEvent = Readonly<Record<string, unknown>> & { readonly event: string };

/** Port of the rendezvous in the lab; 443 where only that gets out. */
export interface RendezvousOptions {
  readonly port?: number;
  /** PEM files, for wss. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface Rendezvous {
  readonly url: string;
  readonly process: LabProcess;
}

/** The built command line, as a user runs it. */
export function runSallyport(host: Host, args: readonly string[], env: NodeJS.ProcessEnv = {}): LabProcess {
  if (!existsSync(main)) throw new Error('dist is missing: npm run build');
  return host.spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env } });
}

/** Arguments for `spawnRaw`, where bulk data goes through the command. */
export const sallyport = (...args: string[]): [string, string[]] => [process.execPath, [main, ...args]];

/** `sallyport serve` on a public host, with RFC 5780 when it has a second address. */
export async function serve(host: Host, { port = 8790, tls }: RendezvousOptions = {}): Promise<Rendezvous> {
  const [address, alternate] = host.addresses;
  const server = runSallyport(host, [
    'serve',
    ...['--host', address!, '--open', '--port', String(port)],
    ...(alternate === undefined ? [] : ['--stun-alternate', alternate]),
    ...(tls === undefined ? [] : ['--tls-cert', tls.cert, '--tls-key', tls.key]),
  ]);
  await server.line(/^relay /);
  return { url: `${tls === undefined ? 'ws' : 'wss'}://${address}:${port}`, process: server };
}

/** `sallyport listen --json`; fulfils with the ticket. */
export async function listen(
  host: Host,
  server: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ readonly process: LabProcess; readonly ticket: string }> {
  const listener = runSallyport(host, ['listen', '--server', server, '--json', ...args], env);
  const [, ticket = ''] = await listener.line(/"ticket":"(sp1[^"]+)"/);
  return { process: listener, ticket };
}

/** Runs a `--json` command to its end. */
export async function runToEnd(
  command: LabProcess,
): Promise<{ readonly code: number | null; readonly events: CommandEvent[] }> {
  const events: CommandEvent[] = [];
  for await (const line of command.lines) events.push(JSON.parse(line));
  const { code } = await command.wait();
  if (code !== 0) events.push({ event: 'stderr', text: command.stderr });
  return { code, events };
}

export const ofKind = (events: readonly CommandEvent[], name: string): CommandEvent[] =>
  events.filter(({ event }) => event === name);

/** A `--json` command whose events are kept, to wait for any of them at any time. */
export interface JsonCommand {
  readonly child: ChildProcess;
  readonly events: readonly CommandEvent[];
  /** The first event of this name that matches, past or to come; rejects when the command ends without it. */
  until(name: string, matches?: (event: CommandEvent) => boolean): Promise<CommandEvent>;
  /** Exit code and signal. */
  readonly ended: Promise<number | null>;
}

export function spawnJson(host: Host, args: readonly string[], env: NodeJS.ProcessEnv = {}): JsonCommand {
  const options = { env: { ...process.env, ...env }, stdio: ['ignore' as const, 'pipe' as const, 'inherit' as const] };
  const child = host.spawnRaw(...sallyport(...args), options);
  const events: CommandEvent[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout! }).on('line', (line) => {
    events.push(JSON.parse(line));
    for (const look of waiting) look();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    child,
    events,
    ended,
    until: (name, matches = () => true) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = events.find((event) => event.event === name && matches(event));
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void ended.then((code) =>
          reject(new Error(`${args[0]} ended (${code}) without ${name}: ${JSON.stringify(events)}`)),
        );
      }),
  };
}
