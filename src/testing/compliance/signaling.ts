import { generateKeyPairSync, sign } from 'node:crypto';
import { firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PathTransport } from '../../core/path.ts';
import type { Registration, Signaling, SignalingEvent, SignalingStatus, StandingAnswer } from '../../core/signaling.ts';

/** A rendezvous server with clients, as an adapter offers it. */
export interface SignalingWorld {
  /** A new client of the server, not yet connected. */
  signaling(): Signaling;
  /** Ends the server and every connection to it. */
  stop(): Promise<void>;
  /** A server that remembers nothing, at the same place. */
  start(): Promise<void>;
  /** Ends what is left. */
  close(): Promise<void>;
}

export interface AnySignalingCompliance {
  readonly name: string;
  readonly create: () => Promise<Pick<SignalingWorld, 'signaling' | 'close'>>;
}

export interface SignalingCompliance extends AnySignalingCompliance {
  readonly create: () => Promise<SignalingWorld>;
  /** Of the relayed paths; `websocket` by default. */
  readonly transport?: PathTransport;
}

/** What every `Signaling` must do. */
export function anySignalingCompliance({ name, create }: AnySignalingCompliance): void {
  describe(`${name} is signalling`, () => {
    let world: Pick<SignalingWorld, 'signaling' | 'close'>;
    let opened: Signaling[];

    function open(): Client {
      const signaling = world.signaling();
      opened.push(signaling);
      return watch(signaling);
    }

    beforeEach(async () => {
      world = await create();
      opened = [];
    });
    afterEach(async () => {
      for (const signaling of opened) signaling.close();
      await world.close();
    });

    it('tells its last status to whoever looks late', async () => {
      const client = open();
      await client.state('online');
      expect(await firstValueFrom(client.signaling.status$)).toMatchObject({ state: 'online' });
    });

    it('says when nobody has the key', async () => {
      const dialer = open();
      const session = bytes(16, 1);
      dialer.signaling.offer({ session, to: bytes(32, 9), ticketId: TICKET, envelope: bytes(10, 1) });
      expect(await dialer.next('unreachable')).toEqual({ type: 'unreachable', session, reason: 'unknown' });
    });

    it('says when there is no contact of a key', async () => {
      const dialer = open();
      await dialer.state('online');
      const session = bytes(16, 1);
      dialer.signaling.lookup({ session, key: bytes(32, 9) });
      expect(await dialer.next('contact')).toEqual({ type: 'contact', session });
    });

    it('ends its streams on close, which may be called twice', async () => {
      const client = open();
      await client.state('online');
      client.signaling.close();
      client.signaling.close();
      await client.ended;
      expect(client.signaling.send(bytes(16, 1), bytes(10, 1))).toBe(false);
    });
  });
}

/** What every `Signaling` that goes through a rendezvous server must do. */
export function signalingCompliance({ name, create, transport = 'websocket' }: SignalingCompliance): void {
  anySignalingCompliance({ name, create });

  describe(`${name} is signalling through a server`, () => {
    let world: SignalingWorld;
    let opened: Signaling[];

    function open(): Client {
      const signaling = world.signaling();
      opened.push(signaling);
      return watch(signaling);
    }

    async function listen(registration: Registration): Promise<Client> {
      const listener = open();
      listener.signaling.register(registration);
      await listener.next('registered');
      return listener;
    }

    beforeEach(async () => {
      world = await create();
      opened = [];
    });
    afterEach(async () => {
      for (const signaling of opened) signaling.close();
      await world.close();
    });

    it('connects by itself and tells so', async () => {
      const client = open();
      await client.state('online');
      expect(client.statuses[0]).toEqual({ state: 'connecting', attempt: 1 });
      expect(client.statuses.at(-1)).toMatchObject({ state: 'online', relays: true });
    });

    it('introduces a dialer to a listener, the standing answer coming before the answer', async () => {
      const identity = createIdentity([{ ticketId: TICKET, envelope: bytes(70, 7) }]);
      const listener = await listen(identity);
      const dialer = open();
      const session = bytes(16, 1);
      dialer.signaling.offer({ session, to: identity.key, ticketId: TICKET, envelope: bytes(300, 2) });
      expect(await listener.next('offer')).toEqual({
        type: 'offer',
        session,
        ticketId: TICKET,
        envelope: bytes(300, 2),
      });
      expect(listener.signaling.send(session, bytes(200, 3))).toBe(true);
      expect(await dialer.next('envelope')).toEqual({ type: 'envelope', session, envelope: bytes(200, 3) });
      expect(dialer.events[0]).toEqual({ type: 'standing', session, envelope: bytes(70, 7) });
      expect(dialer.signaling.send(session, bytes(100, 4))).toBe(true);
      expect(await listener.next('envelope')).toEqual({ type: 'envelope', session, envelope: bytes(100, 4) });
    });

    it('serves many sessions of one pair, each envelope once and in order', async () => {
      const { dialer, listener, session: first, identity } = await join(open, listen);
      const second = bytes(16, 2);
      dialer.signaling.offer({ session: second, to: identity.key, ticketId: TICKET, envelope: bytes(10, 0) });
      await listener.until((events) => events.filter(({ type }) => type === 'offer').length === 2);
      for (let i = 0; i < 100; i++) dialer.signaling.send(i % 2 === 0 ? first : second, bytes(20, i));
      await listener.until((events) => events.filter(({ type }) => type === 'envelope').length === 100);
      const received = listener.events.filter((event) => event.type === 'envelope');
      expect(received.map(({ envelope }) => envelope[0])).toEqual(Array.from({ length: 100 }, (_, i) => i));
      expect(received.filter(({ session }) => session[0] === second[0])).toHaveLength(50);
    });

    it('tells the contact of a key, and that there is none', async () => {
      const contact = { key: bytes(32, 3), signature: bytes(64, 4) };
      const identity = createIdentity();
      await listen({ ...identity, contact });
      const dialer = open();
      await dialer.state('online');
      const [known, unknown] = [bytes(16, 1), bytes(16, 2)];
      dialer.signaling.lookup({ session: known, key: identity.key });
      expect(await dialer.next('contact')).toEqual({ type: 'contact', session: known, contact });
      dialer.signaling.lookup({ session: unknown, key: bytes(32, 9) });
      await dialer.until((events) => events.filter(({ type }) => type === 'contact').length === 2);
      expect(dialer.events.at(-1)).toEqual({ type: 'contact', session: unknown });
    });

    it('refuses a registration without the key', async () => {
      const thief = open();
      const { key } = createIdentity();
      thief.signaling.register({ key, sign: () => bytes(64, 1), since: 0, standing: [] });
      expect(await thief.next('error')).toMatchObject({ code: 'ERR_PEER_KEY' });
    });

    it('does not let one that began to listen earlier take over from a later one', async () => {
      const identity = createIdentity();
      const later = await listen(identity);
      const earlier = open();
      earlier.signaling.register({ ...identity, since: identity.since - 1 });
      await earlier.next('replaced');
      const dialer = open();
      dialer.signaling.offer({ session: bytes(16, 1), to: identity.key, ticketId: TICKET, envelope: bytes(10, 1) });
      await later.next('offer');
      expect(later.events.filter(({ type }) => type === 'replaced')).toEqual([]);
    });

    it('tells the first of two registrations that it was replaced', async () => {
      const identity = createIdentity();
      const first = await listen(identity);
      const second = await listen({ ...identity, since: identity.since + 1 });
      await first.next('replaced');
      const dialer = open();
      dialer.signaling.offer({ session: bytes(16, 1), to: identity.key, ticketId: TICKET, envelope: bytes(10, 1) });
      await second.next('offer');
      expect(first.events.map(({ type }) => type)).toEqual(['registered', 'replaced']);
    });

    it.each(['close', 'leave'] as const)('tells the other end of a %s', async (how) => {
      const { dialer, listener, session } = await join(open, listen);
      if (how === 'close') dialer.signaling.close();
      else dialer.signaling.leave(session);
      expect(await listener.next('unreachable')).toEqual({ type: 'unreachable', session, reason: 'gone' });
    });

    it('lets no stranger read, write or end a session', async () => {
      const { dialer, listener, session } = await join(open, listen);
      const stranger = open();
      await stranger.state('online');
      stranger.signaling.send(session, bytes(10, 66));
      stranger.signaling.relay(session)?.send(bytes(10, 66));
      stranger.signaling.leave(session);
      stranger.signaling.send(session, bytes(10, 66));
      await stranger.until((events) => events.length === 2);
      expect(stranger.events.every((event) => event.type === 'unreachable' && event.reason === 'unknown')).toBe(true);
      dialer.signaling.send(session, bytes(10, 1));
      await listener.next('envelope');
      listener.signaling.send(session, bytes(10, 2));
      await dialer.until((events) => events.filter(({ type }) => type === 'envelope').length === 2);
      expect(listener.events.filter(({ type }) => type === 'envelope')).toHaveLength(1);
      expect(stranger.events).toHaveLength(2);
    });

    describe('as a relay', () => {
      it('carries datagrams both ways', async () => {
        const { dialer, listener, session } = await join(open, listen);
        const [there, back] = [relayOf(dialer, session), relayOf(listener, session)];
        expect(there.info).toMatchObject({ kind: 'relayed', transport, remote: dialer.signaling.name });
        const received = firstValueFrom(back.datagrams$);
        expect(there.send(bytes(1200, 5))).toBe(true);
        expect(new Uint8Array(await received)).toEqual(bytes(1200, 5));
        const echoed = firstValueFrom(there.datagrams$);
        expect(back.send(bytes(1, 6))).toBe(true);
        expect(new Uint8Array(await echoed)).toEqual(bytes(1, 6));
      });

      it('has one path a session', async () => {
        const { dialer, session } = await join(open, listen);
        expect(relayOf(dialer, session)).toBe(relayOf(dialer, session));
        expect(relayOf(dialer, session)).not.toBe(relayOf(dialer, bytes(16, 99)));
      });

      it('passes at most 8 datagrams before the listener has answered', async () => {
        const identity = createIdentity();
        const listener = await listen(identity);
        const dialer = open();
        const session = bytes(16, 1);
        await dialer.state('online');
        dialer.signaling.offer({ session, to: identity.key, ticketId: TICKET, envelope: bytes(10, 1) });
        await listener.next('offer');
        const received: Uint8Array[] = [];
        relayOf(listener, session).datagrams$.subscribe((datagram) => received.push(datagram));
        const path = relayOf(dialer, session);
        for (let i = 0; i < 20; i++) path.send(bytes(10, i));
        dialer.signaling.send(session, bytes(10, 2));
        await listener.next('envelope');
        expect(received.map(([first]) => first)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      });

      it('drops a datagram that is too long for any path', async () => {
        const { dialer, session } = await join(open, listen);
        expect(relayOf(dialer, session).send(bytes(1_501, 1))).toBe(false);
      });

      it.each(['leave', 'close', 'gone', 'stop'] as const)('ends a path by %s', async (how) => {
        const { dialer, listener, session } = await join(open, listen);
        const path = relayOf(dialer, session);
        const ended = new Promise<void>((resolve) => path.datagrams$.subscribe({ complete: resolve }));
        if (how === 'leave') dialer.signaling.leave(session);
        if (how === 'close') dialer.signaling.close();
        if (how === 'gone') listener.signaling.close();
        if (how === 'stop') await world.stop();
        await ended;
        expect(path.send(bytes(10, 1))).toBe(false);
      });

      it('forgets a path that was closed, and gives a new one', async () => {
        const { dialer, session } = await join(open, listen);
        const path = relayOf(dialer, session);
        path.close();
        expect(path.send(bytes(10, 1))).toBe(false);
        expect(relayOf(dialer, session).send(bytes(10, 1))).toBe(true);
      });
    });

    describe('when the server is gone', () => {
      it('says so, takes no envelope, and comes back with its registration', async () => {
        const identity = createIdentity([{ ticketId: TICKET, envelope: bytes(70, 7) }]);
        const listener = await listen(identity);
        const session = bytes(16, 1);
        await world.stop();
        await listener.state('offline');
        expect(listener.statuses.at(-1)).toMatchObject({ state: 'offline', code: 'ERR_SERVER_UNREACHABLE' });
        expect(listener.signaling.send(session, bytes(10, 1))).toBe(false);
        expect(listener.signaling.relay(session)).toBeUndefined();
        await world.start();
        await listener.until((events) => events.filter(({ type }) => type === 'registered').length === 2);
        const dialer = open();
        dialer.signaling.offer({ session, to: identity.key, ticketId: TICKET, envelope: bytes(10, 1) });
        await dialer.next('standing');
        await listener.next('offer');
      });

      it('sends offers made meanwhile as soon as it is back, and goes on with the session', async () => {
        const { dialer, listener, session, identity } = await join(open, listen);
        await world.stop();
        await Promise.all([dialer.state('offline'), listener.state('offline')]);
        await world.start();
        await listener.until((events) => events.filter(({ type }) => type === 'registered').length === 2);
        dialer.signaling.offer({ session, to: identity.key, ticketId: TICKET, envelope: bytes(10, 8) });
        await listener.until((events) => events.filter(({ type }) => type === 'offer').length === 2);
        listener.signaling.send(session, bytes(10, 9));
        await dialer.until((events) => events.filter(({ type }) => type === 'envelope').length === 2);
      });

      it('stays away when it had been replaced', async () => {
        const identity = createIdentity();
        const first = await listen(identity);
        const second = await listen({ ...identity, since: identity.since + 1 });
        await first.next('replaced');
        await world.stop();
        await Promise.all([first.state('offline'), second.state('offline')]);
        await world.start();
        await Promise.all([first.state('online'), second.state('online')]);
        await second.until((events) => events.filter(({ type }) => type === 'registered').length === 2);
        const dialer = open();
        dialer.signaling.offer({ session: bytes(16, 1), to: identity.key, ticketId: TICKET, envelope: bytes(10, 1) });
        await second.next('offer');
        expect(first.events.map(({ type }) => type)).toEqual(['registered', 'replaced']);
      });
    });

    it('stands beside signalling through another server', async () => {
      const elsewhere = await create();
      try {
        const identity = createIdentity();
        const here = await listen(identity);
        const there = watch(elsewhere.signaling());
        opened.push(there.signaling);
        there.signaling.register(identity);
        await there.next('registered');
        await world.stop();
        await here.state('offline');
        const dialer = watch(elsewhere.signaling());
        opened.push(dialer.signaling);
        dialer.signaling.offer({ session: bytes(16, 1), to: identity.key, ticketId: TICKET, envelope: bytes(10, 1) });
        await there.next('offer');
        expect(here.events.map(({ type }) => type)).toEqual(['registered']);
      } finally {
        await elsewhere.close();
      }
    });

    it('can be closed before it has connected', async () => {
      const client = open();
      client.signaling.close();
      await client.ended;
      expect(client.statuses.map(({ state }) => state)).toEqual(['connecting']);
    });
  });
}

const TICKET = bytes(16, 200);

/** What a client was told so far, and ways to wait for more. */
interface Client {
  readonly signaling: Signaling;
  readonly events: readonly SignalingEvent[];
  readonly statuses: readonly SignalingStatus[];
  /** The first event of this type, past or to come. */
  next<T extends SignalingEvent['type']>(type: T): Promise<Extract<SignalingEvent, { type: T }>>;
  until(condition: (events: readonly SignalingEvent[]) => boolean): Promise<void>;
  /** Once this is the state, now or later. */
  state(state: SignalingStatus['state']): Promise<void>;
  readonly ended: Promise<void>;
}

function watch(signaling: Signaling): Client {
  const events: SignalingEvent[] = [];
  const statuses: SignalingStatus[] = [];
  const waiting = new Set<() => void>();
  const check = (): void => {
    for (const wake of waiting) wake();
  };
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        if (!condition()) return;
        waiting.delete(wake);
        resolve();
      };
      waiting.add(wake);
      wake();
    });
  const complete = { events: false, statuses: false };
  signaling.events$.subscribe({
    next: (event) => {
      events.push(event);
      check();
    },
    complete: () => {
      complete.events = true;
      check();
    },
  });
  signaling.status$.subscribe({
    next: (status) => {
      statuses.push(status);
      check();
    },
    complete: () => {
      complete.statuses = true;
      check();
    },
  });
  return {
    signaling,
    events,
    statuses,
    async next(type) {
      const find = () => events.find((event) => event.type === type);
      await until(() => find() !== undefined);
      return find() as Extract<SignalingEvent, { type: typeof type }>;
    },
    until: (condition) => until(() => condition(events)),
    state: (state) => until(() => statuses.at(-1)?.state === state),
    ended: until(() => complete.events && complete.statuses),
  };
}

/** A session that the listener has answered. */
async function join(
  open: () => Client,
  listen: (registration: Registration) => Promise<Client>,
): Promise<{ dialer: Client; listener: Client; session: Uint8Array; identity: Registration }> {
  const identity = createIdentity();
  const listener = await listen(identity);
  const dialer = open();
  const session = bytes(16, 1);
  dialer.signaling.offer({ session, to: identity.key, ticketId: TICKET, envelope: bytes(10, 1) });
  await listener.next('offer');
  listener.signaling.send(session, bytes(10, 2));
  await dialer.next('envelope');
  return { dialer, listener, session, identity };
}

function relayOf({ signaling }: Client, session: Uint8Array) {
  const path = signaling.relay(session);
  if (path === undefined) throw new Error('there is no relay path');
  return path;
}

function createIdentity(standing: readonly StandingAnswer[] = []): Registration {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    key: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
    since: 1_700_000_000_000,
    standing,
  };
}

function bytes(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}
