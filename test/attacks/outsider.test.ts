import { randomBytes } from 'node:crypto';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { cryptoRandom } from '../../src/adapters/node/index.ts';
import { ADDRESSES, quicheConfig } from '../../src/adapters/session/quic/config.ts';
import { loadQuiche } from '../../src/adapters/session/quic/native.ts';
import { formatEndpoint } from '../../src/core/endpoint.ts';
import { encodeRelayFrame, ticketId } from '../../src/protocol/rendezvous/index.ts';
import { encodeMessage } from '../../src/protocol/stun/index.ts';
import { createWorld } from '../peer/world.ts';
import { startHeartbeat } from './heartbeat.ts';
import { findNeedles, secretBytes, secretText } from './needles.ts';
import { checkOf, openOffPath } from './off-path.ts';
import { forgeOffer, nextOf, strangerAt } from './offer-forgery.ts';
import { siege } from './siege.ts';
import { SIDES, target } from './target.ts';
import { connected, credentialsOf, EXCHANGED, exchange, victims } from './victims.ts';

const random = cryptoRandom();

describe.concurrent('an outsider who knows servers, key and ticket id, and not the secret,', () => {
  it('hears nothing for offers but a standing answer that it cannot read', async () => {
    await using world = createWorld();
    const { attacker, options, inhabitant } = siege();
    const pair = await victims(world, options);
    const outsider = await strangerAt(inhabitant('outsider').env!.signaling!('ws://memory'));
    for (let i = 0; i < 20; i++) {
      const { offer } = forgeOffer({ key: pair.ticket.key, secret: random.bytes(16) });
      outsider.offer({ ...offer, ticketId: ticketId(pair.ticket.secret) });
    }
    const heard = () => attacker.seen.filter(({ client, direction }) => client === 'outsider' && direction === 'down');
    await vi.waitFor(() => expect(heard().filter(({ control }) => control?.type === 'standing')).toHaveLength(20));
    expect(new Set(heard().map(({ control }) => control?.type))).toEqual(new Set(['hello', 'standing']));
    const { candidates } = await firstValueFrom(pair.listener.peer.reachability$);
    const needles = [
      ...candidates.map(({ endpoint }) => secretText('candidate', formatEndpoint(endpoint))),
      secretBytes('secret', pair.ticket.secret),
    ];
    expect(needles.length).toBeGreaterThan(1);
    expect(
      findNeedles(
        needles,
        heard().map(({ frame }) => frame),
      ),
    ).toEqual([]);
    expect(pair.incoming).toEqual([]);
  });

  it('cannot tell by a lookup whether a key that takes tickets only is there', async () => {
    await using world = createWorld();
    const { ticket } = await victims(world);
    const outsider = await strangerAt(world.rendezvous.signaling());
    const told = await Promise.all(
      [ticket.key, createIdentity().publicKey].map((key) => {
        const session = random.bytes(16);
        const answer = nextOf(outsider, session);
        outsider.lookup({ session, key });
        return answer.then((event) => ({ ...event, session: undefined }));
      }),
    );
    expect(told[0]).toEqual({ type: 'contact', session: undefined });
    expect(told[1]).toEqual(told[0]);
  });

  it('gets no byte back from a peer’s UDP port', async () => {
    await using world = createWorld();
    const pair = await target(world);
    const outsider = await openOffPath();
    const beat = await startHeartbeat(pair);
    const quiche = await loadQuiche();
    const config = quicheConfig(quiche, createIdentity());
    for (const side of SIDES) {
      const { victim } = pair.networks[side];
      for (let i = 0; i < 50; i++) {
        const initial = Buffer.alloc(1200);
        quiche.Connection.connect(null, randomBytes(16), ADDRESSES.to, ADDRESSES.from, config).send(initial);
        outsider.send(initial, victim);
        outsider.send(checkOf({ username: `guess${i}:guess`, pwd: 'guess' }), victim);
        outsider.send(bindingRequest(), victim);
        outsider.send(randomBytes(1 + i), victim);
      }
      const { ufrag } = credentialsOf(pair.ticket, pair.here)[side];
      // By the time of the one answer that there is, to the name of the agent, all of that has been read.
      outsider.send(checkOf({ username: `${ufrag}:x` }), victim);
    }
    await vi.waitFor(() => expect(outsider.heard.length).toBeGreaterThanOrEqual(2));
    expect(outsider.heard).toHaveLength(2);
    await beat.stop();
    expect(await exchange(pair)).toEqual(EXCHANGED);
    outsider.close();
  });

  it('can neither speak in a session of others nor end it, though it knows its id', async () => {
    await using world = createWorld();
    const { attacker, options, inhabitant } = siege();
    const relayed = (who: 'listener' | 'dialer') => ({ ...options[who], policy: 'relay-only' }) as const;
    const pair = await connected(world, { listener: relayed('listener'), dialer: relayed('dialer') });
    await strangerAt(inhabitant('outsider').env!.signaling!('ws://memory'));
    const session = Buffer.from(pair.here.id, 'hex');
    const marker = randomBytes(100);
    const before = attacker.seen.length;
    for (let i = 0; i < 20; i++) {
      await attacker.claim('outsider', encodeRelayFrame(session, marker));
      await attacker.claim('outsider', { type: 'envelope', session, envelope: marker });
      await attacker.claim('outsider', { type: 'leave', session });
    }
    const since = attacker.seen.slice(before);
    expect(since.filter(({ client }) => client === 'outsider').map(({ control }) => control)).toEqual(
      Array(20).fill({ type: 'unreachable', session: new Uint8Array(session), reason: 'unknown' }),
    );
    const victims = since.filter(({ client }) => client !== 'outsider');
    const heard = victims.map(({ frame }) => frame);
    expect(findNeedles([secretBytes('what the outsider said', marker)], heard)).toEqual([]);
    expect(victims.filter(({ control }) => control !== undefined)).toEqual([]);
    expect(await exchange(pair)).toEqual(EXCHANGED);
  });
});

/** What any STUN client asks, without a name. */
function bindingRequest(): Uint8Array {
  return encodeMessage({ class: 'request', method: 1, transactionId: randomBytes(12), attributes: [] });
}
