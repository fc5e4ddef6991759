import { lastValueFrom } from 'rxjs';
import { expect } from 'vitest';
import type { Session } from '../../core/session.ts';
import type { SessionBench } from './session-world.ts';
import type { Test } from './suite.ts';

/** What notes owe: short, reliable, in order, and never a burden to who gets them. */
export function noteTests(test: Test<SessionBench>): void {
  for (const teller of ['client', 'server'] as const) {
    test(`carries every note of the ${teller}, in its order, through loss`, async (bench) => {
      const link = await bench.connect({ seed: 5 });
      link.loss = 0.25;
      const heard = collect(teller === 'client' ? link.server : link.client);
      const told = Array.from({ length: 10 }, (_, i) => `note ${i}`);
      for (const text of told) expect(link[teller].note(Buffer.from(text))).toBe(true);
      await heard.until(told.length);
      expect(heard.texts).toEqual(told);
    });
  }

  test('takes notes of 1 to 1,200 bytes while the session stands', async (bench) => {
    const link = bench.link();
    expect(link.client.note(Buffer.of(1))).toBe(false);
    await link.established();
    const heard = collect(link.server);
    expect(link.client.note(Buffer.alloc(0))).toBe(false);
    expect(link.client.note(Buffer.alloc(1201))).toBe(false);
    expect(link.client.note(Buffer.alloc(1200, 'x'))).toBe(true);
    await heard.until(1);
    expect(heard.texts).toEqual(['x'.repeat(1200)]);
    link.client.close();
    expect(link.client.note(Buffer.of(1))).toBe(false);
  });

  test('takes no more than it can keep, and goes on with both when there is room again', async (bench) => {
    const link = await bench.connect();
    const heard = collect(link.server);
    link.blackHole = true;
    let taken = 0;
    while (taken < 10_000 && link.client.note(Buffer.alloc(1200, 'y'))) taken++;
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(1000);
    link.blackHole = false;
    link.client.pathChanged();
    await heard.until(taken);
    expect(link.client.note(Buffer.from('again'))).toBe(true);
    await heard.until(taken + 1);
    expect(heard.texts.at(-1)).toBe('again');
  });

  test('keeps none for later listeners, and its streams go on', async (bench) => {
    const link = await bench.connect();
    expect(link.client.note(Buffer.from('to nobody'))).toBe(true);
    await link.quiet();
    const heard = collect(link.server);
    expect(link.client.note(Buffer.from('to somebody'))).toBe(true);
    await heard.until(1);
    expect(heard.texts).toEqual(['to somebody']);
  });

  test('completes notes when the session has ended', async (bench) => {
    const { client, server } = await bench.connect();
    const ends = [client, server].map(({ notes$ }) => lastValueFrom(notes$, { defaultValue: undefined }));
    client.close();
    expect(await Promise.all(ends)).toEqual([undefined, undefined]);
  });
}

function collect(session: Session) {
  const texts: string[] = [];
  let enough = (): void => {};
  let wanted = 0;
  session.notes$.subscribe((bytes) => {
    texts.push(Buffer.from(bytes).toString());
    if (texts.length >= wanted) enough();
  });
  return {
    texts,
    until(count: number): Promise<void> {
      wanted = count;
      return texts.length >= count ? Promise.resolve() : new Promise((resolve) => (enough = resolve));
    },
  };
}
