import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { simIdentity, simSessions } from '../../../src/adapters/sim/index.ts';
import type { SessionStream } from '../../../src/core/session.ts';
import { StreamCode } from '../../../src/protocol/session/codes.ts';
import { seededRandom, VirtualClock } from '../../../src/sim/index.ts';
import { seededChance } from '../../../src/testing/compliance/bytes.ts';
import { establishedWire, openedStream, type Wire, wire } from './session-wire.ts';

describe('simSessions', () => {
  it('sends the same bytes at the same moments from the same seed, and others from another', async () => {
    const digests = [await digest(1), await digest(1), await digest(2)];
    expect(digests[0]).toEqual(digests[1]);
    expect(digests[0]).not.toEqual(digests[2]);
  });

  it('opens more streams than may be open at a time, as others end', async () => {
    const world = await establishedWire({ delay: 1 });
    world.server.streams$.subscribe(answer);
    const open = async (): Promise<void> => {
      const stream = await world.client.openStream('x');
      await stream.end();
      expect(await stream.read()).toBeNull();
    };
    for (let i = 0; i < 6; i++) await world.settle(Promise.all(Array.from({ length: 1_000 }, open)));
  });

  it('waits with a stream until another has ended', async () => {
    const world = await establishedWire({ delay: 1 });
    world.server.streams$.subscribe(answer);
    const streams: SessionStream[] = [];
    await world.settle(
      (async () => {
        for (let i = 0; i < 4_096; i++) streams.push(await world.client.openStream('x'));
      })(),
    );
    let opened = false;
    const another = world.client.openStream('x').then(() => {
      opened = true;
    });
    await world.clock.run();
    expect(opened).toBe(false);
    await world.settle(streams[0]!.end());
    await world.settle(streams[0]!.read());
    await world.settle(another);
  });

  it('refuses streams beyond 64 that wait for somebody to take them', async () => {
    const world = await establishedWire();
    const streams = await world.settle(
      Promise.all(Array.from({ length: 65 }, (_, i) => world.client.openStream(`number ${i}`))),
    );
    await world.clock.run();
    const taken: string[] = [];
    world.server.streams$.subscribe(({ protocol }) => taken.push(protocol));
    expect(taken).toEqual(Array.from({ length: 64 }, (_, i) => `number ${i}`));
    await expect(world.settle(streams[64]!.read())).rejects.toMatchObject({
      code: 'ERR_STREAM_RESET',
      resetCode: StreamCode.REFUSED,
    });
  });

  it('tells the code of a reset to both directions of the other side', async () => {
    const world = await establishedWire();
    const [mine, theirs] = await openedStream(world);
    mine.reset(42);
    await world.clock.run();
    await expect(theirs.read()).rejects.toMatchObject({ resetCode: 42 });
    await expect(theirs.write(Buffer.of(1))).rejects.toMatchObject({ resetCode: 42 });
  });

  it('lets what was sent be read when its sender gives up reading', async () => {
    const world = await establishedWire();
    const [mine, theirs] = await openedStream(world);
    await theirs.write(Buffer.from('all I have'));
    await theirs.end();
    await world.clock.run();
    theirs.reset(1);
    await world.clock.run();
    expect(Buffer.from((await world.settle(mine.read()))!).toString()).toBe('all I have');
    expect(await world.settle(mine.read())).toBeNull();
    await expect(mine.write(Buffer.of(1))).rejects.toMatchObject({ code: 'ERR_STREAM_RESET' });
  });

  it('answers a peer that missed the close, ever more rarely', async () => {
    const world = await establishedWire();
    world.lose = () => true;
    world.client.close(5);
    await world.settle(world.client.closed);
    world.packets.length = 0;
    const packet = Buffer.alloc(100, 0x40);
    for (let i = 0; i < 100; i++) world.client.receive(packet);
    expect(world.sent('client')).toHaveLength(7);
    world.lose = () => false;
    for (let i = 0; i < 28; i++) world.client.receive(packet);
    expect(await world.settle(world.server.closed)).toEqual({ by: 'remote', code: 5, reason: '' });
  });

  it('sends nothing of its streams and datagrams any more once it is closed', async () => {
    const world = await establishedWire();
    const [mine] = await openedStream(world);
    world.lose = () => true;
    await mine.write(Buffer.alloc(10_000));
    await world.clock.advance(10);
    for (let i = 0; i < 100; i++) world.client.datagrams.send(Buffer.alloc(1_000));
    world.packets.length = 0;
    world.client.close(5);
    await world.clock.run();
    const bytes = world.sent('client').reduce((sum, packet) => sum + packet.bytes.length, 0);
    expect(world.sent('client').length).toBeGreaterThan(3);
    expect(bytes).toBeLessThan(70 * world.sent('client').length);
  });

  it('ends all sessions with its factory', async () => {
    const clock = new VirtualClock();
    const random = seededRandom(1);
    const factory = await simSessions(simIdentity(random), { clock, random });
    const options = { role: 'client', expectedKey: new Uint8Array(32), transmit: () => {} } as const;
    const sessions = [factory.create(options), factory.create(options)];
    factory.close();
    for (const { closed } of sessions) expect(await closed).toMatchObject({ by: 'local' });
    expect(clock.pending).toBe(0);
  });

  it('refuses keys that are none, protocol names that do not fit, and codes that cannot be sent', async () => {
    const random = seededRandom(1);
    const factory = await simSessions(simIdentity(random), { clock: new VirtualClock(), random });
    const options = { role: 'client', expectedKey: new Uint8Array(31), transmit: () => {} } as const;
    const usage = expect.objectContaining({ code: 'ERR_USAGE' });
    expect(() => factory.create(options)).toThrow(usage);
    const world = await establishedWire();
    await expect(world.client.openStream('')).rejects.toThrow(RangeError);
    await expect(world.client.openStream('x'.repeat(65))).rejects.toThrow(RangeError);
    const [mine] = await openedStream(world);
    for (const code of [-1, 0.5, Number.NaN, 2 ** 48, 2 ** 62]) {
      expect(() => mine.reset(code)).toThrow(usage);
      expect(() => world.client.close(code)).toThrow(usage);
    }
    await mine.write(Buffer.of(1));
  });

  it('refuses a second read at a time', async () => {
    const [mine] = await openedStream(await establishedWire());
    mine.read().catch(() => {}); // the session's end, if it comes to that
    await expect(mine.read()).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });

  it('does not catch what its owner throws', async () => {
    const random = seededRandom(1);
    const factory = await simSessions(simIdentity(random), { clock: new VirtualClock(), random });
    const transmit = (): void => {
      throw new Error('of our own');
    };
    expect(() => factory.create({ role: 'client', expectedKey: new Uint8Array(32), transmit })).toThrow('of our own');
  });
});

describe('what a simulated session keeps', () => {
  it('is bounded by its windows while nobody reads, and nothing once all is read', async () => {
    const world = await establishedWire({ delay: 5 });
    const [mine, theirs] = await openedStream(world);
    const before = bytesHeld();
    let accepted = 0;
    const writing = (async () => {
      for (const chunk = Buffer.alloc(2 ** 18); accepted < 24 * 2 ** 20; accepted += chunk.length)
        await mine.write(chunk);
      await mine.end();
    })();
    await world.clock.run();
    expect(accepted).toBeGreaterThan(11 * 2 ** 20);
    expect(accepted).toBeLessThan(13 * 2 ** 20);
    world.packets.length = 0;
    expect(bytesHeld() - before).toBeGreaterThan(11 * 2 ** 20);
    expect(bytesHeld() - before).toBeLessThan(14 * 2 ** 20);
    let length = 0;
    const reading = (async () => {
      for (let part = await theirs.read(); part !== null; part = await theirs.read()) {
        length += part.length;
        world.packets.length = 0;
      }
    })();
    await world.settle(Promise.all([writing, reading]));
    expect(length).toBe(accepted);
    expect(length).toBe(24 * 2 ** 20);
    world.packets.length = 0;
    // Pages that wait for the next stream take a megabyte.
    expect(bytesHeld() - before).toBeLessThan(2 * 2 ** 20);
  });

  it('leaves room for other streams while one is not read', async () => {
    const world = await establishedWire({ delay: 5 });
    const [stuck] = await openedStream(world);
    stuck.write(Buffer.alloc(20 * 2 ** 20)).catch(() => {}); // never read, and ends with the session
    await world.clock.run();
    world.server.streams$.subscribe(answer);
    const other = await world.settle(world.client.openStream('other'));
    await world.settle(other.write(Buffer.alloc(2 ** 20)));
    await world.settle(other.end());
    expect(await world.settle(other.read())).toBeNull();
  });

  it('gives the room of streams that were reset back to the session', async () => {
    const world = await establishedWire({ delay: 5 });
    // Each would fill half of what the session may keep.
    for (let i = 0; i < 3; i++) {
      const [mine, theirs] = await openedStream(world);
      const writing = mine.write(Buffer.alloc(13 * 2 ** 20)).catch((error) => error.code);
      await world.clock.run();
      (i % 2 === 0 ? mine : theirs).reset(i);
      expect(await world.settle(writing)).toBe('ERR_STREAM_RESET');
      await world.clock.run();
    }
    // What was taken to be sent, and never was.
    for (let i = 0; i < 3; i++) {
      const [mine] = await openedStream(world);
      const writing = mine.write(Buffer.alloc(2 ** 20)).catch((error) => error.code);
      mine.reset(i);
      expect(await writing).toBe('ERR_STREAM_RESET');
    }
    const [mine, theirs] = await openedStream(world);
    const writing = mine.write(Buffer.alloc(2 ** 20));
    let length = 0;
    while (length < 2 ** 20) length += (await world.settle(theirs.read()))!.length;
    await world.settle(writing);
  });

  it('is at most 256 datagrams that wait to be sent', async () => {
    const world = await establishedWire();
    let taken = 0;
    while (world.client.datagrams.send(Buffer.alloc(1_000))) taken++;
    expect(taken).toBe(256);
    let received = 0;
    world.server.datagrams.incoming$.subscribe(() => received++);
    await world.clock.run();
    expect(received).toBe(256);
  });

  it('does not let datagrams and streams keep each other from being sent', async () => {
    const world = await establishedWire();
    const [mine, theirs] = await openedStream(world);
    const longest = world.client.datagrams.maxLength();
    let datagrams = 0;
    world.server.datagrams.incoming$.subscribe(() => datagrams++);
    while (world.client.datagrams.send(Buffer.alloc(longest)));
    await mine.write(Buffer.alloc(100_000));
    await world.settle(theirs.read());
    expect(datagrams).toBeLessThan(30);
    await world.clock.run();
    expect(datagrams).toBe(256);
  });
});

/** Bytes of all buffers that somebody still needs. */
function bytesHeld(): number {
  // What the first collection frees is taken off by the second.
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Of all that a session of many parts sends, and when. */
async function digest(seed: number): Promise<string> {
  const chance = seededChance(9);
  const world = await wire({ seed, delay: 20, lose: () => chance() < 0.1 });
  world.server.streams$.subscribe(echo);
  const work = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) {
      const stream = await world.client.openStream(`number ${i}`);
      await stream.write(Buffer.alloc(20_000, i));
      world.client.datagrams.send(Buffer.from(`datagram ${i}`));
      await stream.end();
      while ((await stream.read()) !== null);
    }
    world.client.close(1, 'done');
    await world.client.closed;
  };
  await world.settle(work());
  await world.clock.run();
  return digestOf(world);
}

function digestOf({ packets }: Wire): string {
  const hash = createHash('sha256');
  for (const { from, at, bytes } of packets) hash.update(`${from} ${at} `).update(bytes);
  return `${packets.length} ${hash.digest('hex')}`;
}

async function answer(stream: SessionStream): Promise<void> {
  while ((await stream.read()) !== null);
  await stream.end();
}

async function echo(stream: SessionStream): Promise<void> {
  for (let part = await stream.read(); part !== null; part = await stream.read()) await stream.write(part);
  await stream.end();
}
