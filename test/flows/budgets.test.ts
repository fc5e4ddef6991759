import { expect, test } from 'vitest';
import { compose } from '../../src/flows/compile/compose.ts';
import { defineStrategy } from '../../src/flows/define-strategy.ts';
import { race } from '../../src/flows/race.ts';
import { retry } from '../../src/flows/retry.ts';
import { sequence } from '../../src/flows/sequence.ts';
import { packetBounds } from '../../src/flows/walk.ts';
import { runComposed, scripted } from './scripted.ts';

const sender = (name: string, packets: number) =>
  defineStrategy({
    name,
    gives: 'direct',
    bounds: { time: 1_000, packets, sockets: 0 },
    run: async () => ({ ok: false, reason: 'no' }),
  });

test('a race that is tried again has its packets again, and those around the retry share theirs', async () => {
  const a = scripted('a', { duration: 10 });
  const inner = retry(race([a], { packets: 5 }), { times: 3, backoff: 100 });
  const { host } = await runComposed(compose('punch', race([inner], { packets: 9 })));
  const budgets = host.steps.map((step) => step.budgets);
  expect(budgets.map((each) => each.map(({ packets }) => packets))).toEqual([
    [9, 5],
    [9, 5],
    [9, 5],
  ]);
  const ids = budgets.map((each) => each.map(({ id }) => id));
  expect(new Set(ids.map(([outer]) => outer)).size).toBe(1);
  expect(new Set(ids.map(([, own]) => own)).size).toBe(3);
});

test('a strategy may send no more than the races around it, and the most of its places', () => {
  const a = sender('a', 20);
  const step = sequence([
    race([a, sender('b', 3)], { packets: 5 }),
    race([race([a])], { packets: 12 }),
    sender('c', 7),
  ]);
  expect(packetBounds(step)).toEqual(
    new Map([
      ['a', 12],
      ['b', 3],
      ['c', 7],
    ]),
  );
});
