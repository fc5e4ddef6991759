import { firstValueFrom } from 'rxjs';
import { expect } from 'vitest';
import type { Path } from '../../core/path.ts';
import { filled, pattern } from './bytes.ts';
import { type RelayBench, receivedBy } from './relay-world.ts';
import { SLOW, type Test } from './suite.ts';
import { standstill, until } from './waiting.ts';

/** How datagrams go over a relayed path. Here the relay loses none that it has taken, unless it is given too many at once. */
export function carryingTests(test: Test<RelayBench>): void {
  test('says what it is', async (bench) => {
    const [{ a }, { a: another }] = [await bench.connect(), await bench.connect()];
    expect(a.info).toMatchObject({ kind: 'relayed', transport: bench.world.transport });
    for (const text of [a.info.id, a.info.local, a.info.remote, a.info.strategy]) expect(text).toMatch(/./);
    expect(another.info.id).not.toBe(a.info.id);
    expect(JSON.parse(JSON.stringify(a.info))).toEqual(a.info);
  });

  test('carries datagrams both ways', async (bench) => {
    const { a, b } = await bench.connect();
    expect(await carried(a, b, filled(1200, 5))).toEqual(filled(1200, 5));
    expect(await carried(b, a, filled(1, 6))).toEqual(filled(1, 6));
  });

  for (const length of [1, 20, 1199, 1200]) {
    test(`keeps a datagram of ${length} bytes whole`, async (bench) => {
      const { a, b } = await bench.connect();
      expect(await carried(a, b, pattern(length, 7))).toEqual(pattern(length, 7));
      expect(await carried(b, a, pattern(length, 11))).toEqual(pattern(length, 11));
    });
  }

  test('keeps the longest datagram whole', async (bench) => {
    const { a, b } = await bench.connect();
    const datagram = pattern(bench.world.longest, 7);
    expect(datagram.length).toBeGreaterThanOrEqual(1200);
    expect(await carried(a, b, datagram)).toEqual(datagram);
  });

  test('carries datagrams whatever they begin with', async (bench) => {
    const { a, b } = await bench.connect();
    const received = receivedBy(b);
    for (let first = 0; first < 256; first++) {
      a.send(Uint8Array.of(first, 1, 2, 3, 4));
      if (first % 32 === 31) await until(bench.clock, () => received.length > first);
    }
    const firsts = received.map(([first]) => first!).sort((x, y) => x - y);
    expect(firsts).toEqual(Array.from({ length: 256 }, (_, i) => i));
  });

  test('carries each datagram once', async (bench) => {
    const { a, b } = await bench.connect();
    const received = receivedBy(b);
    for (let i = 0; i < 30; i++) expect(a.send(filled(100, i))).toBe(true);
    await until(bench.clock, () => received.length >= 30);
    await standstill(bench.clock, () => received.length, 50);
    expect(received.map(([first]) => first).sort((x, y) => x! - y!)).toEqual(Array.from({ length: 30 }, (_, i) => i));
  });

  test('is done with the bytes when send returns', async (bench) => {
    const { a, b } = await bench.connect();
    const arrived = firstValueFrom(b.datagrams$);
    const reused = pattern(1200, 7);
    expect(a.send(reused)).toBe(true);
    reused.fill(0);
    expect(Uint8Array.from(await arrived)).toEqual(pattern(1200, 7));
  });

  test('sends a part of a buffer as that part', async (bench) => {
    const { a, b } = await bench.connect();
    const part = pattern(1000, 7).subarray(100, 300);
    expect(await carried(a, b, part)).toEqual(Uint8Array.from(part));
  });

  test('keeps the datagrams of its paths apart', async (bench) => {
    const [first, second] = [await bench.connect(), await bench.connect()];
    const [atFirst, atSecond] = [receivedBy(first.b), receivedBy(second.b)];
    for (let i = 0; i < 10; i++) {
      first.a.send(filled(10, 1));
      second.a.send(filled(20, 2));
    }
    await until(bench.clock, () => atFirst.length >= 10 && atSecond.length >= 10);
    expect(atFirst).toEqual(Array(10).fill(filled(10, 1)));
    expect(atSecond).toEqual(Array(10).fill(filled(20, 2)));
  });

  test('goes on after datagrams that nobody listened to', async (bench) => {
    const { a, b } = await bench.connect();
    for (let i = 0; i < 10; i++) expect(a.send(filled(100, 1))).toBe(true);
    expect(await carried(b, a, filled(10, 2))).toEqual(filled(10, 2));
    const received = receivedBy(b);
    a.send(filled(10, 3));
    await until(bench.clock, () => received.some(([first]) => first === 3));
  });

  test('pushes to everyone who listens, and keeps the path when one leaves', async (bench) => {
    const { a, b } = await bench.connect();
    const [first, second] = [receivedBy(b), receivedBy(b)];
    b.datagrams$.subscribe().unsubscribe();
    a.send(filled(10, 1));
    await until(bench.clock, () => first.length === 1 && second.length === 1);
    expect([first, second]).toEqual([[filled(10, 1)], [filled(10, 1)]]);
  });

  test('may be sent on from within a subscriber', async (bench) => {
    const { a, b } = await bench.connect();
    b.datagrams$.subscribe((datagram) => b.send(datagram));
    const pingPong = receivedBy(a);
    a.datagrams$.subscribe((datagram) => {
      if (datagram[0]! < 9) a.send(filled(10, datagram[0]! + 1));
    });
    a.send(filled(10, 0));
    await until(bench.clock, () => pingPong.length === 10);
    expect(pingPong.map(([first]) => first)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('drops a datagram that is too long for any path', async (bench) => {
    const { a, b } = await bench.connect();
    for (const length of [bench.world.longest + 1, 65_536, 2 ** 20]) expect(a.send(filled(length, 1))).toBe(false);
    expect(await carried(a, b, filled(10, 2))).toEqual(filled(10, 2));
  });

  test('survives a datagram without a byte', async (bench) => {
    const { a, b } = await bench.connect();
    const received = receivedBy(b);
    a.send(new Uint8Array(0));
    a.send(filled(10, 2));
    await until(bench.clock, () => received.some(({ length }) => length > 0));
    expect(received.at(-1)).toEqual(filled(10, 2));
  });

  test(
    'drops what the relay cannot take yet, and goes on when it can',
    async (bench) => {
      const { a, b } = await bench.connect();
      const received = receivedBy(b);
      const datagram = filled(1200, 1);
      let taken = 0;
      while (taken < TOO_MANY && a.send(datagram)) taken++;
      expect(taken).toBeGreaterThan(10);
      expect(taken).toBeLessThan(TOO_MANY);
      const goesOn = (): boolean => {
        a.send(filled(10, 2));
        return received.some(([first]) => first === 2);
      };
      await until(bench.clock, goesOn, SLOW);
      expect(received.filter(([first]) => first === 1).length).toBeLessThanOrEqual(taken);
    },
    SLOW,
  );
}

/** Datagrams of 1200 bytes: 32 MB, several times what a kernel holds for one socket. */
const TOO_MANY = 28_000;

/** What comes out at `to` next. */
async function carried(from: Path, to: Path, datagram: Uint8Array): Promise<Uint8Array> {
  const arrived = firstValueFrom(to.datagrams$);
  expect(from.send(datagram)).toBe(true);
  return Uint8Array.from(await arrived);
}
