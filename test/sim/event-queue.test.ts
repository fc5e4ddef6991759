import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue, type QueuedEvent } from '../../src/sim/event-queue.ts';

describe('the event queue', () => {
  it('gives events in the order of their time, and of one moment as they were added', () => {
    const [queue, seen] = [new EventQueue(), [] as string[]];
    for (const [at, name] of [
      [5, 'd'],
      [1, 'a'],
      [5, 'e'],
      [1, 'b'],
      [3, 'c'],
    ] as const) {
      queue.add(at, () => seen.push(name));
    }
    drain(queue);
    expect(seen.join('')).toBe('abcde');
  });

  it('forgets what is removed, and takes no notice when it is gone already', () => {
    const queue = new EventQueue();
    const [first, second] = [queue.add(1, () => {}), queue.add(2, () => {})];
    queue.remove(first);
    queue.remove(first);
    expect(queue.size).toBe(1);
    expect(queue.first).toBe(second);
  });

  it('agrees with a sorted list whatever is added and removed', () => {
    const step = fc.oneof(
      fc.record({ add: fc.nat({ max: 20 }) }),
      fc.record({ remove: fc.nat({ max: 50 }) }),
      fc.constant({ take: true as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new EventQueue();
        const all: QueuedEvent[] = [];
        let model: QueuedEvent[] = [];
        for (const one of steps) {
          if ('add' in one) {
            const event = queue.add(one.add, () => {});
            all.push(event);
            model.push(event);
          } else if ('remove' in one) {
            const event = all[one.remove % Math.max(1, all.length)];
            if (event === undefined) continue;
            queue.remove(event);
            model = model.filter((other) => other !== event);
          } else if (queue.first !== undefined) {
            const event = queue.first;
            queue.remove(event);
            model = model.filter((other) => other !== event);
          }
          // A stable sort keeps the order of addition.
          model.sort((a, b) => a.at - b.at);
          expect(queue.first).toBe(model[0]);
          expect(queue.size).toBe(model.length);
        }
      }),
    );
  });
});

function drain(queue: EventQueue): void {
  for (let event = queue.first; event !== undefined; event = queue.first) {
    queue.remove(event);
    event.callback();
  }
}
