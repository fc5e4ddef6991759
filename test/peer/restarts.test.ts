import { describe, expect, it } from 'vitest';
import { nodeNetwork } from '../../src/adapters/node/index.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import { createRestarts } from '../../src/peer/restarts.ts';
import { manualClock } from '../manual-clock.ts';
import { codeOf, createWorld } from './world.ts';

/** One side of a connection, which follows the generations that it is told. */
function follower() {
  const clock = manualClock();
  const side = { generation: 0, isEstablished: true };
  const restarts = createRestarts({
    clock,
    generation: () => side.generation,
    isEstablished: () => side.isEstablished,
    renew: (generation) => {
      side.generation = generation;
    },
    tell: () => {},
  });
  const follow = (generation: number): boolean =>
    restarts.follow({ type: 'restart', generation, candidates: [], behavior: unknownBehavior, end: false });
  return { clock, side, follow };
}

describe('the generations that the other side asks for', () => {
  it('are followed when two come within a moment, from the first moment on', () => {
    const { clock, side, follow } = follower();
    expect(follow(1)).toBe(true);
    clock.advance(100);
    expect(follow(2)).toBe(true);
    expect(side.generation).toBe(2);
  });

  it('are no more than four at once and two a second', () => {
    const { clock, side, follow } = follower();
    let followed = 0;
    for (let asked = 1; asked <= 1000; asked++) {
      const before = side.generation;
      follow(asked);
      if (side.generation !== before) followed++;
      clock.advance(10);
    }
    expect(followed).toBe(4 + 19);
  });

  it('are not followed before its key is proven', () => {
    const { side, follow } = follower();
    side.isEstablished = false;
    expect(follow(1)).toBe(false);
    expect(side.generation).toBe(0);
    side.isEstablished = true;
    expect(follow(1)).toBe(true);
  });
});

it('an address that is lost before the answer does not keep two peers apart', async () => {
  await using world = createWorld({ latency: 50 });
  const listener = await world.inhabitant({ policy: 'direct-only' });
  const ticket = await listener.peer.createTicket();
  const loopback = nodeNetwork();
  let left = false;
  const interfaces = () => {
    const all = loopback.interfaces().filter(({ internal }) => internal);
    const first = all.find(({ address }) => address === '127.0.0.1');
    return left || first === undefined ? all : [...all, { ...first, address: '127.0.0.2' }];
  };
  const dialer = await world.inhabitant({ policy: 'direct-only', env: { network: { ...loopback, interfaces } } });
  const { ready } = dialer.peer.connect(ticket);
  left = true;
  expect(await codeOf(ready)).toBe('fulfilled');
});
