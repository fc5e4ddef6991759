import { firstValueFrom } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { CHECK_BUDGET } from '../../src/protocol/ice/check-budget.ts';
import { decodeTicket, ticketId } from '../../src/protocol/rendezvous/index.ts';
import { encodeFrame } from '../../src/protocol/rendezvous/wire.ts';
import { codeOf, createWorld } from '../peer/world.ts';
import { withEnvelope } from './envelope-faults.ts';
import { hostileNetwork } from './hostile-network.ts';
import { type Crossing, type MaliciousRendezvous, maliciousRendezvous } from './malicious-rendezvous.ts';
import { answerTo, openOffPath } from './off-path.ts';
import { siege, untilDirect } from './siege.ts';
import { connected, EXCHANGED, exchange, reasonsOf, victims } from './victims.ts';

const lastOf = ({ seen }: MaliciousRendezvous, isWanted: (crossing: Crossing) => boolean): Crossing =>
  seen.findLast(isWanted)!;

const isOfferDown = ({ direction, control }: Crossing): boolean => direction === 'down' && control?.type === 'offer';

describe.concurrent('a rendezvous server that redirects', () => {
  it('an offer to another listener gets nobody in there', async () => {
    await using world = createWorld();
    const { attacker, inhabitant, options } = siege();
    const other = await victims(world, { listener: inhabitant('other'), dialer: inhabitant('friend') });
    const pair = await victims(world, options);
    attacker.meddle = (crossing) => {
      if (!isOfferDown(crossing) || crossing.client !== 'listener') return undefined;
      void attacker.tell('other', crossing.frame);
      return [];
    };
    expect(await codeOf(pair.dialer.peer.connect(pair.text, { timeout: 700 }).ready)).not.toBe('fulfilled');
    expect(attacker.meddled).toBe(1);
    const { control } = lastOf(attacker, isOfferDown);
    // The other one does not know the ticket, and leaves.
    const left = attacker.seen.filter(({ client, control: said }) => client === 'other' && said?.type === 'leave');
    expect(left).toMatchObject([{ control: { session: control?.type === 'offer' && control.session } }]);
    expect([...pair.incoming, ...other.incoming]).toEqual([]);
  });

  it('an offer to another ticket of the same listener gets nobody in', async () => {
    await using world = createWorld();
    const { attacker, dropped, options } = siege();
    const pair = await victims(world, options);
    const id = ticketId(decodeTicket(await pair.listener.peer.createTicket()).secret);
    attacker.meddle = (crossing) =>
      crossing.control?.type === 'offer' && crossing.direction === 'down'
        ? [encodeFrame({ ...crossing.control, ticketId: id })]
        : undefined;
    expect(await codeOf(pair.dialer.peer.connect(pair.text, { timeout: 700 }).ready)).toBe('ERR_TIMEOUT');
    expect(attacker.meddled).toBe(1);
    expect(dropped).toEqual([expect.stringContaining('envelope/tag')]);
    expect(pair.incoming).toEqual([]);
  });

  it('the answers of two sessions to each other changes neither', async () => {
    await using world = createWorld();
    const { attacker, dropped, options } = siege();
    const pair = await victims(world, options);
    const sessions = new Map<string, Uint8Array>();
    let swapped = 0;
    attacker.meddle = ({ client, direction, control }) => {
      if (direction === 'up' || client !== 'dialer' || control?.type !== 'envelope') return undefined;
      sessions.set(Buffer.from(control.session).toString('hex'), control.session);
      const [other] = [...sessions.values()].filter((session) => Buffer.compare(session, control.session) !== 0);
      if (other === undefined) return undefined;
      swapped++;
      return [encodeFrame({ ...control, session: other }), encodeFrame(control)];
    };
    const dialed = [0, 1].map(() => pair.dialer.peer.connect(pair.text));
    await Promise.all(dialed.map(({ ready }) => ready));
    await vi.waitFor(() => expect(pair.incoming).toHaveLength(2));
    for (const here of dialed) {
      const there = pair.incoming.find((connection) => connection.id === here.id)!;
      expect(await exchange({ here, there })).toEqual(EXCHANGED);
    }
    expect(swapped).toBeGreaterThan(0);
    expect(dropped.length).toBeGreaterThanOrEqual(swapped);
  });

  it('the standing answer of another ticket is not believed', async () => {
    await using world = createWorld();
    const { attacker, dropped, options } = siege();
    const pair = await victims(world, options);
    const other = await pair.listener.peer.createTicket();
    await pair.dialer.peer.connect(other).ready;
    const { control } = lastOf(attacker, (crossing) => crossing.control?.type === 'standing');
    if (control?.type !== 'standing') throw new Error('there was no standing answer');
    attacker.meddle = (crossing) =>
      crossing.control?.type === 'standing' ? [withEnvelope(crossing, control.envelope)] : undefined;
    const here = pair.dialer.peer.connect(pair.text);
    await here.ready;
    expect(attacker.meddled).toBe(1);
    expect(dropped).toEqual([expect.stringContaining('standing/tag')]);
    await vi.waitFor(() => expect(pair.incoming).toHaveLength(2));
    expect(await exchange({ here, there: pair.incoming[1]! })).toEqual(EXCHANGED);
  });

  it('a dialer to where its listener was long ago leads to nobody else', async () => {
    await using world = createWorld();
    const { attacker, inhabitant, options } = siege();
    const network = hostileNetwork();
    const listener = inhabitant('listener');
    const pair = await connected(world, { ...options, listener: { env: { ...listener.env, network } } });
    const { control } = lastOf(attacker, (crossing) => crossing.control?.type === 'standing');
    if (control?.type !== 'standing') throw new Error('there was no standing answer');
    await pair.listener.peer.close();
    // Its port has gone to somebody else when the standing answer of then is handed out.
    const squatter = await openOffPath(network.victim.port);
    const again = pair.dialer.peer.connect(pair.text, { timeout: 700 });
    attacker.meddle = (crossing) =>
      crossing.client === 'dialer' && crossing.direction === 'down' && crossing.control?.type === 'unreachable'
        ? [encodeFrame({ type: 'standing', session: Buffer.from(again.id, 'hex'), envelope: control.envelope })]
        : undefined;
    squatter.datagrams$.subscribe(({ stun, from }) => {
      if (stun !== undefined) squatter.send(answerTo(stun, from, 'a password that is not the listener’s'), from);
    });
    expect(await codeOf(again.ready)).toBe('ERR_TIMEOUT');
    expect((await again.verdict).paths).toEqual([]);
    const { heard } = squatter;
    expect(heard.length).toBeGreaterThan(0);
    expect(heard.length).toBeLessThanOrEqual(CHECK_BUDGET.endpoint);
    expect(heard.filter(({ stun }) => stun?.class !== 'request')).toEqual([]);
    squatter.close();
  });

  it('an offer to a second registration of its listener makes one connection', async () => {
    await using world = createWorld();
    const [a, b] = [maliciousRendezvous(), maliciousRendezvous()] as const;
    const { reasons, log } = reasonsOf('offer.dropped', 'envelope.dropped', 'offer.rejected');
    const at = (client: string) => ({
      env: {
        servers: ['ws://a', 'ws://b'],
        signaling: (url: string) => (new URL(url).hostname === 'a' ? a : b).signaling(client),
        log,
      },
    });
    const pair = await victims(world, { listener: at('listener'), dialer: at('dialer') });
    // Each server hands on the offers of the other one too.
    const offers = new Set<Crossing>();
    for (const [server, other] of [[a, b] as const, [b, a] as const]) {
      server.meddle = (crossing) => {
        if (!isOfferDown(crossing)) return undefined;
        offers.add(crossing);
        void other.tell('listener', crossing.frame);
        return undefined;
      };
    }
    const incoming = firstValueFrom(pair.listener.peer.incoming$);
    const here = pair.dialer.peer.connect(pair.text);
    await here.ready;
    const there = await incoming;
    await untilDirect({ here, there });
    expect(await exchange({ here, there })).toEqual(EXCHANGED);
    await vi.waitFor(() => expect(offers.size).toBe(2));
    await vi.waitFor(() => expect(reasons).toHaveLength(2));
    expect(pair.incoming).toEqual([there]);
  });
});
