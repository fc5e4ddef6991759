import { connect, type NatsConnection } from '@nats-io/transport-node';
import { filter, firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/node/clock.ts';
import { cryptoRandom } from '../../../src/adapters/node/random.ts';
import { natsSignaling } from '../../../src/adapters/signaling/nats.ts';
import { encodeClaim } from '../../../src/adapters/signaling/nats-claim.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { toHex } from '../../../src/core/hex.ts';
import type { Registration, Signaling, SignalingEvent } from '../../../src/core/signaling.ts';
import { encodeFrame, encodeRelayFrame } from '../../../src/protocol/rendezvous/index.ts';
import { registrationProof } from '../../../src/protocol/rendezvous/registration-proof.ts';
import {
  relayCompliance,
  relayOfSignaling,
  type SignalingWorld,
  signalingCompliance,
} from '../../../src/testing/compliance/index.ts';
import { manualClock } from '../../manual-clock.ts';
import { filled, testIdentity } from '../../protocol/rendezvous/support.ts';
import { describeWithNats, layLine, type NatsServer, startNatsServer } from './nats-server.ts';

describeWithNats('signalling over NATS', () => {
  signalingCompliance({ name: 'NATS', create: world });
  relayCompliance({ name: 'NATS', create: async () => relayOfSignaling(await world(), 'nats') });

  async function world(): Promise<SignalingWorld> {
    const server = await startNatsServer();
    const clock = systemClock();
    const open = ({ url }: NatsServer): Signaling => natsSignaling({ url, clock, random: cryptoRandom() });
    let other: NatsServer | undefined;
    return {
      clock,
      settle: (promise) => promise,
      signaling: () => open(server),
      async elsewhere() {
        other ??= await startNatsServer();
        return open(other);
      },
      stop: server.stop,
      start: server.start,
      async close() {
        await Promise.all([server.stop(), other?.stop()]);
      },
    };
  }

  const releases: (() => unknown)[] = [];
  afterEach(async () => {
    for (const release of releases.splice(0).reverse()) await release();
  });

  async function serve(): Promise<NatsServer> {
    const server = await startNatsServer();
    releases.push(server.stop);
    return server;
  }

  function open({ url }: { readonly url: string }, clock: Clock = systemClock()): Signaling {
    const signaling = natsSignaling({ url, clock, random: cryptoRandom() });
    releases.push(() => signaling.close());
    return signaling;
  }

  /** The next event of this type. */
  function next<T extends SignalingEvent['type']>(signaling: Signaling, type: T) {
    const isWanted = (event: SignalingEvent): event is Extract<SignalingEvent, { type: T }> => event.type === type;
    return firstValueFrom(signaling.events$.pipe(filter(isWanted)));
  }

  async function listen(at: { readonly url: string }, { clock, ...changes }: ListenerOptions = {}) {
    const identity: Registration = { ...testIdentity(), standing: [], ...changes };
    const listener = open(at, clock);
    const registered = next(listener, 'registered');
    listener.register(identity);
    await registered;
    return { listener, identity };
  }

  interface ListenerOptions extends Partial<Registration> {
    readonly clock?: Clock;
  }

  const session = filled(16, 1);
  const ticketId = filled(16, 2);

  async function offer(dialer: Signaling, listener: Signaling, to: Uint8Array, id = session): Promise<void> {
    const offered = next(listener, 'offer');
    dialer.offer({ session: id, to, ticketId, envelope: filled(10, 1) });
    await offered;
  }

  /** A session that the listener has answered. */
  async function join(dialer: Signaling, listener: Signaling, to: Uint8Array): Promise<void> {
    await offer(dialer, listener, to);
    const answered = next(dialer, 'envelope');
    listener.send(session, filled(10, 2));
    await answered;
  }

  async function cuttableLine(server: NatsServer) {
    const line = await layLine(server);
    releases.push(line.cut);
    return line;
  }

  describe('an end that vanishes without a word', () => {
    /** Acts until it has had its effect: the server needs a moment to see that a line was cut. */
    async function repeat(server: NatsServer, effect: Promise<unknown>, act: () => void): Promise<void> {
      const witness = await intrude(server);
      let isDone = false;
      effect.then(() => {
        isDone = true;
      });
      while (!isDone) {
        act();
        await witness.flush();
      }
    }

    it('is missed by the dialer at its next sign of life, within 30 s, and found again when it is back', async () => {
      const server = await serve();
      const line = await cuttableLine(server);
      const { listener, identity } = await listen(line);
      const clock = manualClock();
      const dialer = open(server, clock);
      await join(dialer, listener, identity.key);
      const ended = firstValueFrom(dialer.relay(session)!.datagrams$, { defaultValue: 'ended' });
      await line.cut();
      await offline(listener);
      const missed = next(dialer, 'unreachable');
      await repeat(server, missed, () => clock.advance(30_000));
      expect(await missed).toEqual({ type: 'unreachable', session, reason: 'silent' });
      expect(await ended).toBe('ended');
      const { listener: back } = await listen(server, identity);
      await offer(dialer, back, identity.key);
    });

    it('is missed by the listener with the first thing that it says', async () => {
      const server = await serve();
      const line = await cuttableLine(server);
      const { listener, identity } = await listen(server);
      const dialer = open(line);
      await join(dialer, listener, identity.key);
      await line.cut();
      await offline(dialer);
      const missed = next(listener, 'unreachable');
      await repeat(server, missed, () => listener.send(session, filled(10, 3)));
      expect(await missed).toEqual({ type: 'unreachable', session, reason: 'silent' });
    });

    it('is missed by the listener after 75 s of silence', async () => {
      const server = await serve();
      const line = await cuttableLine(server);
      const clock = manualClock();
      const { listener, identity } = await listen(server, { clock });
      const dialer = open(line);
      await join(dialer, listener, identity.key);
      await line.cut();
      await offline(dialer);
      const events: SignalingEvent[] = [];
      listener.events$.subscribe((event) => events.push(event));
      clock.advance(60_000);
      expect(events).toEqual([]);
      const missed = next(listener, 'unreachable');
      clock.advance(30_000);
      expect(await missed).toEqual({ type: 'unreachable', session, reason: 'silent' });
    });

    it('is not missed as long as it shows that it lives', async () => {
      const server = await serve();
      const clock = manualClock();
      const { listener, identity } = await listen(server, { clock });
      const dialer = open(server, clock);
      await join(dialer, listener, identity.key);
      const intruder = await intrude(server);
      const signs = intruder.subscribe('sallyport.1.host.>')[Symbol.asyncIterator]();
      await intruder.flush();
      const events: SignalingEvent[] = [];
      for (const end of [dialer, listener]) end.events$.subscribe((event) => events.push(event));
      for (let i = 0; i < 4; i++) {
        clock.advance(30_000);
        await signs.next();
        // What the listener answers now, it answers after it has had the sign.
        await askListener(intruder, identity.key);
      }
      expect(events).toEqual([]);
    });
  });

  describe('of two that hold one key', () => {
    it('the earlier one goes on with its sessions, also over the relay', async () => {
      const server = await serve();
      const { listener: first, identity } = await listen(server);
      const dialer = open(server);
      await join(dialer, first, identity.key);
      const replaced = next(first, 'replaced');
      const { listener: second } = await listen(server, { ...identity, since: identity.since + 1 });
      await replaced;
      const heard = next(first, 'envelope');
      dialer.send(session, filled(10, 7));
      expect((await heard).envelope[0]).toBe(7);
      const relayed = firstValueFrom(first.relay(session)!.datagrams$);
      dialer.relay(session)!.send(filled(10, 8));
      expect((await relayed)[0]).toBe(8);
      await offer(dialer, second, identity.key, filled(16, 9));
    });

    it('the later one stays, also when both come at the same moment', async () => {
      const server = await serve();
      const identity = { ...testIdentity(), standing: [] };
      const listeners = [3, 1, 2].map((later) => {
        const listener = open(server);
        const events: string[] = [];
        listener.events$.subscribe(({ type }) => events.push(type));
        listener.register({ ...identity, since: identity.since + later });
        return { listener, events };
      });
      const [latest, ...others] = listeners;
      await Promise.all(others.map(({ listener }) => next(listener, 'replaced')));
      await offer(open(server), latest!.listener, identity.key);
      expect(latest!.events).toEqual(['registered', 'offer']);
    });

    it('a holder that does not answer is waited for no longer than 2 s', async () => {
      const server = await serve();
      const identity = { ...testIdentity(), standing: [] };
      const squatter = await intrude(server);
      const claims = squatter.subscribe(`sallyport.1.key.${toHex(identity.key)}.*`);
      await squatter.flush();
      const clock = manualClock();
      const listener = open(server, clock);
      const registered = next(listener, 'registered');
      listener.register(identity);
      await claims[Symbol.asyncIterator]().next();
      clock.advance(2_000);
      await registered;
    });
  });

  describe('a stranger on the same server', () => {
    it.each<[string, (key: Uint8Array, since: number) => Uint8Array]>([
      ['without the key', (_, since) => encodeClaim({ since: since + 1, sign: testIdentity().sign })],
      ['with a changed time', (_, since) => timed(since + 1, filled(64, 1))],
      ['of no length', () => filled(1, 0)],
      ['too long', () => filled(1_000, 1)],
    ])('replaces nobody by a claim %s', async (_, makeClaim) => {
      const server = await serve();
      const { listener, identity } = await listen(server);
      const events: string[] = [];
      listener.events$.subscribe(({ type }) => events.push(type));
      const intruder = await intrude(server);
      const claim = makeClaim(identity.key, identity.since);
      intruder.publish(`sallyport.1.key.${toHex(identity.key)}.claim`, claim);
      await intruder.flush();
      await offer(open(server), listener, identity.key);
      expect(events).toEqual(['offer']);
    });

    it('replaces nobody by repeating what the listener said itself', async () => {
      const server = await serve();
      const intruder = await intrude(server);
      const said = intruder.subscribe('sallyport.1.key.*.claim', { max: 1 });
      await intruder.flush();
      const { listener, identity } = await listen(server);
      const events: string[] = [];
      listener.events$.subscribe(({ type }) => events.push(type));
      for await (const { subject, data } of said) intruder.publish(subject, data);
      await intruder.flush();
      await offer(open(server), listener, identity.key);
      expect(events).toEqual(['offer']);
    });

    it('cannot register at a listener, with whatever key', async () => {
      const server = await serve();
      const { listener, identity } = await listen(server);
      const events: string[] = [];
      listener.events$.subscribe(({ type }) => events.push(type));
      const intruder = await intrude(server);
      for (const { key, sign } of [identity, testIdentity()]) {
        const signature = sign(registrationProof('nats.invalid', filled(32, 0)));
        const frame = encodeFrame({ type: 'register', key, signature, since: identity.since + 1, standing: [] });
        intruder.publish(`sallyport.1.key.${toHex(identity.key)}.${TOKEN}`, frame);
      }
      // The first answer is to the question.
      expect(await askListener(intruder, identity.key)).toMatchObject({ type: 'contact' });
      await offer(open(server), listener, identity.key);
      expect(events).toEqual(['offer']);
    });

    it('cannot make either end stop, speak or fail by messages that make no sense', async () => {
      const server = await serve();
      const intruder = await intrude(server);
      const heard = intruder.subscribe('sallyport.>');
      await intruder.flush();
      const { listener, identity } = await listen(server);
      const dialer = open(server);
      await join(dialer, listener, identity.key);
      const subjects = new Set<string>();
      for await (const { subject, reply } of heard) {
        for (const each of [subject, reply || subject]) subjects.add(each);
        if (/\.at\..*\.frame$/.test(subject)) break;
      }
      const events: SignalingEvent[] = [];
      for (const end of [dialer, listener]) end.events$.subscribe((event) => events.push(event));
      const hello = { type: 'hello', v: 2, name: 'x', challenge: 'AA', stun: [], relay: true, limits: {} };
      const junk = ['{', '{}', JSON.stringify(hello), 'x', '\x01', '\x00\x00', `{"type":"${'a'.repeat(500_000)}"}`];
      for (const subject of subjects) {
        // The right subject is what makes a message a dialer's or a holder's; this one may say what it likes.
        if (subject.endsWith('.claim')) continue;
        for (const payload of junk) intruder.publish(subject, payload, { reply: 'sallyport.1.host.x.y' });
      }
      await intruder.flush();
      const answered = next(dialer, 'envelope');
      dialer.send(session, filled(10, 5));
      listener.send(session, filled(10, 6));
      await answered;
      expect(events.filter(({ type }) => type !== 'envelope' && type !== 'error')).toEqual([]);
    });

    it('does not get what is meant for another by guessing sessions', async () => {
      const server = await serve();
      const { listener, identity } = await listen(server);
      const dialer = open(server);
      await join(dialer, listener, identity.key);
      const received: Uint8Array[] = [];
      listener.relay(session)!.datagrams$.subscribe((datagram) => received.push(datagram));
      const intruder = await intrude(server);
      const answers = intruder.subscribe(`sallyport.1.at.${TOKEN}.frame`);
      const subject = `sallyport.1.key.${toHex(identity.key)}.${TOKEN}`;
      intruder.publish(subject, encodeRelayFrame(session, filled(10, 66)));
      intruder.publish(subject, encodeFrame({ type: 'leave', session }));
      intruder.publish(subject, encodeFrame({ type: 'envelope', session, envelope: filled(10, 66) }));
      const { value } = await answers[Symbol.asyncIterator]().next();
      expect(JSON.parse(value.string())).toMatchObject({ type: 'unreachable', reason: 'unknown' });
      const relayed = firstValueFrom(listener.relay(session)!.datagrams$);
      dialer.relay(session)!.send(filled(10, 1));
      await relayed;
      expect(received).toHaveLength(1);
    });
  });

  it('drops the newest datagram behind those that the server has not taken yet', async () => {
    const server = await serve();
    const { listener, identity } = await listen(server);
    const dialer = open(server);
    await join(dialer, listener, identity.key);
    const path = dialer.relay(session)!;
    let taken = 0;
    while (path.send(filled(1_200, 1))) {
      taken += 1_200;
      if (taken > 256 * 1024 * 1024) throw new Error('nothing was dropped');
    }
    expect(taken).toBeGreaterThan(64 * 1024);
    expect(taken).toBeLessThan(512 * 1024);
    const received = firstValueFrom(listener.relay(session)!.datagrams$);
    expect((await received)[0]).toBe(1);
  });

  it('leaves no timer and no connection behind', async () => {
    const server = await serve();
    const clock = manualClock();
    const { listener, identity } = await listen(server, { clock });
    const dialer = open(server, clock);
    await join(dialer, listener, identity.key);
    dialer.leave(session);
    dialer.close();
    listener.close();
    const intruder = await intrude(server);
    // Both are gone when nobody answers for the key any more.
    await expect(
      intruder.request(`sallyport.1.key.${toHex(identity.key)}.claim`, filled(1, 0), { timeout: 5_000 }),
    ).rejects.toThrow('no responders');
  });

  const offline = (signaling: Signaling) =>
    firstValueFrom(signaling.status$.pipe(filter(({ state }) => state === 'offline')));

  /** Asks the listener something, as any dialer may; gives the first thing that it says. */
  async function askListener(intruder: NatsConnection, key: Uint8Array): Promise<unknown> {
    const answers = intruder.subscribe(`sallyport.1.at.${TOKEN}.frame`, { max: 1 });
    const question = encodeFrame({ type: 'lookup', session: filled(16, 99), key: filled(32, 1) });
    intruder.publish(`sallyport.1.key.${toHex(key)}.${TOKEN}`, question);
    const { value } = await answers[Symbol.asyncIterator]().next();
    return value.json();
  }

  /** Someone with an account on the same server, and no good in mind. */
  async function intrude({ url }: NatsServer): Promise<NatsConnection> {
    const connection = await connect({ servers: url.replace('nats://', '') });
    releases.push(() => connection.close());
    return connection;
  }
});

/** By which the intruder is known. */
const TOKEN = 'ab'.repeat(16);

/** A claim for another time than the one that was signed. */
function timed(since: number, signature: Uint8Array): Uint8Array {
  return encodeClaim({ since, sign: () => signature });
}
