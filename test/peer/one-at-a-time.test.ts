import { describe, expect, it } from 'vitest';
import { OneAtATime } from '../../src/peer/one-at-a-time.ts';

describe('OneAtATime', () => {
  it('gives turns in the order in which they were asked for', async () => {
    const turns = new OneAtATime();
    const askers = [new AbortController(), new AbortController(), new AbortController()];
    const had: number[] = [];
    const asked = askers.map(({ signal }, i) => turns.takeUntil(signal).then(() => had.push(i)));
    await asked[0];
    expect(turns.tryTake()).toBeUndefined();
    expect(had).toEqual([0]);
    askers[0]!.abort();
    await asked[1];
    askers[1]!.abort();
    await asked[2];
    expect(had).toEqual([0, 1, 2]);
  });

  it('loses no turn to one who goes away at the moment of getting it', async () => {
    const turns = new OneAtATime();
    const end = turns.tryTake()!;
    const asker = new AbortController();
    const taken = turns.takeUntil(asker.signal);
    end();
    asker.abort();
    await taken;
    expect(turns.tryTake()).toBeDefined();
  });

  it('gives none to one who has gone, and rejects with why', async () => {
    const turns = new OneAtATime();
    const end = turns.tryTake()!;
    const asker = new AbortController();
    const waiting = turns.takeUntil(asker.signal);
    asker.abort('gone');
    await expect(waiting).rejects.toBe('gone');
    await expect(turns.takeUntil(asker.signal)).rejects.toBe('gone');
    end();
    expect(turns.tryTake()).toBeDefined();
  });

  it('ends a turn once', () => {
    const turns = new OneAtATime();
    const first = turns.tryTake()!;
    first();
    const second = turns.tryTake();
    first();
    expect(second).toBeDefined();
    expect(turns.tryTake()).toBeUndefined();
  });
});
