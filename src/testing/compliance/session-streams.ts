import { firstValueFrom } from 'rxjs';
import { expect } from 'vitest';
import type { SessionStream } from '../../core/session.ts';
import { echo, openPair, readAll, type SessionBench } from './session-world.ts';
import type { Test } from './suite.ts';

/** How streams begin, carry and end. */
export function streamTests(test: Test<SessionBench>): void {
  test('announces a stream with its protocol before a byte is written', async (bench) => {
    const { client, server } = await bench.connect();
    const incoming = firstValueFrom(server.streams$);
    const stream = await client.openStream('chat/1');
    expect(await incoming).toMatchObject({ protocol: 'chat/1', id: stream.id });
  });

  test('keeps streams for the first subscriber, and refuses what nobody takes', async (bench) => {
    const link = await bench.connect();
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

  for (const opener of ['client', 'server'] as const) {
    test(`carries bytes both ways on a stream that the ${opener} opened`, async (bench) => {
      const link = await bench.connect();
      expect(await echo(link, Buffer.from('ping'), opener)).toEqual(Buffer.from('ping'));
    });
  }

  test('half-closes: reading goes on after the end of writing', async (bench) => {
    const { mine, theirs } = await openPair(await bench.connect());
    await mine.write(Buffer.from('question'));
    await mine.end();
    expect(await readAll(theirs)).toEqual(Buffer.from('question'));
    expect(await theirs.read()).toBeNull();
    await theirs.write(Buffer.from('answer'));
    await theirs.end();
    expect(await readAll(mine)).toEqual(Buffer.from('answer'));
    await expect(mine.write(Buffer.from('more'))).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  test('ends a stream on which nothing was written', async (bench) => {
    const { mine, theirs } = await openPair(await bench.connect());
    await mine.end();
    await mine.end();
    expect(await theirs.read()).toBeNull();
  });

  for (const loss of [0, 0.25]) {
    test(`delivers an end that comes alone and crosses the other side’s, with a loss of ${loss}`, async (bench) => {
      const link = await bench.connect({ seed: 3 });
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
    });
  }

  test('fulfils finished when the other side has read to the end, not before', async (bench) => {
    const link = await bench.connect();
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

  test('lets a reader close at once without making the writer doubt', async (bench) => {
    for (let seed = 1; seed <= 10; seed++) {
      const link = await bench.connect({ seed });
      link.loss = 0.2;
      const { mine, theirs } = await openPair(link);
      await mine.write(Buffer.alloc(5000, 1));
      await mine.end();
      expect(await readAll(theirs)).toHaveLength(5000);
      link.server.close();
      await mine.finished;
    }
  });

  test('resets both directions with a code, and wakes whoever waits', async (bench) => {
    const { mine, theirs } = await openPair(await bench.connect());
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

  test('rejects finished of a stream that ended and was then reset by its reader', async (bench) => {
    const { mine, theirs } = await openPair(await bench.connect());
    await mine.end();
    theirs.reset(1);
    await expect(mine.finished).rejects.toMatchObject({ code: 'ERR_STREAM_RESET' });
  });
}
