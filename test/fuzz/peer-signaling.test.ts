import { firstValueFrom } from 'rxjs';
import { filter } from 'rxjs/operators';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import type { Signaling } from '../../src/core/signaling.ts';
import { decodeTicket, encodeTicket, type Ticket, ticketId } from '../../src/protocol/rendezvous/index.ts';
import { deriveKey } from '../../src/protocol/rendezvous/key-schedule.ts';
import { encodeMessage } from '../../src/protocol/rendezvous/messages.ts';
import { MAX_PLAINTEXT, sealBox } from '../../src/protocol/rendezvous/sealed-box.ts';
import { startTransfer } from '../peer/transfer.ts';
import { createWorld, type Inhabitant } from '../peer/world.ts';
import { filled, sampleOffer } from '../protocol/rendezvous/support.ts';
import { mutations } from './attack.ts';
import { SEED, TIMEOUT } from './budget.ts';
import { seededChance } from './engine/chance.ts';
import { mutateBytes } from './engine/mutate-bytes.ts';
import { mutateJson } from './engine/mutate-json.ts';
import { peerMessage } from './targets/signaling.ts';

const uncaught: unknown[] = [];
const keep = (error: unknown): void => void uncaught.push(error);
beforeEach(() => {
  uncaught.length = 0;
  process.on('uncaughtException', keep);
  process.on('unhandledRejection', keep);
});
afterEach(() => {
  process.off('uncaughtException', keep);
  process.off('unhandledRejection', keep);
  expect(uncaught).toEqual([]);
});

const chance = seededChance(SEED);

it(
  'a listener lives through 3,000 sessions of somebody who has a ticket and makes little sense',
  async () => {
    await using world = createWorld();
    const listener = await world.inhabitant();
    const dialer = await world.inhabitant();
    const ticket = decodeTicket(await listener.peer.createTicket());
    let attacker = world.rendezvous.signaling();
    await online(attacker);
    const offers = [
      ...peerMessage.seeds,
      encodeMessage(sampleOffer({ issuedAt: Date.now(), listenerKey: ticket.key })),
    ];
    for (const [i, text] of mutations(offers, mutateJson, 3000, SEED).entries()) {
      const session = chance.bytes(16);
      const envelope = sealed(text, ticket, session, 'dialer to listener', 0);
      attacker.offer({ session, to: ticket.key, ticketId: ticketId(ticket.secret), envelope });
      attacker.send(session, sealed(offers[i % offers.length]!, ticket, session, 'dialer to listener', 1));
      attacker.send(session, mutateBytes(envelope, envelope, chance).subarray(0, MAX_PLAINTEXT));
      if (i % 100 < 99) continue;
      await answered(attacker);
      attacker.close();
      attacker = world.rendezvous.signaling(); // the server cuts off who is refused too often
      await online(attacker);
    }
    attacker.close();
    await meet(listener, dialer);
  },
  TIMEOUT,
);

it(
  'a dialer lives through 100 listeners that answer with anything',
  async () => {
    await using world = createWorld();
    const dialer = await world.inhabitant();
    const attacker = world.rendezvous.signaling();
    const { publicKey, sign } = createIdentity();
    const secret = filled(16, 9);
    const ticket: Ticket = {
      servers: ['ws://memory'],
      stun: [],
      key: publicKey,
      secret,
      expires: Date.now() + 3_600_000,
    };
    const texts = mutations(peerMessage.seeds, mutateJson, 2000, SEED + 1);
    const standing = [{ ticketId: ticketId(secret), envelope: filled(100, 1) }];
    attacker.events$.pipe(filter((event) => event.type === 'offer')).subscribe(({ session }) => {
      for (let sequence = 0; sequence < 20; sequence++) {
        attacker.send(session, sealed(chance.pick(texts), ticket, session, 'listener to dialer', sequence));
      }
    });
    attacker.register({ key: publicKey, sign, since: 1, standing });
    await online(attacker);
    for (let i = 0; i < 100; i++) {
      const connection = dialer.peer.connect(encodeTicket(ticket), { timeout: 100 });
      const error = await connection.ready.then(
        () => 'let in',
        (reason) => reason,
      );
      expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_[A-Z_]+$/) });
    }
    attacker.close();
    await meet(await world.inhabitant(), dialer);
  },
  TIMEOUT,
);

/** What the holder of the ticket seals, as docs/rendezvous-protocol.md has it. */
function sealed(
  text: Uint8Array,
  { secret, key }: Ticket,
  session: Uint8Array,
  direction: 'dialer to listener' | 'listener to dialer',
  sequence: number,
): Uint8Array {
  const context = Buffer.concat([Buffer.from(direction), ticketId(secret), session, key]);
  const plaintext = text.subarray(0, MAX_PLAINTEXT);
  return sealBox({ key: deriveKey(secret, session, direction, 32), context }, { sequence, plaintext }, chance);
}

async function online({ status$ }: Signaling): Promise<void> {
  await firstValueFrom(status$.pipe(filter(({ state }) => state === 'online')));
}

/** Fulfils once the server has come to this client's latest word. */
async function answered(signaling: Signaling): Promise<void> {
  const session = chance.bytes(16);
  const answer = firstValueFrom(
    signaling.events$.pipe(filter((event) => 'session' in event && Buffer.compare(event.session!, session) === 0)),
  );
  signaling.lookup({ session, key: chance.bytes(32) });
  await answer;
}

/** Two well-behaved peers still find each other. */
async function meet(listener: Inhabitant, dialer: Inhabitant): Promise<void> {
  const incoming = firstValueFrom(listener.peer.incoming$);
  const connection = dialer.peer.connect(await listener.peer.createTicket());
  await connection.ready;
  const transfer = await startTransfer(connection, await incoming);
  await transfer.more(10_000);
  await transfer.finish();
}
