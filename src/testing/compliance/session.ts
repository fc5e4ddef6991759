import { createHash } from 'node:crypto';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../core/clock.ts';
import type { Session, SessionStream } from '../../core/session.ts';
import { elapse, type LinkOptions, SessionLink, type SessionPair, seededChance } from './session-link.ts';

export interface SessionComplianceOptions {
  readonly name: string;
  /** Two peers with identities of their own. */
  readonly createPair: () => Promise<SessionPair>;
  /** The clock that the sessions go by. */
  readonly clock: Clock;
}

/** What every {@link Session} must do, on a carrier that loses, doubles and reorders packets. */
export function sessionCompliance({ name, createPair, clock }: SessionComplianceOptions): void {
  const connect = async (options: Partial<LinkOptions> = {}) =>
    new SessionLink(await createPair(), { clock, ...options }).established();

  describe(`${name}: handshake`, () => {
    it('establishes on both sides, with connection ids of 16 bytes', async () => {
      const { client, server } = await connect();
      expect([client.role, server.role]).toEqual(['client', 'server']);
      expect(client.connectionId).toHaveLength(16);
      expect(server.connectionId).toHaveLength(16);
      expect(client.connectionId).not.toEqual(server.connectionId);
    });

    it('transmits the client’s first packets before create returns', async () => {
      const { client, server } = await createPair();
      let packets = 0;
      client.factory.create({ role: 'client', expectedKey: server.publicKey, transmit: () => packets++ });
      expect(packets).toBeGreaterThan(0);
    });

    it('establishes through loss, reordering and duplicates', async () => {
      await connect({ loss: 0.2, reorder: 0.3, duplicate: 0.3, seed: 7 });
    });

    it('refuses a server with another key, and surfaces nothing of it', async () => {
      const pair = await createPair();
      const link = new SessionLink(pair, { clock, clientExpects: new Uint8Array(32).fill(9) });
      const surfaced = watch(link.client);
      await expect(link.client.established).rejects.toMatchObject({ code: 'ERR_PEER_KEY' });
      await expect(link.client.openStream('echo')).rejects.toMatchObject({ code: 'ERR_PEER_KEY' });
      expect(await link.client.closed).toMatchObject({ by: 'local' });
      expect(surfaced.count).toBe(0);
    });

    it('refuses a client with another key, and surfaces nothing of it', async () => {
      const pair = await createPair();
      const link = new SessionLink(pair, { clock, serverExpects: new Uint8Array(32).fill(9) });
      const surfaced = watch(link.server);
      // The client may believe in the session until the refusal arrives (RFC 8446 section 4.4.4).
      const opened = link.client.openStream('echo').then(
        (stream) => stream.read(),
        (error) => Promise.reject(error),
      );
      await expect(link.server.established).rejects.toMatchObject({ code: 'ERR_PEER_KEY' });
      await expect(opened).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_/) });
      expect(await link.client.closed).toMatchObject({ by: 'remote' });
      expect(surfaced.count).toBe(0);
    });

    it('ignores garbage, truncated, altered and foreign packets, before and during the handshake', async () => {
      const foreign: Uint8Array[] = [];
      new SessionLink(await createPair(), { clock }).onPacket = (packet) => foreign.push(Uint8Array.from(packet));
      const link = new SessionLink(await createPair(), { clock });
      for (const packet of garbage(200)) link.server.receive(packet);
      for (const packet of garbage(200)) link.client.receive(packet);
      link.onPacket = (packet) => {
        for (const bad of [packet.slice(0, packet.length >> 1), packet.slice(0, 3), altered(packet)]) {
          link.server.receive(bad);
          link.client.receive(bad);
        }
      };
      await link.established();
      for (const packet of foreign) link.client.receive(packet);
      expect(await echo(link, Buffer.from('still here'))).toEqual(Buffer.from('still here'));
      expect(link.server.stats().ignoredPackets).toBeGreaterThanOrEqual(200);
    });

    it('tells authentic packets from altered, foreign and repeated ones, and takes them in', async () => {
      const [link, foreign] = [await connect(), await connect()];
      const [packet, stranger] = [await nextPacket(link), await nextPacket(foreign)];
      stranger.set(packet.subarray(0, 17)); // the connection id that the server listens to
      const arrived = firstValueFrom(link.server.datagrams.incoming$);
      expect(link.server.authenticate(altered(packet))).toBe(false);
      expect(link.server.authenticate(stranger)).toBe(false);
      expect(link.server.authenticate(packet)).toBe(true);
      expect(link.server.authenticate(packet)).toBe(false);
      expect(Buffer.from(await arrived)).toEqual(Buffer.from('x'));
    });
  });

  describe(`${name}: streams`, () => {
    it('announces a stream with its protocol before a byte is written', async () => {
      const { client, server } = await connect();
      const incoming = firstValueFrom(server.streams$);
      const stream = await client.openStream('chat/1');
      expect(await incoming).toMatchObject({ protocol: 'chat/1', id: stream.id });
    });

    it('keeps streams for the first subscriber, and refuses what nobody takes', async () => {
      const link = await connect();
      const first = await link.client.openStream('early');
      await link.quiet();
      const taken: SessionStream[] = [];
      link.server.streams$.subscribe((stream) => taken.push(stream)).unsubscribe();
      expect(taken.map((stream) => stream.protocol)).toEqual(['early']);
      await taken[0]!.write(Buffer.from('hello'));
      expect(await first.read()).toEqual(Buffer.from('hello'));
      const late = await link.client.openStream('late');
      await expect(late.read()).rejects.toMatchObject({ code: 'ERR_STREAM_RESET' });
    });

    it.each(['client', 'server'] as const)('carries bytes both ways on a stream that the %s opened', async (opener) => {
      const link = await connect();
      expect(await echo(link, Buffer.from('ping'), opener)).toEqual(Buffer.from('ping'));
    });

    it('half-closes: reading goes on after the end of writing', async () => {
      const { mine, theirs } = await openPair(await connect());
      await mine.write(Buffer.from('question'));
      await mine.end();
      expect(await readAll(theirs)).toEqual(Buffer.from('question'));
      expect(await theirs.read()).toBeNull();
      await theirs.write(Buffer.from('answer'));
      await theirs.end();
      expect(await readAll(mine)).toEqual(Buffer.from('answer'));
      await expect(mine.write(Buffer.from('more'))).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    });

    it('ends a stream on which nothing was written', async () => {
      const { mine, theirs } = await openPair(await connect());
      await mine.end();
      await mine.end();
      expect(await theirs.read()).toBeNull();
    });

    it.each([0, 0.25])(
      'delivers an end that comes alone and crosses the other side’s, with a loss of %d',
      async (loss) => {
        const link = await connect({ seed: 3 });
        link.loss = loss;
        for (let round = 0; round < 10; round++) {
          const { mine, theirs } = await openPair(link);
          await mine.write(Buffer.from('?'));
          await theirs.read();
          await theirs.write(Buffer.from('!'));
          await mine.read();
          await mine.end();
          await link.quiet(20); // all before is acknowledged
          const ended = theirs.end();
          expect(await theirs.read()).toBeNull();
          expect(await mine.read()).toBeNull();
          await ended;
        }
      },
    );

    it('fulfils finished when the other side has read to the end, not before', async () => {
      const link = await connect();
      const { mine, theirs } = await openPair(link);
      let finished = false;
      void mine.finished.then(() => (finished = true));
      await mine.write(Buffer.from('x'));
      await mine.end();
      await link.quiet();
      expect(finished).toBe(false);
      await readAll(theirs);
      await mine.finished;
    });

    it('lets a reader close at once without making the writer doubt', async () => {
      for (let seed = 1; seed <= 10; seed++) {
        const link = await connect({ seed });
        link.loss = 0.2;
        const { mine, theirs } = await openPair(link);
        await mine.write(Buffer.alloc(5000, 1));
        await mine.end();
        expect(await readAll(theirs)).toHaveLength(5000);
        link.server.close();
        await mine.finished;
      }
    });

    it('resets both directions with a code, and wakes whoever waits', async () => {
      const { mine, theirs } = await openPair(await connect());
      const reading = theirs.read();
      const own = mine.read();
      mine.reset(42);
      const reset = { code: 'ERR_STREAM_RESET' };
      await expect(reading).rejects.toMatchObject({ ...reset, message: expect.stringContaining('42') });
      await expect(own).rejects.toMatchObject(reset);
      await expect(mine.write(Buffer.from('x'))).rejects.toMatchObject(reset);
      await expect(mine.finished).rejects.toMatchObject(reset);
      await expect(theirs.write(Buffer.from('x'))).rejects.toMatchObject(reset);
      await expect(theirs.finished).rejects.toMatchObject(reset);
    });

    it('rejects finished of a stream that ended and was then reset by its reader', async () => {
      const { mine, theirs } = await openPair(await connect());
      await mine.end();
      theirs.reset(1);
      await expect(mine.finished).rejects.toMatchObject({ code: 'ERR_STREAM_RESET' });
    });

    it('carries 1000 streams at once', async () => {
      const link = await connect();
      link.server.streams$.subscribe((stream) => void echoBack(stream));
      const echoes = Array.from({ length: 1000 }, async (_, i) => {
        const stream = await link.client.openStream('echo');
        await stream.write(Buffer.from(`number ${i}`));
        return { stream, i };
      });
      const open = await Promise.all(echoes);
      await Promise.all(open.map(({ stream }) => stream.end()));
      const answers = await Promise.all(open.map(({ stream }) => readAll(stream)));
      expect(answers.map(String)).toEqual(open.map(({ i }) => `number ${i}`));
    });

    it('blocks a writer whose reader is idle, keeps other streams going, and delivers all in the end', async () => {
      const link = await connect();
      const { mine, theirs } = await openPair(link);
      const chunk = Buffer.alloc(2 ** 20, 7);
      let accepted = 0;
      const writing = (async () => {
        for (let i = 0; i < 48; i++) {
          await mine.write(chunk);
          accepted += chunk.length;
        }
        await mine.end();
      })();
      await link.quiet();
      expect(accepted).toBeLessThan(32 * 2 ** 20);
      expect(await echo(link, Buffer.from('not blocked'))).toEqual(Buffer.from('not blocked'));
      let length = 0;
      for (let part = await theirs.read(); part !== null; part = await theirs.read()) length += part.length;
      await writing;
      expect(length).toBe(48 * 2 ** 20);
    });

    it('brings 32 MB through 5 % loss, reordering and duplicates: each byte once, in order', async () => {
      const link = await connect({ loss: 0.05, reorder: 0.02, duplicate: 0.02, seed: 11 });
      const { mine, theirs } = await openPair(link);
      const sent = createHash('sha256');
      const received = createHash('sha256');
      const chance = seededChance(5);
      const block = Buffer.from(Array.from({ length: 2 ** 16 }, () => Math.floor(256 * chance())));
      const writing = (async () => {
        for (let i = 0; i < 512; i++) {
          const chunk = Buffer.from(block);
          chunk.writeUInt32BE(i);
          sent.update(chunk);
          await mine.write(chunk);
        }
        await mine.end();
      })();
      let length = 0;
      for (let part = await theirs.read(); part !== null; part = await theirs.read()) {
        length += part.length;
        received.update(part);
      }
      await writing;
      await mine.finished;
      expect(length).toBe(32 * 2 ** 20);
      expect(received.digest('hex')).toBe(sent.digest('hex'));
      expect(link.client.stats().lostPackets).toBeGreaterThan(0);
    }, 60_000);
  });

  describe(`${name}: datagrams`, () => {
    it('carries them both ways', async () => {
      const { client, server } = await connect();
      const atServer = firstValueFrom(server.datagrams.incoming$);
      expect(client.datagrams.send(Buffer.from('to server'))).toBe(true);
      expect(Buffer.from(await atServer).toString()).toBe('to server');
      const atClient = firstValueFrom(client.datagrams.incoming$);
      expect(server.datagrams.send(Buffer.from('to client'))).toBe(true);
      expect(Buffer.from(await atClient).toString()).toBe('to client');
    });

    it('drops what is too long or does not fit the queue, and what comes before or after the session', async () => {
      const link = new SessionLink(await createPair(), { clock });
      expect(link.client.datagrams.maxLength()).toBe(0);
      expect(link.client.datagrams.send(Buffer.of(1))).toBe(false);
      await link.established();
      const longest = link.client.datagrams.maxLength();
      expect(longest).toBeGreaterThan(1000);
      expect(link.client.datagrams.send(Buffer.alloc(longest + 1))).toBe(false);
      let taken = 0;
      while (taken < 10_000 && link.client.datagrams.send(Buffer.alloc(longest))) taken++;
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThan(10_000);
      link.client.close();
      expect(link.client.datagrams.send(Buffer.of(1))).toBe(false);
    });
  });

  describe(`${name}: close`, () => {
    it('is seen by the other side with code and reason, through loss', async () => {
      for (let seed = 1; seed <= 5; seed++) {
        const link = await connect({ seed });
        link.loss = 0.2;
        const { client, server } = link;
        client.close(7, 'good bye');
        client.close(8, 'again');
        expect(await client.closed).toEqual({ by: 'local', code: 7, reason: 'good bye' });
        expect(await server.closed).toEqual({ by: 'remote', code: 7, reason: 'good bye' });
      }
    });

    it('wakes everyone who waits on either side', async () => {
      const link = await connect();
      const { mine, theirs } = await openPair(link);
      const blocked = mine.write(Buffer.alloc(64 * 2 ** 20));
      const waiting = [mine.read(), theirs.finished, mine.finished, blocked];
      const expectations = waiting.map((it) => expect(it).rejects.toMatchObject({ code: 'ERR_CLOSED' }));
      const remote = firstValueFrom(link.server.streams$).catch((error) => error);
      link.client.close();
      await Promise.all(expectations);
      expect(await remote).toBeInstanceOf(Error);
      await expect(link.client.openStream('x')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
      await expect(link.server.closed.then(() => link.server.openStream('x'))).rejects.toMatchObject({
        code: 'ERR_CLOSED',
      });
    });

    it('by both at once ends both at once', async () => {
      const { client, server } = await connect();
      const start = clock.now();
      client.close(1, 'mine');
      server.close(2, 'yours');
      expect(await client.closed).toEqual({ by: 'local', code: 1, reason: 'mine' });
      expect(await server.closed).toEqual({ by: 'local', code: 2, reason: 'yours' });
      expect(clock.now() - start).toBeLessThan(500);
    });

    it('leaves what came in before it to be read', async () => {
      const link = await connect();
      const { mine, theirs } = await openPair(link);
      await mine.write(Buffer.from('last words'));
      await mine.end();
      await link.quiet();
      link.client.close();
      await link.server.closed;
      expect(await readAll(theirs)).toEqual(Buffer.from('last words'));
    });

    it('is bounded when the other side is gone', async () => {
      const link = await connect();
      link.blackHole = true;
      link.client.close();
      expect(await link.client.closed).toMatchObject({ by: 'local', code: 0 });
    });

    it('before the handshake rejects established', async () => {
      const link = new SessionLink(await createPair(), { clock });
      link.blackHole = true;
      link.client.close();
      await expect(link.client.established).rejects.toMatchObject({ code: 'ERR_CLOSED' });
      expect(await link.client.closed).toMatchObject({ by: 'local' });
    });
  });

  describe(`${name}: a path that dies for 2 s`, () => {
    it.each([
      ['a trickle', 100],
      ['a full window', 64 * 2 ** 20],
    ])('carries on at once after pathChanged(), with %s under way', async (_, amount) => {
      const link = await connect({ delay: 10 });
      const { mine, theirs } = await openPair(link);
      await mine.write(Buffer.alloc(50_000, 1));
      for (let length = 0; length < 50_000; ) length += (await theirs.read())!.length;
      link.blackHole = true;
      const writing = mine.write(Buffer.alloc(amount, 2));
      await elapse(clock, 2000);
      link.blackHole = false;
      const reading = theirs.read();
      const start = clock.now();
      link.client.pathChanged();
      link.server.pathChanged();
      expect((await reading)!.length).toBeGreaterThan(0);
      expect(clock.now() - start).toBeLessThan(500);
      mine.reset();
      await writing.catch(() => {}); // reset under way, which is not what is tested
    });

    it('carries a handshake on at once', async () => {
      const link = new SessionLink(await createPair(), { clock, delay: 10 });
      link.blackHole = true;
      await elapse(clock, 2000);
      link.blackHole = false;
      const start = clock.now();
      link.client.pathChanged();
      link.server.pathChanged();
      await link.established();
      expect(clock.now() - start).toBeLessThan(500);
    });
  });
}

interface StreamPair {
  readonly mine: SessionStream;
  readonly theirs: SessionStream;
}

async function openPair({ client, server }: SessionLink): Promise<StreamPair> {
  const incoming = firstValueFrom(server.streams$);
  const mine = await client.openStream('test');
  return { mine, theirs: await incoming };
}

async function readAll(stream: SessionStream): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let part = await stream.read(); part !== null; part = await stream.read()) parts.push(part);
  return Buffer.concat(parts);
}

async function echoBack(stream: SessionStream): Promise<void> {
  for (let part = await stream.read(); part !== null; part = await stream.read()) await stream.write(part);
  await stream.end();
}

async function echo(link: SessionLink, bytes: Uint8Array, opener: 'client' | 'server' = 'client'): Promise<Buffer> {
  const acceptor = opener === 'client' ? link.server : link.client;
  void firstValueFrom(acceptor.streams$).then(echoBack);
  const stream = await link[opener].openStream('echo');
  await stream.write(bytes);
  await stream.end();
  return readAll(stream);
}

/** The packet of a datagram from the client, kept from the server. */
async function nextPacket(link: SessionLink): Promise<Uint8Array> {
  await link.quiet();
  link.blackHole = true;
  const packet = new Promise<Uint8Array>((resolve) => {
    link.onPacket = (bytes) => resolve(Uint8Array.from(bytes));
  });
  link.client.datagrams.send(Buffer.from('x'));
  return packet;
}

/** Counts what a session surfaces. */
function watch(session: Session): { count: number } {
  const seen = { count: 0 };
  session.streams$.subscribe(() => seen.count++);
  session.datagrams.incoming$.subscribe(() => seen.count++);
  return seen;
}

/** Random bytes of all lengths, most with a header that looks like QUIC's. */
function garbage(count: number): Uint8Array[] {
  const chance = seededChance(99);
  return Array.from({ length: count }, (_, i) => {
    const packet = Uint8Array.from({ length: Math.floor(1300 * chance()) }, () => Math.floor(256 * chance()));
    if (packet.length > 40 && i % 4 > 0) packet.set([[0xc0, 0xe0, 0x40, 0xf0][i % 4]!, 0, 0, 0, i % 2, 16]);
    return packet;
  });
}

function altered(packet: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(packet);
  copy[copy.length >> 1]! ^= 0x10;
  return copy;
}
