import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { cryptoRandom, systemClock } from '../../src/adapters/node/index.ts';
import { websocketSignaling } from '../../src/adapters/signaling/websocket.ts';
import { type RunningServer, startServer } from '../../src/server/index.ts';
import { codeOf, createWorld, type InhabitantOptions } from '../peer/world.ts';

const clock = systemClock();
const random = cryptoRandom();
const HONEST = 'honest.example';

const at = (url: string): InhabitantOptions => ({
  accept: () => true,
  env: { servers: [url], signaling: (to) => websocketSignaling({ url: to, clock, random }) },
});

/** A server that is another one's client for each of its own clients, and passes on what either says, but for the name it says. */
async function serverInTheMiddle(honest: RunningServer, tell: (honest: string, own: string) => string) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const own = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const passed: string[] = [];
  server.on('connection', (client) => {
    const upstream = new WebSocket(honest.url, { headers: { host: HONEST } });
    onTestFinished(() => upstream.terminate());
    upstream.on('message', (data) => {
      const frame = JSON.parse(String(data));
      passed.push(frame.type);
      client.send(JSON.stringify(frame.type === 'hello' ? { ...frame, name: tell(frame.name, own) } : frame));
    });
    client.on('message', (data) => {
      passed.push(JSON.parse(String(data)).type);
      upstream.send(String(data));
    });
  });
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return { url: `ws://${own}`, passed };
}

describe('a server that passes its listeners’ registrations on to another server', () => {
  it.each<[string, (honest: string, own: string) => string, string, readonly string[]]>([
    ['the other’s name', (honest) => honest, 'ERR_SERVER_REFUSED', ['hello']],
    ['its own name', (_, own) => own, 'ERR_PEER_KEY', ['hello', 'register', 'error']],
  ])('under %s registers nobody there', async (_, tell, code, said) => {
    await using world = createWorld();
    const honest = await startServer({ port: 0, stun: false, names: [HONEST, '127.0.0.1'] });
    onTestFinished(() => honest.close());
    const evil = await serverInTheMiddle(honest, tell);
    const listener = await world.inhabitant(at(evil.url));
    expect(await codeOf(listener.peer.register())).toBe(code);
    expect(evil.passed).toEqual(said);
    expect(honest.counters().registrations).toBe(0);
    const dialer = await world.inhabitant(at(honest.url));
    expect(await codeOf(dialer.peer.connect({ key: listener.peer.key }).ready)).toBe('ERR_PEER_UNKNOWN');
  });

  it('keeps none of them from being registered there by itself', async () => {
    await using world = createWorld();
    const honest = await startServer({ port: 0, stun: false });
    onTestFinished(() => honest.close());
    const listener = await world.inhabitant(at(honest.url));
    await listener.peer.register();
    const dialer = await world.inhabitant(at(honest.url));
    await dialer.peer.connect({ key: listener.peer.key }).ready;
    await vi.waitFor(() => expect(honest.counters().registrations).toBe(1));
  });
});
