import { once } from 'node:events';
import { expect } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { registrationProof } from '../../src/protocol/rendezvous/registration-proof.ts';
import {
  type ClientFrame,
  decodeServerFrame,
  encodeFrame,
  type HelloFrame,
  type ServerFrame,
} from '../../src/protocol/rendezvous/wire.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../src/server/index.ts';
import { filled, type TestIdentity, testIdentity } from '../protocol/rendezvous/support.ts';

/** What a test has opened, ended after it by `releaseAll`. */
export const releases: (() => unknown)[] = [];

export async function releaseAll(): Promise<void> {
  for (const release of releases.splice(0).reverse()) await release();
}

export async function serve(options: ServerOptions = {}): Promise<RunningServer> {
  const server = await startServer({ port: 0, stunPort: 0, ...options });
  releases.push(() => server.close());
  return server;
}

export function portOf({ url }: RunningServer): number {
  return Number(new URL(url).port);
}

/** A client by hand, so that it can misbehave. */
export interface RawClient {
  readonly socket: WebSocket;
  readonly hello: HelloFrame;
  send(frame: ClientFrame): void;
  next(): Promise<ServerFrame>;
  register(identity: TestIdentity): Promise<void>;
}

export async function connect(server: RunningServer, options: ClientOptions = {}): Promise<RawClient> {
  const socket = new WebSocket(server.url, { perMessageDeflate: false, ...options });
  releases.push(() => socket.terminate());
  const inbox: ServerFrame[] = [];
  const waiting: { resolve(frame: ServerFrame): void; reject(error: Error): void }[] = [];
  let ended: Error | undefined;
  socket.on('message', (data, isBinary) => {
    if (isBinary) return;
    const frame = decodeServerFrame(String(data));
    const first = waiting.shift();
    if (first === undefined) inbox.push(frame);
    else first.resolve(frame);
  });
  socket.on('close', (code, reason) => {
    ended = new Error(`closed with ${code}: ${reason}`);
    for (const { reject } of waiting.splice(0)) reject(ended);
  });
  const next = (): Promise<ServerFrame> => {
    const frame = inbox.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    if (ended !== undefined) return Promise.reject(ended);
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
  await once(socket, 'open');
  const hello = await next();
  if (hello.type !== 'hello') throw new Error('the server did not say hello first');
  return {
    socket,
    hello,
    send: (frame) => socket.send(encodeFrame(frame)),
    next,
    async register({ key, sign, since }) {
      const signature = sign(registrationProof(hello.name, hello.challenge));
      socket.send(encodeFrame({ type: 'register', key, signature, since, standing: [] }));
      expect(await next()).toEqual({ type: 'registered' });
    },
  };
}

export const session = filled(16, 1);

/** Two clients with a session that the listener has answered. */
export async function join(
  server: RunningServer,
  options: ClientOptions = {},
): Promise<{ dialer: RawClient; listener: RawClient }> {
  const identity = testIdentity();
  const listener = await connect(server, options);
  await listener.register(identity);
  const dialer = await connect(server, options);
  const ids = { session, ticketId: filled(16, 2), caller: filled(16, 3) };
  dialer.send({ type: 'offer', to: identity.key, envelope: filled(10, 4), ...ids });
  await listener.next();
  listener.send({ type: 'envelope', session, envelope: filled(10, 5) });
  await dialer.next();
  return { dialer, listener };
}
