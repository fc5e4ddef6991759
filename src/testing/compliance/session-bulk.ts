import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { seededChance } from './bytes.ts';
import { echo, echoBack, openPair, readAll, type SessionBench } from './session-world.ts';
import { SLOW, type Test } from './suite.ts';

/** Many streams, and much on one of them. */
export function bulkTests(test: Test<SessionBench>): void {
  test(
    'carries 1000 streams at once',
    async (bench) => {
      const link = await bench.connect();
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
    },
    SLOW,
  );

  test(
    'blocks a writer whose reader is idle, keeps other streams going, and delivers all in the end',
    async (bench) => {
      const link = await bench.connect();
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
    },
    SLOW,
  );

  test(
    'brings 32 MB through 5 % loss, reordering and duplicates: each byte once, in order',
    async (bench) => {
      const link = await bench.connect({ loss: 0.05, reorder: 0.02, duplicate: 0.02, seed: 11 });
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
    },
    SLOW,
  );
}
