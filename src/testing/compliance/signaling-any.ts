import { firstValueFrom } from 'rxjs';
import { expect } from 'vitest';
import { filled } from './bytes.ts';
import { type AnySignalingBench, TICKET } from './signaling-world.ts';
import type { Test } from './suite.ts';

/** What every `Signaling` owes its users, however it carries what is said. */
export function anySignalingTests(test: Test<AnySignalingBench>): void {
  test('tells its last status to whoever looks late', async (bench) => {
    const client = bench.open();
    await client.state('online');
    expect(await firstValueFrom(client.signaling.status$)).toMatchObject({ state: 'online' });
  });

  test('says when nobody has the key', async (bench) => {
    const dialer = bench.open();
    const session = filled(16, 1);
    dialer.signaling.offer({ session, to: filled(32, 9), ticketId: TICKET, envelope: filled(10, 1) });
    expect(await dialer.next('unreachable')).toEqual({ type: 'unreachable', session, reason: 'unknown' });
  });

  test('says when there is no contact of a key', async (bench) => {
    const dialer = bench.open();
    await dialer.state('online');
    const session = filled(16, 1);
    dialer.signaling.lookup({ session, key: filled(32, 9) });
    expect(await dialer.next('contact')).toEqual({ type: 'contact', session });
  });

  test('ends its streams on close, which may be called twice', async (bench) => {
    const client = bench.open();
    await client.state('online');
    client.signaling.close();
    client.signaling.close();
    await client.ended;
    expect(client.signaling.send(filled(16, 1), filled(10, 1))).toBe(false);
  });
}
