import { filter, firstValueFrom } from 'rxjs';
import { expect, it } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { cryptoRandom, systemClock } from '../../src/adapters/node/index.ts';
import { type MemoryRendezvous, memoryRendezvous } from '../../src/adapters/signaling/memory.ts';
import type { Signaling } from '../../src/core/signaling.ts';
import { decodeTicket } from '../../src/protocol/rendezvous/index.ts';
import { startTransfer } from './transfer.ts';
import { codeOf, connectedPair, createWorld, type InhabitantOptions, untilPath, untilState } from './world.ts';

/** Two rendezvous servers, by URL. */
function twoServers(): {
  readonly a: MemoryRendezvous;
  readonly b: MemoryRendezvous;
  readonly options: InhabitantOptions;
} {
  const [a, b] = [0, 1].map(() => memoryRendezvous({ clock: systemClock(), random: cryptoRandom() }));
  const signaling = (url: string): Signaling => (new URL(url).hostname === 'a' ? a! : b!).signaling();
  return { a: a!, b: b!, options: { env: { servers: ['ws://a', 'ws://b'], signaling } } };
}

it('the relay of another server takes over when one stops', async () => {
  await using world = createWorld();
  const { a, options } = twoServers();
  const relayed: InhabitantOptions = { ...options, policy: 'relay-only' };
  const { here, there } = await connectedPair(world, { listener: relayed, dialer: relayed });
  const transfer = await startTransfer(here, there);
  await transfer.more(100_000);
  a.stop();
  await untilState(here, 'connected');
  await transfer.more(100_000);
  await transfer.finish();
});

it('one server that does not know the listener does not speak for the other', async () => {
  await using world = createWorld();
  const { b, options } = twoServers();
  const listener = await world.inhabitant({ env: { ...options.env, servers: ['ws://b'] } });
  const dialer = await world.inhabitant(options);
  const ticket = await listener.peer.createTicket();
  const connection = dialer.peer.connect(ticket, { servers: ['ws://a', 'ws://b'] });
  await connection.ready;
  b.stop();
  const alone = dialer.peer.connect(ticket, { servers: ['ws://a'] });
  expect(await codeOf(alone.ready)).toBe('ERR_PEER_UNKNOWN');
});

it('two URLs of one server do not end a listener', async () => {
  await using world = createWorld();
  const both: InhabitantOptions = { env: { servers: ['ws://memory/one', 'ws://memory/two'] } };
  const { here, there } = await connectedPair(world, { listener: both, dialer: both });
  const transfer = await startTransfer(here, there);
  await transfer.more(1000);
  await transfer.finish();
});

it('a listener that was replaced at one server stays away there, and stays registered at the other', async () => {
  await using world = createWorld();
  const { b, options } = twoServers();
  const identity = createIdentity();
  const atB = b.signaling();
  const signaling = (url: string): Signaling => (new URL(url).hostname === 'b' ? atB : options.env!.signaling!(url));
  const first = await world.inhabitant({ identity, env: { ...options.env, signaling } });
  await first.peer.createTicket();
  const second = await world.inhabitant({ identity, env: { ...options.env, servers: ['ws://b'] } });
  const replaced = firstValueFrom(atB.events$.pipe(filter(({ type }) => type === 'replaced')));
  const ticketOfSecond = await second.peer.createTicket();
  await replaced;
  const ticketOfFirst = await first.peer.createTicket();
  const dialer = await world.inhabitant(options);
  await dialer.peer.connect(ticketOfSecond).ready;
  await dialer.peer.connect(ticketOfFirst).ready;
});

it('a ticket names no more STUN servers than it can hold, and only real ones', async () => {
  await using world = createWorld();
  const ports = (count: number) => Array.from({ length: count }, (_, i) => `127.0.0.1:${i + 9}`);
  const told = memoryRendezvous({ clock: systemClock(), random: cryptoRandom(), stun: ['nowhere:0', ...ports(7)] });
  const toldOf = await world.inhabitant({ env: { signaling: () => told.signaling() } });
  expect(decodeTicket(await toldOf.peer.createTicket()).stun).toEqual(ports(7));
  const configured = await world.inhabitant({ env: { stun: ports(12) } });
  expect(decodeTicket(await configured.peer.createTicket()).stun).toEqual(ports(8));
});

it('an answer that was lost is given again to the next offer', async () => {
  await using world = createWorld();
  let lose = 1;
  const listener = await world.inhabitant({
    env: {
      signaling() {
        const carrier = world.rendezvous.signaling();
        return { ...carrier, send: (session, envelope) => lose-- > 0 || carrier.send(session, envelope) };
      },
    },
  });
  const dialer = await world.inhabitant({ policy: 'relay-only' });
  const connection = dialer.peer.connect(await listener.peer.createTicket());
  world.rendezvous.stop();
  world.rendezvous.start();
  await connection.ready;
  await untilPath(connection, 'relayed');
});

it('connections that are made at once between the same two keep their tickets apart, without a relay', async () => {
  await using world = createWorld();
  const direct: InhabitantOptions = { policy: 'direct-only' };
  const listener = await world.inhabitant(direct);
  const dialer = await world.inhabitant(direct);
  const seen = new Map<string, string>();
  listener.peer.incoming$.subscribe((there) => {
    there.streams$.subscribe(async (stream) => {
      seen.set(Buffer.from((await stream.read()) ?? []).toString(), there.id);
    });
  });
  const tickets = await Promise.all(Array.from({ length: 6 }, () => listener.peer.createTicket()));
  const connections = tickets.map((ticket) => dialer.peer.connect(ticket));
  for (const here of connections) {
    const stream = await here.openStream();
    await stream.write(Buffer.from(here.id));
    await stream.end();
    await stream.finished;
  }
  expect([...seen].sort()).toEqual(connections.map(({ id }) => [id, id]).sort());
});
