import { expect } from 'vitest';
import { pause } from '../../core/pause.ts';
import { openPair, type SessionBench } from './session-world.ts';
import type { Test } from './suite.ts';

/** What `pathChanged` does after a path that was dead for 2 s. */
export function pathTests(test: Test<SessionBench>): void {
  for (const [what, amount] of [
    ['a trickle', 100],
    ['a full window', 64 * 2 ** 20],
  ] as const) {
    test(`carries on at once after pathChanged(), with ${what} under way`, async (bench) => {
      const link = await bench.connect({ delay: 10 });
      const { mine, theirs } = await openPair(link);
      await mine.write(Buffer.alloc(50_000, 1));
      for (let length = 0; length < 50_000; ) length += (await theirs.read())!.length;
      link.blackHole = true;
      const writing = mine.write(Buffer.alloc(amount, 2));
      await pause(bench.clock, 2000);
      link.blackHole = false;
      const reading = theirs.read();
      const start = bench.clock.now();
      link.client.pathChanged();
      link.server.pathChanged();
      expect((await reading)!.length).toBeGreaterThan(0);
      expect(bench.clock.now() - start).toBeLessThan(500);
      mine.reset();
      await writing.catch(() => {}); // reset under way, which is not what is tested
    });
  }

  test('carries a handshake on at once', async (bench) => {
    const link = bench.link({ delay: 10 });
    link.blackHole = true;
    await pause(bench.clock, 2000);
    link.blackHole = false;
    const start = bench.clock.now();
    link.client.pathChanged();
    link.server.pathChanged();
    await link.established();
    expect(bench.clock.now() - start).toBeLessThan(500);
  });
}
