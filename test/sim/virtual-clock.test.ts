import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { assign, createActor, setup, waitFor } from 'xstate';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';

describe('the virtual clock', () => {
  it('fires timers in their order, those of one moment as they were set, at their time', async () => {
    const clock = new VirtualClock();
    const seen: [string, number][] = [];
    const note = (name: string) => () => seen.push([name, clock.now()]);
    clock.setTimeout(note('c'), 20);
    clock.setTimeout(note('a'), 10);
    clock.setTimeout(note('b'), 10);
    await clock.run();
    expect(seen).toEqual([
      ['a', 10],
      ['b', 10],
      ['c', 20],
    ]);
  });

  it('fires each link of a chain at its own time', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const resend = (rto: number): void => {
      seen.push(clock.now());
      if (rto <= 4_000) clock.setTimeout(() => resend(2 * rto), rto);
    };
    resend(500);
    await clock.advance(10_000);
    expect(seen).toEqual([0, 500, 1_500, 3_500, 7_500]);
    expect(clock.now()).toBe(10_000);
  });

  it('counts microseconds, and fires no timer early', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    clock.setTimeout(() => seen.push(clock.now()), 0.0501);
    clock.setTimeout(() => seen.push(clock.now()), -5);
    await clock.run();
    expect(seen).toEqual([0, 0.051]);
    expect(clock.microseconds).toBe(51);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MAX_VALUE, undefined as never])(
    'refuses %s for a time, and stands as it was',
    async (time) => {
      const clock = new VirtualClock();
      const refused = expect.objectContaining({
        code: 'ERR_USAGE',
        message: expect.stringMatching(/finite number of ms/),
      });
      expect(() => clock.setTimeout(() => {}, time)).toThrow(refused);
      await expect(clock.advance(time)).rejects.toEqual(refused);
      if (time !== undefined) {
        await expect(clock.run(time)).rejects.toEqual(refused);
        await expect(clock.runUntil(Promise.resolve(), time)).rejects.toEqual(refused);
      }
      expect([clock.now(), clock.pending]).toEqual([0, 0]);
      await clock.advance(5);
      expect(clock.now()).toBe(5);
    },
  );

  it('does not fire what was taken back', async () => {
    const clock = new VirtualClock();
    let fired = 0;
    const count = (): void => {
      fired++;
    };
    const first = clock.setTimeout(count, 5);
    clock.setTimeout(() => clock.clearTimeout(second), 6);
    const second = clock.setTimeout(count, 7);
    clock.clearTimeout(first);
    clock.clearTimeout(undefined);
    expect(clock.pending).toBe(2);
    await clock.run();
    expect([fired, clock.pending, clock.now()]).toEqual([0, 0, 6]);
  });

  it('lets chains of promises, nextTick and microtasks end before the next event', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.setTimeout(async () => {
      for (let i = 0; i < 50; i++) await Promise.resolve();
      await new Promise<void>((resolve) => process.nextTick(resolve));
      await new Promise<void>((resolve) => queueMicrotask(() => process.nextTick(resolve)));
      seen.push(`chain at ${clock.now()}`);
    }, 1);
    clock.setTimeout(() => seen.push(`timer at ${clock.now()}`), 1);
    await clock.run();
    expect(seen).toEqual(['chain at 1', 'timer at 1']);
  });

  it('stays at a moment that promise-based code puts timers into', async () => {
    const clock = new VirtualClock();
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => clock.setTimeout(resolve, ms));
    const seen: number[] = [];
    const worker = async (ms: number): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await sleep(ms);
        seen.push(clock.now());
      }
    };
    await clock.runUntil(Promise.all([worker(10), worker(15)]));
    expect(seen).toEqual([10, 15, 20, 30, 30, 45]);
  });

  it('runs up to a moment and no further', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    for (const at of [5, 10, 15]) clock.setTimeout(() => seen.push(at), at);
    await clock.run(10);
    expect([seen, clock.now()]).toEqual([[5, 10], 10]);
    await clock.run(3);
    expect(clock.now()).toBe(10);
  });

  it('gives what a promise gives, and stops there', async () => {
    const clock = new VirtualClock();
    const later = (value: number): Promise<number> =>
      new Promise((resolve) => clock.setTimeout(() => resolve(value), value));
    clock.setTimeout(() => {}, 1_000);
    expect(await clock.runUntil(later(30))).toBe(30);
    expect(clock.now()).toBe(30);
    await expect(clock.runUntil(Promise.reject(new Error('own')))).rejects.toThrow('own');
  });

  it('says when what is awaited cannot come any more, or does not come in time', async () => {
    const clock = new VirtualClock();
    const never = new Promise<never>(() => {});
    await expect(clock.runUntil(never)).rejects.toMatchObject({ code: 'ERR_TIMEOUT', message: /nothing is left/ });
    const tick = (): unknown => clock.setTimeout(tick, 100);
    tick();
    await expect(clock.runUntil(never, 1_000)).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      message: /within 1000 ms/,
    });
    expect(clock.now()).toBe(1_000);
  });

  it('gives what a timer throws to whoever runs it', async () => {
    const clock = new VirtualClock();
    clock.setTimeout(() => {
      throw new Error('thrown at 5');
    }, 5);
    await expect(clock.run()).rejects.toThrow('thrown at 5');
    await clock.run(10);
    expect(clock.now()).toBe(10);
  });

  it('is run by one at a time', async () => {
    const clock = new VirtualClock();
    const running = clock.run(10);
    await expect(clock.advance(1)).rejects.toMatchObject({ code: 'ERR_BUSY' });
    await running;
    await clock.advance(1);
  });

  it('runs by itself from start to stop', async () => {
    const clock = new VirtualClock();
    const stop = clock.start();
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => clock.setTimeout(resolve, ms));
    await sleep(5_000);
    for (let i = 0; i < 5; i++) await turn();
    await sleep(5_000);
    expect(clock.now()).toBe(10_000);
    await stop();
    clock.setTimeout(() => {}, 1);
    for (let i = 0; i < 5; i++) await turn();
    expect(clock.pending).toBe(1);
    await clock.run();
  });

  it('tells the time of day from a fixed beginning', async () => {
    const clock = new VirtualClock();
    expect(new Date(clock.wallTime()).toISOString()).toBe('2025-01-01T00:00:00.000Z');
    await clock.advance(1_500.5);
    expect(new Date(clock.wallTime()).toISOString()).toBe('2025-01-01T00:00:01.500Z');
  });

  it('drives a chart of XState', async () => {
    const clock = new VirtualClock();
    const machine = setup({ types: { context: {} as { at: number[] } } }).createMachine({
      context: { at: [] },
      initial: 'waiting',
      states: {
        waiting: {
          after: {
            500: { actions: assign({ at: ({ context }) => [...context.at, clock.now()] }), target: 'checking' },
          },
        },
        checking: {
          after: { 1000: [{ guard: ({ context }) => context.at.length < 4, target: 'waiting' }, { target: 'done' }] },
        },
        done: { type: 'final' },
      },
    });
    const actor = createActor(machine, { clock });
    actor.start();
    const snapshot = await clock.runUntil(
      waitFor(actor, ({ status }) => status === 'done', { timeout: Number.POSITIVE_INFINITY }),
    );
    expect(snapshot.context.at).toEqual([500, 2_000, 3_500, 5_000]);
    expect(clock.now()).toBe(6_000);
  });

  it('lets an hour of a peer’s keepalives pass in well under a second', async () => {
    const clock = new VirtualClock();
    let sent = 0;
    const every = (ms: number): void => {
      clock.setTimeout(() => {
        sent++;
        every(ms);
      }, ms);
    };
    // Consent each 5 s, STUN each 20 s, a signalling ping each 20 s (RFC 7675, README).
    for (const period of [5_000, 20_000, 20_000]) every(period);
    const started = performance.now();
    await clock.advance(3_600_000);
    expect(sent).toBe(720 + 180 + 180);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
