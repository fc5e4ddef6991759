import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { FrameWriter } from '../../../src/adapters/sim/session/frames.ts';
import type { Session, SessionStream } from '../../../src/core/session.ts';
import { CloseCode, MAX_CODE, StreamCode } from '../../../src/protocol/session/codes.ts';
import { encodeControl } from '../../../src/protocol/session/control.ts';
import { encodePreface } from '../../../src/protocol/session/preface.ts';
import { seededChance } from '../../../src/testing/compliance/bytes.ts';
import { type RawSession, rawSession } from './raw-session.ts';
import { wire } from './session-wire.ts';

describe.each(['client', 'server'] as const)('a hostile %s of a simulated session', (role) => {
  /** Ids of the control stream and of the first stream that the hostile side opens (RFC 9000 section 2.1). */
  const control = role === 'client' ? 2 : 3;
  const own = role === 'client' ? 0 : 1;
  const foreign = 1 - own;

  it.each<[string, (writer: FrameWriter) => void, string]>([
    ['ends its control stream', (w) => stream(w, control, 0, Buffer.of(0), true), 'ended its control stream'],
    ['resets its control stream', (w) => w.resetStream(control, 7, 0), 'reset its control stream'],
    ['says nonsense on its control stream', (w) => stream(w, control, 0, Buffer.of(9)), 'session/control/type'],
    ['opens a unidirectional stream', (w) => stream(w, control + 4, 0, Buffer.of(1)), 'opened a unidirectional stream'],
    ['sends on a stream that is not open', (w) => stream(w, foreign + 4, 0, Buffer.of(1)), 'that was not opened'],
    ['opens too many streams', (w) => stream(w, own + 4 * 4096, 0, Buffer.of(1)), 'more streams than it may'],
    ['opens a stream far away', (w) => stream(w, 2 ** 53 - 8 + own, 0, Buffer.of(1)), 'more streams than it may'],
    ['sends beyond a stream’s window', (w) => stream(w, own, 12 * 2 ** 20, Buffer.of(1)), 'sent more than it may'],
    ['ends a stream beyond its window', (w) => w.resetStream(own, 0, 2 ** 50), 'sent more than it may'],
    [
      'moves the end of a stream',
      (w) => {
        stream(w, own, 10, Buffer.of(1), true);
        stream(w, own, 20, Buffer.of(1));
      },
      'changed the end of a stream',
    ],
    [
      'ends a stream before what it sent',
      (w) => {
        stream(w, own, 10, Buffer.of(1));
        w.resetStream(own, 0, 5);
      },
      'changed the end of a stream',
    ],
    ['acknowledges the future', (w) => w.ack([{ first: 0, last: 1_000 }], 0), 'acknowledged what was not sent'],
  ])('that %s ends its session', async (_, write, reason) => {
    const peer = await rawSession(role);
    peer.send(write);
    await isViolation(peer, reason);
  });

  it.each<[string, number[], string]>([
    ['no frame', [0x3f], 'sim-session/frame/type'],
    ['half a frame', [0x04, 0x00], 'sim-session/frame'],
    ['a longer frame than there is', [0x31, 0x44, 0x00, 1], 'sim-session/frame'],
    ['a number that is none', [0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 'above 2^53-1'],
    ['an acknowledgement below 0', [0x02, 0x00, 0x00, 0x00, 0x01], 'sim-session/frame/ack'],
    ['an acknowledgement of endless ranges', [0x02, 0x00, 0x00, 0xbf, 0xff, 0xff, 0xff, 0x00], 'sim-session/frame'],
  ])('that sends %s ends its session', async (_, payload, reason) => {
    const peer = await rawSession(role);
    peer.sendBytes(Uint8Array.from(payload));
    await isViolation(peer, reason);
  });

  it('that sends a stream in thousands of pieces ends its session', async () => {
    const peer = await rawSession(role);
    for (let i = 0; i <= 8_192; ) {
      peer.send((writer) => {
        for (let n = 0; n < 100; n++) stream(writer, own, 2 * ++i, Buffer.of(1));
      });
    }
    await isViolation(peer, 'pieces');
  });

  it('that acknowledges nothing has no more streams for having ended them', async () => {
    const peer = await rawSession(role);
    peer.session.streams$.subscribe(answer);
    for (let number = 0; number < 4_096; number++) {
      peer.send((writer) => stream(writer, own + 4 * number, 0, encodePreface('x'), true));
    }
    expect(await isOpen(peer)).toBe(true);
    peer.send((writer) => stream(writer, own + 4 * 4_096, 0, encodePreface('x'), true));
    await isViolation(peer, 'opened more streams than it may');
  });

  it.each([
    ['another version', Buffer.of(2, 1, 0x61), StreamCode.VERSION],
    ['an empty name', Buffer.of(1, 0), StreamCode.PREFACE],
    ['a name that is too long', Buffer.of(1, 65), StreamCode.PREFACE],
    ['a name that is not UTF-8', Buffer.of(1, 1, 0xff), StreamCode.PREFACE],
  ])('has a stream reset whose preface has %s', async (_, preface, code) => {
    const peer = await rawSession(role);
    peer.session.streams$.subscribe(answer);
    peer.send((writer) => stream(writer, own, 0, preface));
    await peer.clock.advance(0);
    expect(peer.frames).toContainEqual({ type: 'reset-stream', id: own, code, finalSize: 0 });
    expect(await isOpen(peer)).toBe(true);
  });

  it('has a stream reset that ends within its preface', async () => {
    const peer = await rawSession(role);
    peer.send((writer) => stream(writer, own, 0, Buffer.of(1, 9, 0x61), true));
    await peer.clock.advance(0);
    expect(peer.frames).toContainEqual({ type: 'reset-stream', id: own, code: StreamCode.PREFACE, finalSize: 0 });
  });

  it('is heard when a preface comes byte by byte, out of order and twice', async () => {
    const peer = await rawSession(role);
    const incoming = firstValueFrom(peer.session.streams$);
    const bytes = Buffer.from([1, 2, 0x68, 0x69, 0x21]);
    for (const at of [4, 2, 2, 3, 1, 4, 0, 0]) {
      peer.send((writer) => stream(writer, own, at, bytes.subarray(at, at + 1)));
    }
    const accepted = await peer.clock.runUntil(incoming);
    expect(accepted.protocol).toBe('hi');
    expect(await peer.clock.runUntil(accepted.read())).toEqual(Buffer.from('!'));
  });

  it('changes nothing by words about streams that are not there, and by limits that go down', async () => {
    const peer = await rawSession(role);
    peer.send((writer) => {
      const words = [
        encodeControl({ type: 'finished', streamId: 77 }),
        encodeControl({ type: 'abandoned', streamId: 4 }),
      ];
      stream(writer, control, 0, Buffer.concat(words));
      writer.maxStreamData(88, 5);
      writer.maxData(1);
      writer.maxStreams(1);
      writer.handshakeDone();
    });
    for (let i = 0; i < 3; i++) {
      const opened = await peer.clock.runUntil(peer.session.openStream('mine'));
      await peer.clock.runUntil(opened.write(Buffer.alloc(100)));
    }
    expect(await isOpen(peer)).toBe(true);
  });

  it('closes with the largest of codes, and is shown with one that can be sent', async () => {
    const peer = await rawSession(role);
    peer.send((writer) => writer.connectionClose(Number.MAX_SAFE_INTEGER, Buffer.from('so long')));
    expect(await peer.session.closed).toEqual({ by: 'remote', code: MAX_CODE, reason: 'so long' });
    expect(() => peer.session.close(MAX_CODE)).not.toThrow();
  });

  it('cannot end a stream twice, or bring it back', async () => {
    const peer = await rawSession(role);
    peer.acknowledges = true;
    const seen: SessionStream[] = [];
    peer.session.streams$.subscribe((incoming) => {
      seen.push(incoming);
      incoming.read().catch(() => {}); // the reset, which is not what is tested
    });
    peer.send((writer) => stream(writer, own, 0, encodePreface('x')));
    for (let i = 0; i < 5; i++) peer.send((writer) => writer.resetStream(own, 1, encodePreface('x').length));
    await peer.clock.advance(100);
    peer.send((writer) => stream(writer, own, 0, encodePreface('x')));
    peer.send((writer) => stream(writer, own, 100, Buffer.of(1), true));
    await peer.clock.advance(100);
    expect(seen).toHaveLength(1);
    expect(await isOpen(peer)).toBe(true);
  });

  it('that sends any frames behind its seal: the session goes on, or ends with a code of its own', async () => {
    const chance = seededChance(17);
    const ends = { open: 0, ended: 0 };
    for (let round = 0; round < 60; round++) {
      const peer = await rawSession(role, round);
      peer.session.streams$.subscribe(answer);
      const types = [0x01, 0x02, 0x04, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x1d, 0x1e, 0x31];
      for (let packet = 0; packet < 20; packet++) {
        const frames = Array.from({ length: 1 + Math.floor(3 * chance()) }, () => {
          const type = types[Math.floor(types.length * chance())]!;
          const numbers = Array.from({ length: 3 }, () => Math.floor(12 * chance()));
          return Buffer.from([type, ...numbers, ...numbers]);
        });
        peer.sendBytes(Buffer.concat(frames));
        await peer.clock.advance(10);
      }
      neverThrows(peer.session);
      const end = await Promise.race([peer.session.closed, Promise.resolve(undefined)]);
      if (end === undefined) ends.open++;
      else ends.ended++;
      if (end?.by === 'local') expect(end.code).toBe(CloseCode.PROTOCOL);
    }
    expect(ends.ended).toBeGreaterThan(10);
  });
});

describe('packets that a stranger sends to a simulated session', () => {
  it('cannot take the place of the right client by coming first', async () => {
    const stranger = await wire({ seed: 2 });
    await stranger.clock.advance(200);
    const world = await wire();
    for (const { bytes } of stranger.sent('client')) world.server.receive(bytes);
    await world.settle(Promise.all([world.client.established, world.server.established]));
  });

  it('change nothing when they are repeated, mirrored, or come from an earlier session of the same peers', async () => {
    const earlier = await wire();
    await earlier.settle(earlier.client.openStream('earlier'));
    await earlier.clock.run();
    const world = await wire({ seed: 3 });
    const replayed: boolean[] = [];
    // Each side gets everything of the earlier session, and its own packets back.
    world.lose = ({ from, bytes }) => {
      world.clock.setTimeout(() => {
        for (const packet of [...earlier.packets.map((one) => one.bytes), bytes])
          replayed.push(world[from].authenticate(packet));
      }, 1);
      return false;
    };
    await world.settle(Promise.all([world.client.established, world.server.established]));
    world.client.datagrams.send(Buffer.from('once'));
    await world.clock.run();
    const sent = world.packets.map(
      ({ bytes, from }) => ({ bytes, to: from === 'client' ? 'server' : 'client' }) as const,
    );
    const before = [world.client.stats().receivedPackets, world.server.stats().receivedPackets];
    for (const { bytes, to } of sent) expect(world[to].authenticate(bytes)).toBe(false);
    expect(replayed).not.toContain(true);
    expect([world.client.stats().receivedPackets, world.server.stats().receivedPackets]).toEqual(before);
  });

  it('are noticed whichever byte was changed, in every kind of packet', async () => {
    const world = await wire();
    const kinds: { to: Session; bytes: Buffer }[] = [];
    const tried = { changed: 0, taken: 0 };
    world.lose = ({ from, bytes }) => {
      const to = from === 'client' ? world.server : world.client;
      kinds.push({ to, bytes });
      for (let at = 0; at < bytes.length; at += bytes.length > 500 ? 13 : 1) {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1 << (at % 8);
        tried.changed++;
        if (to.authenticate(changed)) tried.taken++;
      }
      return false;
    };
    await world.settle(Promise.all([world.client.established, world.server.established]));
    world.client.datagrams.send(Buffer.from('datagram'));
    await world.clock.run();
    expect(kinds.length).toBeGreaterThan(4);
    expect(tried.changed).toBeGreaterThan(400);
    expect(tried.taken).toBe(0);
  });

  it('are no reason to say anything', async () => {
    const world = await wire();
    const chance = seededChance(5);
    await world.settle(Promise.all([world.client.established, world.server.established]));
    await world.clock.run();
    const before = world.packets.length;
    for (let i = 0; i < 1_000; i++) {
      const packet = Buffer.from(
        Array.from({ length: Math.floor(1_300 * chance()) }, () => Math.floor(256 * chance())),
      );
      if (packet.length > 60) {
        packet.set(i % 2 === 0 ? [0x40] : [0xe0, 0x73, 0x69, 0x6d, 1, 16]);
        packet.set(world.server.connectionId, i % 2 === 0 ? 1 : 6);
        packet[22] = 16;
      }
      expect(world.server.authenticate(packet)).toBe(false);
    }
    await world.clock.run();
    expect(world.packets.length).toBe(before);
    expect(world.server.stats().ignoredPackets).toBe(1_000);
  });
});

function stream(writer: FrameWriter, id: number, offset: number, bytes: Uint8Array, fin = false): void {
  writer.stream(id, offset, bytes.length, fin, (target, at) => target.set(bytes, at));
}

async function answer(incoming: SessionStream): Promise<void> {
  try {
    while ((await incoming.read()) !== null);
    await incoming.end();
  } catch {
    // reset by the other side, as it likes
  }
}

/** The session has ended with our code, the other side was told, and whoever still calls is told, not hurt. */
async function isViolation(peer: RawSession, reason: string): Promise<void> {
  const end = await peer.session.closed;
  expect(end).toMatchObject({ by: 'local', code: CloseCode.PROTOCOL });
  expect(end.reason).toContain(reason);
  await peer.clock.advance(0);
  expect(peer.frames).toContainEqual({ type: 'connection-close', code: CloseCode.PROTOCOL, reason: end.reason });
  await expect(peer.session.openStream('late')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  neverThrows(peer.session);
}

async function isOpen({ session, clock }: RawSession): Promise<boolean> {
  await clock.advance(0);
  return Promise.race([session.closed.then(() => false), Promise.resolve(true)]);
}

/** What a program may call at any time. */
function neverThrows(session: Session): void {
  session.isWaiting();
  session.stats();
  session.pathChanged();
  session.receive(Buffer.alloc(100, 0x40));
  session.datagrams.maxLength();
  session.datagrams.send(Buffer.of());
  session.openStream('never').catch(() => {}); // ended or not, it is not thrown
}
