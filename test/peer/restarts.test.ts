import { describe, expect, it, vi } from 'vitest';
import { cryptoRandom, nodeNetwork } from '../../src/adapters/node/index.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import { createRestarts } from '../../src/peer/restarts.ts';
import { createEnvelopeChannel } from '../../src/protocol/rendezvous/index.ts';
import { siege } from '../attacks/siege.ts';
import { victims } from '../attacks/victims.ts';
import { manualClock } from '../manual-clock.ts';
import { codeOf, createWorld } from './world.ts';

/** One side of a connection, which follows the generations that it is told. */
function follower({ proven = true } = {}) {
  const clock = manualClock();
  const side = { generation: 0 };
  const restarts = createRestarts({
    clock,
    generation: () => side.generation,
    renew: (generation) => {
      side.generation = generation;
    },
    tell: () => {},
  });
  if (proven) restarts.prove();
  const follow = (generation: number): boolean =>
    restarts.follow({ type: 'restart', generation, candidates: [], behavior: unknownBehavior, end: false });
  return { clock, side, restarts, follow };
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

  it('are not followed before its key is proven, and then from the first one', () => {
    const { side, restarts, follow } = follower({ proven: false });
    expect([follow(0), follow(1), follow(2)]).toEqual([true, false, false]);
    expect(side.generation).toBe(0);
    const kept = restarts.prove();
    expect(kept.map(({ generation }) => generation)).toEqual([1, 2]);
    expect(restarts.follow(kept[0]!)).toBe(true);
    expect(restarts.prove()).toEqual([]);
  });

  it('are remembered eight at most until then', () => {
    const { restarts, follow } = follower({ proven: false });
    for (let asked = 1; asked <= 100; asked++) follow(asked);
    expect(restarts.prove().map(({ generation }) => generation)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});

it('a restart that overtakes the end of the handshake is followed when that is through', async () => {
  await using world = createWorld();
  const { attacker, options } = siege();
  const pair = await victims(world, {
    listener: { ...options.listener, policy: 'relay-only' },
    dialer: { ...options.dialer, policy: 'relay-only' },
  });
  let holding = true;
  attacker.meddle = ({ client, direction, frame }) =>
    holding && client === 'listener' && direction === 'down' && typeof frame !== 'string' ? [] : undefined;
  const connection = pair.dialer.peer.connect(pair.text);
  await connection.ready;
  const session = Buffer.from(connection.id, 'hex');
  const { secret, key: listenerKey } = pair.ticket;
  const channel = (firstSequence: number) =>
    createEnvelopeChannel({ secret, session, listenerKey, role: 'dialer', random: cryptoRandom(), firstSequence });
  const restart = channel(50).seal({
    type: 'restart',
    generation: 1,
    candidates: [],
    behavior: unknownBehavior,
    end: true,
  });
  const told = (): readonly number[] => {
    const { open } = channel(0);
    return attacker.seen.flatMap(({ client, direction, control }) => {
      if (client !== 'listener' || direction !== 'up' || control?.type !== 'envelope') return [];
      const message = open(control.envelope);
      return message.type === 'candidates' ? [message.generation] : [];
    });
  };
  const before = told().length;
  await attacker.tell('listener', { type: 'envelope', session, envelope: restart });
  await vi.waitFor(() => expect(told().slice(before)).toEqual([0]));
  expect(pair.incoming).toHaveLength(0);
  holding = false;
  await vi.waitFor(() => expect(told().at(-1)).toBe(1), 5000);
  expect(pair.incoming).toHaveLength(1);
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
