import { filter, firstValueFrom, mergeMap } from 'rxjs';
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/node/clock.ts';
import { MANUAL_URL, type ManualSignaling, manualSignaling } from '../../../src/adapters/signaling/manual.ts';
import { nodeEnvironment } from '../../../src/node.ts';
import type { Connection } from '../../../src/peer/connection.ts';
import { createPeer } from '../../../src/peer/create-peer.ts';
import type { Peer, PeerOptions } from '../../../src/peer/peer.ts';
import { echo } from '../../../src/streams/index.ts';

const peers: Peer[] = [];
afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
});

interface Inhabitant {
  readonly peer: Peer;
  readonly manual: ManualSignaling;
}

async function inhabitant(options: Partial<PeerOptions> = {}): Promise<Inhabitant> {
  const manual = manualSignaling({ clock: systemClock() });
  const env = {
    ...nodeEnvironment({ servers: [MANUAL_URL], loopback: true }),
    signaling: manual.signaling,
  };
  const peer = await createPeer({ env, ...options });
  peers.push(peer);
  return { peer, manual };
}

async function listen(options: Partial<PeerOptions> = {}): Promise<Inhabitant> {
  const made = await inhabitant(options);
  made.peer.incoming$.pipe(mergeMap(({ streams$ }) => streams$.pipe(mergeMap((stream) => echo(stream))))).subscribe();
  return made;
}

/** The dialer's connection, and the text that it wants carried back. */
async function dial(
  { peer, manual }: Inhabitant,
  invitation: string,
): Promise<{ connection: Connection; reply: string }> {
  const reply = firstValueFrom(manual.replies$);
  const connection = peer.connect(manual.open(invitation));
  return { connection, reply: await reply };
}

async function exchange(connection: Connection): Promise<string> {
  const stream = await connection.openStream();
  await stream.write(Buffer.from('hello'));
  await stream.end();
  let text = '';
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) text += Buffer.from(chunk);
  return text;
}

it('two peers connect directly by two texts, and exchange data', async () => {
  const [listener, dialer] = [await listen(), await inhabitant()];
  const invitation = listener.manual.invite(await listener.peer.createTicket());
  const { connection, reply } = await dial(dialer, invitation);
  expect(invitation).toMatch(/^spi1[\w-]+$/);
  expect(reply).toMatch(/^spr1[\w-]+$/);
  listener.manual.accept(reply);
  expect(await exchange(connection)).toBe('hello');
  const path = await firstValueFrom(connection.path$.pipe(filter((path) => path !== undefined)));
  expect(path).toMatchObject({ kind: 'direct', transport: 'udp' });
});

it('both texts are for one peer each: a reply for another listener is refused', async () => {
  const [listener, other, dialer] = [await listen(), await listen(), await inhabitant()];
  const { reply } = await dial(dialer, listener.manual.invite(await listener.peer.createTicket()));
  await other.peer.createTicket();
  expect(() => other.manual.accept(reply)).toThrow(expect.objectContaining({ code: 'ERR_TICKET_REJECTED' }));
});

it('an invitation for one connection is used up by it', async () => {
  const [listener, dialer] = [await listen(), await inhabitant()];
  const invitation = listener.manual.invite(await listener.peer.createTicket({ once: true }));
  const [first, second] = [await dial(dialer, invitation), await dial(dialer, invitation)];
  const connected = firstValueFrom(listener.peer.incoming$);
  listener.manual.accept(first.reply);
  await Promise.all([first.connection.ready, connected]);
  expect(() => listener.manual.accept(second.reply)).toThrow(expect.objectContaining({ code: 'ERR_TICKET_REJECTED' }));
});

it('a dialer waits until it is told otherwise', async () => {
  const [listener, dialer] = [await listen(), await inhabitant()];
  const abort = new AbortController();
  const ticket = dialer.manual.open(listener.manual.invite(await listener.peer.createTicket()));
  const connection = dialer.peer.connect(ticket, { signal: abort.signal });
  await firstValueFrom(dialer.manual.replies$);
  abort.abort();
  await expect(connection.ready).rejects.toMatchObject({ code: 'ERR_ABORTED' });
});

it('a dialer that may only be relayed fails at once', async () => {
  const [listener, dialer] = [await listen(), await inhabitant({ policy: 'relay-only' })];
  const { connection } = await dial(dialer, listener.manual.invite(await listener.peer.createTicket()));
  await expect(connection.ready).rejects.toMatchObject({ code: 'ERR_PUNCH_EXHAUSTED' });
});

it('nobody can be dialled by key', async () => {
  const dialer = await inhabitant();
  const { peer: listener } = await listen({ accept: { keys: [dialer.peer.key] } });
  await expect(dialer.peer.connect({ key: listener.key }).ready).rejects.toMatchObject({ code: 'ERR_PEER_UNKNOWN' });
});
