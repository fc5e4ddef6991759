import { lastValueFrom, toArray } from 'rxjs';
import { expect } from 'vitest';
import type { Path } from '../../core/path.ts';
import { filled } from './bytes.ts';
import { type RelayBench, receivedBy } from './relay-world.ts';
import type { Test } from './suite.ts';
import { until } from './waiting.ts';

/** How a relayed path ends. */
export function endingTests(test: Test<RelayBench>): void {
  test('completes its datagrams on close, and drops what is sent afterwards', async (bench) => {
    const { a, b } = await bench.connect();
    const received = receivedBy(b);
    const rest = remaining(a);
    a.close();
    a.close();
    expect(await rest).toEqual([]);
    expect(a.send(filled(10, 1))).toBe(false);
    await overtaken(bench);
    expect(received).toEqual([]);
  });

  test('completes at once for whoever listens too late', async (bench) => {
    const { a } = await bench.connect();
    a.close();
    expect(await remaining(a)).toEqual([]);
  });

  test('delivers nothing after it was closed within a subscriber', async (bench) => {
    const { a, b } = await bench.connect();
    let received = 0;
    b.datagrams$.subscribe(() => {
      received++;
      b.close();
    });
    const ended = remaining(b);
    for (let i = 0; i < 10; i++) a.send(filled(10, i));
    await ended;
    await overtaken(bench);
    expect(received).toBe(1);
  });

  test('ends without the other paths of its relay', async (bench) => {
    const [first, second] = [await bench.connect(), await bench.connect()];
    const received = receivedBy(second.b);
    first.a.close();
    first.b.close();
    expect(second.a.send(filled(10, 1))).toBe(true);
    await until(bench.clock, () => received.length > 0);
    expect(received).toEqual([filled(10, 1)]);
  });

  test('ends at both ends when one leaves', async (bench) => {
    const pair = await bench.connect();
    const ends = [remaining(pair.a), remaining(pair.b)];
    pair.leave();
    await Promise.all(ends);
    expect([pair.a.send(filled(10, 1)), pair.b.send(filled(10, 1))]).toEqual([false, false]);
  });

  test('ends with its relay', async (bench) => {
    const pairs = [await bench.connect(), await bench.connect()];
    const ends = pairs.flatMap(({ a, b }) => [remaining(a), remaining(b)]);
    await bench.world.cut();
    await Promise.all(ends);
    expect(pairs.flatMap(({ a, b }) => [a.send(filled(10, 1)), b.send(filled(10, 1))])).not.toContain(true);
  });

  const steps = ['close a', 'close b', 'leave', 'cut'] as const;
  for (const order of orders(steps)) {
    test(`ends once: ${order.join(', ')}`, async (bench) => {
      const { a, b, leave } = await bench.connect();
      const completed = [0, 0];
      for (const [i, { datagrams$ }] of [a, b].entries()) datagrams$.subscribe({ complete: () => completed[i]!++ });
      const ends = [remaining(a), remaining(b)];
      for (const step of order) {
        if (step === 'close a') a.close();
        else if (step === 'close b') b.close();
        else if (step === 'leave') leave();
        else await bench.world.cut();
      }
      await Promise.all(ends);
      expect(completed).toEqual([1, 1]);
    });
  }
}

/** What was sent until now has had its time to arrive: something that was sent later on another path has. */
async function overtaken(bench: RelayBench): Promise<void> {
  const { a, b } = await bench.connect();
  const marks = receivedBy(b);
  a.send(filled(10, 1));
  await until(bench.clock, () => marks.length > 0);
}

/** All that comes until the path ends. */
function remaining({ datagrams$ }: Path): Promise<Uint8Array[]> {
  return lastValueFrom(datagrams$.pipe(toArray()));
}

/** Each step first, in turn, and the others after it. */
function orders<T>(steps: readonly T[]): readonly (readonly T[])[] {
  return steps.map((_, first) => [...steps.slice(first), ...steps.slice(0, first)]);
}
