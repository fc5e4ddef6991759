import { randomBytes } from 'node:crypto';
import { filter, firstValueFrom, mergeMap } from 'rxjs';
import { afterEach, expect, it } from 'vitest';
import { matchesState } from 'xstate';
import { nodeEnvironment } from '../../../src/node.ts';
import type { Connection } from '../../../src/peer/connection.ts';
import { createPeer } from '../../../src/peer/create-peer.ts';
import type { Peer, PeerOptions } from '../../../src/peer/peer.ts';
import { echo } from '../../../src/streams/index.ts';
import { describeWithNats, type NatsServer, startNatsServer } from './nats-server.ts';

describeWithNats('two peers that meet over NATS', () => {
  const releases: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const release of releases.splice(0).reverse()) await release();
  });

  async function serve(): Promise<NatsServer> {
    const server = await startNatsServer();
    releases.push(server.stop);
    return server;
  }

  async function openPeer({ url }: NatsServer, options: Partial<PeerOptions> = {}): Promise<Peer> {
    const peer = await createPeer({ env: nodeEnvironment({ servers: [url] }), ...options });
    releases.push(() => peer.close());
    return peer;
  }

  async function listen(server: NatsServer, options: Partial<PeerOptions> = {}): Promise<Peer> {
    const peer = await openPeer(server, options);
    peer.incoming$.pipe(mergeMap(({ streams$ }) => streams$.pipe(mergeMap((stream) => echo(stream))))).subscribe();
    return peer;
  }

  /** Sends bytes and compares what comes back. */
  async function exchange(connection: Connection, length: number): Promise<void> {
    const sent = randomBytes(length);
    const stream = await connection.openStream();
    const received: Uint8Array[] = [];
    const reading = (async () => {
      for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) received.push(chunk);
    })();
    await stream.write(sent);
    await stream.end();
    await reading;
    expect(Buffer.concat(received).equals(sent)).toBe(true);
  }

  const online = (peer: Peer, state: 'online' | 'offline') =>
    firstValueFrom(peer.state$.pipe(filter((value) => matchesState({ open: { rendezvous: state } }, value))));

  it('connect with a ticket, directly, and exchange data', async () => {
    const server = await serve();
    const listener = await listen(server);
    const connection = (await openPeer(server)).connect(await listener.createTicket());
    await exchange(connection, 256 * 1024);
    const path = await firstValueFrom(connection.path$.pipe(filter((path) => path?.kind === 'direct')));
    expect(path).toMatchObject({ transport: 'udp' });
  });

  it('connect by key, without a ticket', async () => {
    const server = await serve();
    const dialer = await openPeer(server);
    const listener = await listen(server, { accept: { keys: [dialer.key] } });
    await listener.register();
    await exchange(dialer.connect({ key: listener.key }), 1024);
  });

  it('are relayed by it where they want no direct path', async () => {
    const server = await serve();
    const listener = await listen(server, { policy: 'relay-only' });
    const dialer = await openPeer(server, { policy: 'relay-only' });
    const connection = dialer.connect(await listener.createTicket());
    await exchange(connection, 4 * 1024 * 1024);
    expect(connection.path).toMatchObject({ kind: 'relayed', transport: 'nats', remote: server.url });
  });

  it('stay connected directly while the server is away, and meet again when it is back', async () => {
    const server = await serve();
    const listener = await listen(server);
    const dialer = await openPeer(server);
    const ticket = await listener.createTicket();
    const connection = dialer.connect(ticket);
    await firstValueFrom(connection.path$.pipe(filter((path) => path?.kind === 'direct')));
    await server.stop();
    await Promise.all([online(listener, 'offline'), online(dialer, 'offline')]);
    await exchange(connection, 1024);
    await server.start();
    await Promise.all([online(listener, 'online'), online(dialer, 'online')]);
    await listener.register();
    const again = dialer.connect(ticket);
    await exchange(again, 1024);
    expect(again.id).not.toBe(connection.id);
  });

  it('go on over the relay when the server comes back', async () => {
    const server = await serve();
    const listener = await listen(server, { policy: 'relay-only' });
    const dialer = await openPeer(server, { policy: 'relay-only' });
    const connection = dialer.connect(await listener.createTicket());
    await exchange(connection, 1024);
    await server.stop();
    await firstValueFrom(connection.path$.pipe(filter((path) => path === undefined)));
    await server.start();
    await exchange(connection, 64 * 1024);
    expect(connection.path).toMatchObject({ kind: 'relayed', transport: 'nats' });
  });

  it('learn that the other has ended', async () => {
    const server = await serve();
    const listener = await listen(server, { policy: 'relay-only' });
    const dialer = await openPeer(server, { policy: 'relay-only' });
    const ticket = await listener.createTicket();
    await dialer.connect(ticket).ready;
    await listener.close();
    await expect(dialer.connect(ticket).ready).rejects.toMatchObject({ code: 'ERR_PEER_UNKNOWN' });
  });
});
