import { describe, expect, it } from 'vitest';
import { createRestarts } from '../../../src/adapters/port-mapper/restarts.ts';
import { manualClock } from '../../manual-clock.ts';

function world() {
  const clock = manualClock();
  const restarts = createRestarts(clock);
  const told: string[] = [];
  let completed = false;
  restarts.restarts$.subscribe({
    next: ({ gateway }) => told.push(`${gateway} at ${clock.now()}`),
    complete: () => {
      completed = true;
    },
  });
  return { clock, restarts, told, isCompleted: () => completed };
}

describe('restarts', () => {
  it('are told at once, each gateway’s by itself', () => {
    const { restarts, told } = world();
    restarts.tell('a');
    restarts.tell('b');
    expect(told).toEqual(['a at 0', 'b at 0']);
  });

  it('that follow are told once, when 10 s are over', () => {
    const { clock, restarts, told } = world();
    restarts.tell('a');
    clock.advance(1_000);
    for (let i = 0; i < 100; i++) restarts.tell('a');
    clock.advance(60_000);
    expect(told).toEqual(['a at 0', 'a at 10000']);
    restarts.tell('a');
    expect(told).toHaveLength(3);
  });

  it('are told no more after the end, which leaves no timer', () => {
    const { clock, restarts, told, isCompleted } = world();
    restarts.tell('a');
    restarts.tell('a');
    restarts.close();
    restarts.tell('b');
    clock.advance(60_000);
    expect([told.length, isCompleted(), clock.pending]).toEqual([1, true, 0]);
  });
});
