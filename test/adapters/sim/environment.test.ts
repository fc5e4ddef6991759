import { expect, it } from 'vitest';
import { simEnvironment } from '../../../src/adapters/sim/index.ts';
import { internet } from '../../../src/sim/index.ts';

it('gives a peer the network of its host, the time of the world, and chance that nobody else has', async () => {
  const draws = [[], ['stranger']].map((others) => {
    const world = internet({ seed: 1 });
    for (const name of others) simEnvironment(world, world.host(name)).random.bytes(8);
    const alice = simEnvironment(world, world.host('alice', { addresses: ['203.0.113.9'] }));
    expect(alice.clock).toBe(world.clock);
    expect(alice.network.interfaces().map(({ address }) => address)).toContain('203.0.113.9');
    return [...alice.random.bytes(8)];
  });
  expect(draws[0]).toEqual(draws[1]);
});
