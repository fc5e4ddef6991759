import { describe, expect, it } from 'vitest';
import { type Endpoint, endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import type { RelayedSocket } from '../../../src/core/relay.ts';
import { addressOf } from '../../sim/datagrams.ts';
import { allocate } from './relayed-pairs.ts';
import { PASSWORD, turnWorld, USER } from './turn-world.ts';

/** Sockets of the server that clients send to, one an address. */
const DOORS = 2;
const TCP = `turn:${USER}:${PASSWORD}@relay?transport=tcp`;
const MINUTE = 60_000;

/** What came to a socket, as `text from`, and how it ended. */
function listen(socket: RelayedSocket): string[] {
  const heard: string[] = [];
  socket.datagrams$.subscribe({
    next: ({ data, from }) => heard.push(`${Buffer.from(data)} from ${formatEndpoint(from)}`),
    error: (error) => heard.push(error.code),
    complete: () => heard.push('complete'),
  });
  return heard;
}

/** A host on the internet without a NAT, which sends back what it hears. */
function echoHost(world: ReturnType<typeof turnWorld>['world'], name = 'echo', addresses?: string[]): Endpoint {
  const host = world.host(name, { addresses });
  const socket = host.udp.bind({ family: 4, port: 7 });
  socket.onDatagram = (data, from) => socket.send(data, from);
  return endpoint(addressOf(host), 7);
}

describe.each(['udp', 'tcp'] as const)('an address at a TURN server, over %s', (transport) => {
  const url = `turn:${USER}:${PASSWORD}@relay?transport=${transport}`;

  async function one() {
    const bench = turnWorld();
    const socket = await bench.clock.runUntil(allocate(bench.user('alice', url)));
    return { ...bench, socket, heard: listen(socket) };
  }

  it('is the server’s, and knows how we look from there', async () => {
    const { world, server, socket, log } = await one();
    expect(socket.local).toMatchObject({ address: addressOf(server), family: 4 });
    expect(socket.mapped.address).toBe(world.networkNamed('home').external[0]);
    expect(socket.relay).toMatchObject({
      name: `turn:relay:3478?transport=${transport}`,
      transport: `turn-${transport}`,
    });
    expect(JSON.stringify([log, socket.relay])).not.toContain(PASSWORD);
    expect(log.map(([event]) => event)).toEqual(['relay.allocated']);
  });

  it('lets in whom it sends to, and nobody else', async () => {
    const { world, clock, socket, heard } = await one();
    const echo = echoHost(world);
    const stranger = world.host('stranger').udp.bind({ family: 4 });
    stranger.send(Buffer.from('psst'), socket.local);
    expect(socket.send(Buffer.from('hello'), echo)).toBe(true);
    await clock.advance(500);
    expect(heard).toEqual([`hello from ${formatEndpoint(echo)}`]);
  });

  it('lets in whom it permits before anything was sent there', async () => {
    const { world, clock, socket, heard } = await one();
    const friend = world.host('friend');
    socket.permit(endpoint(addressOf(friend), 9));
    await clock.advance(500);
    const from = friend.udp.bind({ family: 4 });
    from.send(Buffer.from('hi'), socket.local);
    await clock.advance(500);
    expect(heard).toEqual([`hi from ${addressOf(friend)}:${from.local.port}`]);
  });

  it('takes four datagrams for an address while its permission is on its way', async () => {
    const { world, clock, socket, heard } = await one();
    const echo = echoHost(world);
    expect([1, 2, 3, 4, 5].map((i) => socket.send(Buffer.from(`${i}`), echo))).toEqual([true, true, true, true, false]);
    await clock.advance(500);
    expect(heard.map(([first]) => first)).toEqual(['1', '2', '3', '4']);
  });

  it('has a channel for whoever answers and is answered', async () => {
    const { world, clock, socket } = await one();
    const echo = echoHost(world);
    const sizes: number[] = [];
    world.watch(({ fate, place, packet }) => {
      if (fate !== 'sent' || place !== 'alice' || packet.protocol === 'icmp') return;
      const { length } = packet.protocol === 'udp' ? packet.payload : packet.segment.payload;
      if (length > 1_000) sizes.push(length);
    });
    for (let i = 0; i < 4; i++) {
      socket.send(new Uint8Array(1_200), echo);
      await clock.advance(500);
    }
    expect(sizes).toEqual([1_236, 1_204, 1_204, 1_204].map((size, i) => (i === 1 ? 1_236 : size)));
  });

  it('speaks with 32 addresses, the last ones', async () => {
    const { world, clock, socket, heard } = await one();
    const echoes = Array.from({ length: 33 }, (_, i) => echoHost(world, `echo-${i}`));
    for (const echo of echoes) {
      socket.send(Buffer.from('a'), echo);
      await clock.advance(200);
    }
    await clock.advance(500);
    expect(heard).toHaveLength(33);
    // What was permitted is permitted for five minutes; the oldest is not kept any longer.
    await clock.advance(6 * MINUTE);
    for (const echo of echoes)
      world
        .hostNamed(`echo-${echoes.indexOf(echo)}`)
        .udp.bind({ family: 4 })
        .send(Buffer.from('b'), socket.local);
    await clock.advance(500);
    expect(heard.filter((line) => line.startsWith('b')).map((line) => line.split(/ |:/)[2])).toEqual(
      echoes.slice(1).map(({ address }) => address),
    );
  });

  it('sends nothing to whom the server refuses', async () => {
    const { clock, socket, log } = await one();
    const forbidden = endpoint('0.0.0.9', 9);
    socket.send(Buffer.from('a'), forbidden);
    await clock.advance(500);
    expect(socket.send(Buffer.from('b'), forbidden)).toBe(false);
    expect(log.at(-1)).toEqual(['relay.peer-refused', expect.objectContaining({ peer: '0.0.0.9:9', code: 403 })]);
  });

  it('drops what it cannot send', async () => {
    const { socket } = await one();
    const peer = endpoint('203.0.113.200', 9);
    expect(socket.send(new Uint8Array(1_401), peer)).toBe(false);
    expect(socket.send(new Uint8Array(1), endpoint('2001:db8::1', 9))).toBe(false);
    expect(socket.send(new Uint8Array(1), endpoint(peer.address, 0))).toBe(false);
  });

  it('lasts for hours without traffic, past each nonce', async () => {
    const { world, clock, socket, heard } = await one();
    const echo = echoHost(world);
    socket.send(Buffer.from('a'), echo);
    await clock.advance(180 * MINUTE);
    socket.send(Buffer.from('b'), echo);
    await clock.advance(500);
    expect(heard.map(([first]) => first)).toEqual(['a', 'b']);
  });

  it('is given back when it is closed, with the socket', async () => {
    const { world, clock, server, socket, heard, log, open } = await one();
    expect(server.udp.size).toBe(DOORS + 1);
    socket.close();
    socket.close();
    expect([heard, socket.send(new Uint8Array(1), echoHost(world))]).toEqual([['complete'], false]);
    await clock.advance(500);
    expect([server.udp.size, open('alice')]).toEqual([DOORS, 0]);
    expect(log.at(-1)?.[0]).toBe('relay.released');
  });

  it('closed where the server is gone, leaves nothing after 1.5 s', async () => {
    const { clock, server, socket, open } = await one();
    server.stop();
    socket.close();
    await clock.advance(1_500);
    expect(open('alice')).toBe(0);
  });

  it('breaks when the server is gone, at the latest when a permission is to be renewed', async () => {
    const { world, clock, server, socket, heard, open } = await one();
    socket.send(Buffer.from('a'), echoHost(world));
    await clock.advance(500);
    server.stop();
    await clock.advance(5 * MINUTE);
    expect(heard.at(-1)).toBe('ERR_RELAY_UNREACHABLE');
    expect(socket.send(Buffer.from('b'), endpoint('203.0.113.200', 9))).toBe(false);
    await clock.advance(500);
    expect(open('alice')).toBe(0);
  });
});

it('breaks when the server has forgotten it', async () => {
  const { world, clock, server, user } = turnWorld();
  const socket = await clock.runUntil(allocate(user('alice')));
  const heard = listen(socket);
  server.stop();
  server.start();
  socket.send(Buffer.from('a'), echoHost(world));
  await clock.advance(500);
  expect(heard).toEqual(['ERR_RELAY_REFUSED']);
});

it('closed while it is being asked for, is given back when it comes', async () => {
  const { clock, server, user, open } = turnWorld();
  const abort = new AbortController();
  const asking = allocate(user('alice', TCP), abort.signal);
  asking.catch(() => {});
  await clock.advance(130);
  abort.abort(new Error('changed my mind'));
  await expect(asking).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: abort.signal.reason });
  await clock.advance(1_500);
  expect([server.udp.size, open('alice')]).toEqual([DOORS, 0]);
});
