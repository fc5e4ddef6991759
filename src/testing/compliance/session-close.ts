import { firstValueFrom } from 'rxjs';
import { expect } from 'vitest';
import type { Session, SessionEnd } from '../../core/session.ts';
import { openPair, readAll, type SessionBench } from './session-world.ts';
import type { Test } from './suite.ts';

/** How sessions end. */
export function closeTests(test: Test<SessionBench>): void {
  test('is seen by the other side with code and reason, through loss', async (bench) => {
    for (let seed = 1; seed <= 5; seed++) {
      const link = await bench.connect({ seed });
      link.loss = 0.2;
      const { client, server } = link;
      const ended = endInTime(bench, client, () => client.close(7, 'good bye'));
      client.close(8, 'again');
      expect(await ended).toEqual({ by: 'local', code: 7, reason: 'good bye' });
      expect(await server.closed).toEqual({ by: 'remote', code: 7, reason: 'good bye' });
    }
  });

  test('wakes everyone who waits on either side', async (bench) => {
    const link = await bench.connect();
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

  test('by both at once ends both at once', async (bench) => {
    const { client, server } = await bench.connect();
    const start = bench.clock.now();
    client.close(1, 'mine');
    server.close(2, 'yours');
    expect(await client.closed).toEqual({ by: 'local', code: 1, reason: 'mine' });
    expect(await server.closed).toEqual({ by: 'local', code: 2, reason: 'yours' });
    expect(bench.clock.now() - start).toBeLessThan(500);
  });

  test('leaves what came in before it to be read', async (bench) => {
    const link = await bench.connect();
    const { mine, theirs } = await openPair(link);
    await mine.write(Buffer.from('last words'));
    await mine.end();
    await link.quiet();
    link.client.close();
    await link.server.closed;
    expect(await readAll(theirs)).toEqual(Buffer.from('last words'));
  });

  test('waits a second at most when the other side is gone', async (bench) => {
    const link = await bench.connect();
    link.blackHole = true;
    expect(await endInTime(bench, link.client, () => link.client.close())).toMatchObject({ by: 'local', code: 0 });
  });

  test('before the handshake rejects established', async (bench) => {
    const link = bench.link();
    link.blackHole = true;
    const ended = endInTime(bench, link.client, () => link.client.close());
    await expect(link.client.established).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(await ended).toMatchObject({ by: 'local' });
  });
}

/** How a session ends that is closed now; fails the test when that is later than `Session.close` promises. */
async function endInTime({ clock }: SessionBench, session: Session, close: () => void): Promise<SessionEnd> {
  const start = clock.now();
  close();
  const end = await session.closed;
  expect(clock.now() - start).toBeLessThan(LONGEST_CLOSE);
  return end;
}

/** ms: the second in which the other side may answer, and what a busy machine may need to call a timer. */
const LONGEST_CLOSE = 1_500;
