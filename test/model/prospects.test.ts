import { describe, expect, test } from 'vitest';
import { checks, defaultFlow, defineFlow, defineStrategy, interfaces, race, relay, stun } from '../../src/index.ts';
import { createTraversalModel, simulatorDriver, testPath } from '../../src/testing/index.ts';

const SITES = { a: 'home-router', b: 'mobile-network' } as const;
const SURE = { direct: 'sure', withoutUdp: 'sure' };

const own = defineStrategy({
  name: 'own',
  gives: 'direct',
  bounds: { time: 1_000, packets: 0, sockets: 0 },
  run: async () => ({ ok: false, reason: 'not today' }),
});
const plain = defineFlow({ discover: [interfaces(), stun()], punch: checks(), fallback: relay() });
const extended = defineFlow({ ...plain.spec, punch: race([own, checks()]) });

describe('what can come of a pair of which one side has a gateway', () => {
  test.each([
    ['is sure where the flow asks it for a mapping', defaultFlow, true, SURE],
    ['is nothing where the flow does not ask', plain, true, { direct: 'impossible', withoutUdp: 'impossible' }],
    ['may be more with a strategy of one’s own', extended, true, { direct: 'possible', withoutUdp: 'possible' }],
    ['is less where nobody asks', defaultFlow, false, { direct: 'possible', withoutUdp: 'impossible' }],
  ] as const)('%s', (_, flow, mapping, expected) => {
    expect(createTraversalModel(flow, simulatorDriver({ ...SITES, mapping })).input).toMatchObject(expected);
  });

  test.each([
    ['without a gateway', plain],
    ['with a strategy of one’s own', extended],
  ])('comes, %s', async (_, flow) => {
    const model = createTraversalModel(flow, simulatorDriver(SITES));
    await testPath(model, model.getPathFromEvents([{ type: 'dialed' }, { type: 'time.passed' }]));
  });
});
