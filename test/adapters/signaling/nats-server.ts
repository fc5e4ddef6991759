import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { describe } from 'vitest';

/** A real nats-server on a port of its own, on loopback. */
export interface NatsServer {
  readonly url: string;
  readonly port: number;
  /** Ends the process; its connections break as they do when it is killed. */
  stop(): Promise<void>;
  /** A fresh process at the same port. */
  start(): Promise<void>;
}

/** `args`: more arguments for the server, such as `--auth secret`. */
export async function startNatsServer(args: readonly string[] = []): Promise<NatsServer> {
  const port = await freePort();
  let child: ChildProcess | undefined;
  const server: NatsServer = {
    url: `nats://127.0.0.1:${port}`,
    port,
    async stop() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
    async start() {
      child = spawn(PROGRAM, ['-a', '127.0.0.1', '-p', String(port), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      for await (const line of createInterface({ input: child.stderr! })) {
        said += `${line}\n`;
        if (line.includes('Server is ready')) {
          child.stderr!.resume();
          return;
        }
      }
      throw new Error(`nats-server ended:\n${said}`);
    },
  };
  await server.start();
  return server;
}

/** A line to a server that can be cut: from then on its clients are offline, and the server knows nothing of them. */
export interface NatsLine {
  readonly url: string;
  cut(): Promise<void>;
}

export async function layLine({ port }: NatsServer): Promise<NatsLine> {
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(port, '127.0.0.1');
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    client.pipe(server).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `nats://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async cut() {
      if (!proxy.listening) return;
      proxy.close();
      for (const socket of sockets) socket.destroy();
      await once(proxy, 'close');
    },
  };
}

/** `describe` for tests that need a nats-server: where there is none, they are skipped and stderr says why. */
export function describeWithNats(title: string, body: () => void): void {
  const missing = spawnSync(PROGRAM, ['--version']).error !== undefined;
  if (missing) console.warn(`skipped: ${title}: there is no nats-server (package nats-server)`);
  describe.skipIf(missing)(title, body);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

const PROGRAM = 'nats-server';
