import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/node.ts';
import { type CommandEnd, errorCode, listenJson, type RunningCommand, sallyport } from '../cli/sallyport.ts';
import { startTestServer } from '../cli/server.ts';
import { listening, portOf, unusedPort } from '../cli/tcp.ts';
import { freeze } from './processes.ts';

let server: RunningServer;
let mute: string;
const muted = new Set<Socket>();
const muteServer = createServer((socket) => void muted.add(socket.on('error', () => {})));
beforeAll(async () => {
  server = await startTestServer();
  mute = `ws://127.0.0.1:${portOf(await listening(muteServer))}`;
});
afterAll(async () => {
  for (const socket of muted) socket.destroy();
  muteServer.close();
  await server.close();
});

/** A command that is held in a stage, beside those that hold it there. */
interface Held {
  readonly command: RunningCommand;
  readonly others?: readonly RunningCommand[];
}

interface Stage {
  readonly name: string;
  /** Ctrl-C is a regular end of it. */
  readonly regular?: true;
  reach(): Promise<Held>;
}

const stages: readonly Stage[] = [
  {
    name: 'listen, waiting for the server',
    regular: true,
    async reach() {
      const command = sallyport(['listen', '--server', mute, '--json']);
      await command.event('candidate');
      return { command };
    },
  },
  {
    name: 'listen, the server is unreachable and tried again',
    regular: true,
    async reach() {
      const url = `ws://127.0.0.1:${await unusedPort()}`;
      const command = sallyport(['listen', '--server', url, '--server', mute, '--json', '--verbose']);
      await command.line(/signaling\.offline/);
      return { command };
    },
  },
  {
    name: 'listen, the ticket is printed and stdin is open',
    regular: true,
    async reach() {
      const command = sallyport(['listen', '--server', server.url]);
      await command.line(/^sp1/);
      return { command };
    },
  },
  {
    name: 'listen, joined to a stream and stdin is open',
    regular: true,
    async reach() {
      const command = sallyport(['listen', '--server', server.url]);
      const [ticket] = await command.line(/^sp1\S+/);
      const dialer = sallyport(['connect', ticket]);
      dialer.stdin.write('hello\n');
      await command.line(/^hello$/);
      return { command, others: [dialer] };
    },
  },
  {
    name: 'listen --forward, with a TCP connection open',
    regular: true,
    async reach() {
      const { command, others } = await forwarding();
      return { command: others[0]!, others: [command] };
    },
  },
  {
    name: 'connect, waiting for the ticket',
    async reach() {
      const command = sallyport(['connect', '-', '--verbose']);
      await command.line(/ticket\.awaited/);
      command.stdin.write('sp1');
      return { command };
    },
  },
  {
    name: 'connect, waiting for the server',
    async reach() {
      const listener = await listenJson(server.url, ['--echo']);
      const command = sallyport(['connect', listener.ticket, '--json', '--server', mute]);
      await command.event('state');
      return { command, others: [listener] };
    },
  },
  {
    name: 'connect, waiting for the listener',
    async reach() {
      const listener = await listenJson(server.url, ['--echo']);
      await freeze(listener.pid);
      const command = sallyport(['connect', listener.ticket, '--verbose']);
      await command.line(/signaling\.online/);
      return { command, others: [listener] };
    },
  },
  {
    name: 'connect, with data flowing',
    async reach() {
      const listener = await listenJson(server.url, ['--echo']);
      const command = sallyport(['connect', listener.ticket]);
      const flood = (): void => {
        while (command.stdin.writable && command.stdin.write('y\n'.repeat(10_000)));
      };
      command.stdin.on('drain', flood);
      flood();
      await command.line(/^y$/);
      return { command, others: [listener] };
    },
  },
  {
    name: 'connect, with stdin open and nothing to send',
    async reach() {
      const listener = await listenJson(server.url, ['--echo']);
      const command = sallyport(['connect', listener.ticket, '--verbose']);
      await command.line(/connected/);
      return { command, others: [listener] };
    },
  },
  {
    name: 'connect --json, idle',
    regular: true,
    async reach() {
      const listener = await listenJson(server.url, ['--echo']);
      const command = sallyport(['connect', listener.ticket, '--json']);
      await command.event('connected');
      return { command, others: [listener] };
    },
  },
  {
    name: 'connect --forward, with a TCP connection open',
    regular: true,
    reach: forwarding,
  },
  {
    name: 'connect --message, without an answer',
    async reach() {
      const listener = sallyport(['listen', '--server', server.url]);
      const [ticket] = await listener.line(/^sp1\S+/);
      const command = sallyport(['connect', ticket, '--json', '--message', 'hello']);
      await listener.line(/^hello$/);
      return { command, others: [listener] };
    },
  },
  {
    name: 'ping, between two',
    async reach() {
      const listener = await listenJson(server.url, ['--echo']);
      const command = sallyport(['ping', listener.ticket, '--json', '--interval', '3600000']);
      await command.event('pong');
      return { command, others: [listener] };
    },
  },
  {
    name: 'ping, without an answer',
    async reach() {
      const listener = await listenJson(server.url, ['--echo']);
      const command = sallyport(['ping', listener.ticket, '--json', '--interval', '1', '--count', '1000000']);
      await command.event('pong');
      await freeze(listener.pid);
      return { command, others: [listener] };
    },
  },
  {
    name: 'serve, with clients',
    regular: true,
    async reach() {
      const command = sallyport(['serve', '--port', '0', '--stun-port', '0']);
      const [, url] = await command.line(/^rendezvous (\S+)$/);
      await command.line(/^relay on$/);
      return { command, others: [await listenJson(url!, ['--echo'])] };
    },
  },
];

/** `connect --forward` to `listen --forward` to a service that keeps its connections, one of which stands. */
async function forwarding(): Promise<Held & { readonly others: readonly RunningCommand[] }> {
  const service = await listening(
    createServer((socket) => {
      socket.on('error', () => {}).write('welcome');
      socket.on('close', () => service.close());
    }),
  );
  const listener = await listenJson(server.url, ['--forward', String(portOf(service))]);
  const command = sallyport(['connect', listener.ticket, '--json', '--forward', '0']);
  const { port } = await command.event('forwarding');
  const client = connect(Number(port), '127.0.0.1').on('error', () => {});
  await new Promise((resolve) => client.once('data', resolve));
  return { command, others: [listener] };
}

/** ms from the signal to the end of the process; a side that does not answer is waited for for a second. */
const PROMPT = 2_500;

async function expectEnd({ command }: Held, begunAt: number): Promise<CommandEnd> {
  const end = await command.ended;
  expect(performance.now() - begunAt).toBeLessThan(PROMPT);
  expect(errorCode(end)).toBeUndefined();
  expect(end.stderr).not.toMatch(/^error|^ +at /m);
  if (end.stdout.startsWith('{')) expect(end.stdout.split('\n').at(-1)).toBe('');
  return end;
}

describe.skipIf(process.platform !== 'linux')('an interrupt', () => {
  it.each(
    stages.flatMap((stage, i) => {
      const signals = [['SIGINT', 130] as const, ['SIGTERM', 143] as const];
      const [signal, code] = signals[i % 2]!;
      return [[stage.name, signal, stage.regular ? 0 : code, stage] as const];
    }),
  )('ends %s (%s: exit code %i)', async (_, signal, code, stage) => {
    const held = await stage.reach();
    const { command, others = [] } = held;
    try {
      const begunAt = performance.now();
      command.signal(signal);
      expect((await expectEnd(held, begunAt)).code).toBe(code);
    } finally {
      for (const other of [command, ...others]) await other[Symbol.asyncDispose]();
    }
  });
});
