import { describe, expect, it, vi } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { cryptoRandom } from '../../src/adapters/node/index.ts';
import { quicSessions } from '../../src/adapters/session/quic/index.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import type { Session } from '../../src/core/session.ts';
import { createEnvelopeChannel, encodeRelayFrame, envelopeHash } from '../../src/protocol/rendezvous/index.ts';
import { codeOf, createWorld } from '../peer/world.ts';
import { answerOf, forgeOffer, nextOf, strangerAt } from './offer-forgery.ts';
import { siege, untilDirect } from './siege.ts';
import { connected, EXCHANGED, exchange, victims } from './victims.ts';

const random = cryptoRandom();

describe.concurrent('a listener that comes back with another key', () => {
  it('is not who its ticket names, and not found by it', async () => {
    await using world = createWorld();
    const pair = await connected(world);
    await pair.listener.peer.close();
    const again = await victims(world);
    expect(again.ticket.key).not.toEqual(pair.ticket.key);
    expect(await codeOf(pair.dialer.peer.connect(pair.text).ready)).toBe('ERR_PEER_UNKNOWN');
    expect(again.incoming).toEqual([]);
  });

  it('gets no session, though it holds the ticket and the server hands it the offers', async () => {
    await using world = createWorld();
    const { attacker, options } = siege();
    const pair = await victims(world, { ...options, dialer: { ...options.dialer, policy: 'relay-only' } });
    const thief = createIdentity();
    const factory = await quicSessions(thief);
    let posing: Session | undefined;
    attacker.meddle = ({ client, direction, frame, control }) => {
      if (direction === 'down' && control?.type === 'offer') {
        const { session, envelope } = control;
        const { secret, key: listenerKey } = pair.ticket;
        const channel = createEnvelopeChannel({ secret, session, listenerKey, role: 'listener', random });
        const offer = channel.open(envelope);
        if (offer.type !== 'offer') throw new Error('the dialer offered nothing');
        posing = factory.create({
          role: 'server',
          expectedKey: offer.dialerKey,
          transmit: (packet) => void attacker.tell('dialer', encodeRelayFrame(session, packet)),
        });
        const answer = channel.seal({
          type: 'answer',
          offerHash: envelopeHash(envelope),
          policy: 'relay-only',
          candidates: [],
          behavior: unknownBehavior,
          end: true,
        });
        void attacker.tell('dialer', { type: 'envelope', session, envelope: answer });
        for (const packet of offer.flight) posing.receive(packet);
        return [];
      }
      // What the dialer says over the relay is for the thief alone.
      if (client !== 'dialer' || direction === 'down' || typeof frame === 'string') return undefined;
      posing?.receive(frame.subarray(17));
      return [];
    };
    const connection = pair.dialer.peer.connect(pair.text, { timeout: 3000 });
    expect(await codeOf(connection.ready)).toBe('ERR_PEER_KEY');
    expect(posing?.stats().receivedPackets).toBeGreaterThan(0);
    factory.close();
    expect(await codeOf(posing!.established)).not.toBe('fulfilled');
    expect(pair.incoming).toEqual([]);
  });
});

describe.concurrent('a dialer that offers its session again with another key', () => {
  it('before it is established gets no second answer', async () => {
    await using world = createWorld();
    const asked: Uint8Array[] = [];
    const pair = await victims(world, { listener: { accept: ({ key }) => asked.push(key) > 0 } });
    const stranger = await strangerAt(world.rendezvous.signaling());
    const first = forgeOffer(pair.ticket);
    expect(await answerOf(stranger, first)).toMatchObject({ type: 'answer' });
    const { session } = first.offer;
    let answers = 0;
    stranger.events$.subscribe((event) => {
      if (event.type === 'envelope' && first.channel.open(event.envelope).type === 'answer') answers++;
    });
    const changed = forgeOffer(pair.ticket, { session, firstSequence: 1 });
    stranger.offer(changed.offer);
    // The same key's offer, made again, is answered again; the listener reads in order.
    const own = nextOf(stranger, session);
    const again = forgeOffer(pair.ticket, { session, firstSequence: 2, message: { dialerKey: asked[0]! } });
    stranger.offer(again.offer);
    await own;
    await vi.waitFor(() => expect(answers).toBe(1));
    expect(asked).toHaveLength(1);
  });

  it('while it stands changes nothing, though it holds the ticket and owns the server', async () => {
    await using world = createWorld();
    const { attacker, options } = siege();
    const pair = await connected(world, options);
    await untilDirect(pair);
    const session = Buffer.from(pair.here.id, 'hex');
    const remoteKey = pair.there.remoteKey;
    const answered = () =>
      attacker.seen.filter(({ client, direction }) => client === 'listener' && direction === 'up').length;
    const before = answered();
    for (let i = 0; i < 5; i++) {
      const { offer } = forgeOffer(pair.ticket, { session, firstSequence: 20 + i });
      const { ticketId, envelope } = offer;
      await attacker.tell('listener', { type: 'offer', session, ticketId, envelope });
    }
    expect(answered()).toBe(before);
    expect(pair.there.remoteKey).toBe(remoteKey);
    expect(await exchange(pair)).toEqual(EXCHANGED);
    expect(pair.incoming).toHaveLength(1);
  });
});
