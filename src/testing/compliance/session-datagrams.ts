import { firstValueFrom } from 'rxjs';
import { expect } from 'vitest';
import type { SessionBench } from './session-world.ts';
import type { Test } from './suite.ts';

/** What `SessionDatagrams` owe. */
export function datagramTests(test: Test<SessionBench>): void {
  test('carries them both ways', async (bench) => {
    const { client, server } = await bench.connect();
    const atServer = firstValueFrom(server.datagrams.incoming$);
    expect(client.datagrams.send(Buffer.from('to server'))).toBe(true);
    expect(Buffer.from(await atServer).toString()).toBe('to server');
    const atClient = firstValueFrom(client.datagrams.incoming$);
    expect(server.datagrams.send(Buffer.from('to client'))).toBe(true);
    expect(Buffer.from(await atClient).toString()).toBe('to client');
  });

  test('drops what is too long or does not fit the queue, and what comes before or after the session', async (bench) => {
    const link = bench.link();
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
}
