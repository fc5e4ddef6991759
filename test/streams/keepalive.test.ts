import { describe, expect, it } from 'vitest';
import { createKeepalive } from '../../src/streams/keepalive.ts';
import { manualClock } from '../manual-clock.ts';

/** A keepalive that pings after 20 s and no more. */
function watch() {
  const clock = manualClock();
  const told: string[] = [];
  const keepalive = createKeepalive({
    clock,
    random: { bytes: (length) => new Uint8Array(length) },
    ping: () => told.push(`ping ${clock.now()}`),
    onSilence: (reason) => told.push(`${reason} ${clock.now()}`),
  });
  return { clock, told, keepalive };
}

describe('a keepalive', () => {
  it.each([false, true])('waits 10 s for the first message, whether there are pongs or not: %s', (pongs) => {
    const { clock, told, keepalive } = watch();
    for (let i = 0; i < 10; i++) {
      if (pongs) keepalive.pong();
      clock.advance(1_000);
    }
    expect(told).toEqual(['no answer within 10 s 10000']);
    expect(clock.pending).toBe(0);
  });

  it.each(['message', 'pong'] as const)('pings for as long as a %s comes after each ping', (sign) => {
    const { clock, told, keepalive } = watch();
    keepalive.message();
    for (let i = 0; i < 3; i++) {
      clock.advance(15_000);
      keepalive[sign]();
      clock.advance(5_000);
    }
    clock.advance(100_000);
    expect(told).toEqual([
      'ping 10000',
      'ping 30000',
      'ping 50000',
      'ping 70000',
      'the server has fallen silent 80000',
    ]);
  });

  it('says nothing once it is stopped', () => {
    for (const ms of [0, 5_000, 12_000]) {
      const { clock, keepalive, told } = watch();
      if (ms > 0) keepalive.message();
      clock.advance(ms);
      keepalive.stop();
      expect(clock.pending).toBe(0);
      clock.advance(100_000);
      expect(told).toEqual(ms > 10_000 ? ['ping 10000'] : []);
    }
  });
});
