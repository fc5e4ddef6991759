import { describe, expect, it, vi } from 'vitest';
import { codeOf, createWorld } from '../peer/world.ts';
import type { Crossing } from './malicious-rendezvous.ts';
import { siege, untilDirect } from './siege.ts';
import { connected, EXCHANGED, exchange, victims } from './victims.ts';

describe.concurrent('a rendezvous server that drops', () => {
  it('all offers keeps two peers apart, and lets nobody in', async () => {
    await using world = createWorld();
    const { attacker, options } = siege();
    const pair = await victims(world, options);
    attacker.meddle = ({ direction, control }) => (direction === 'down' && control?.type === 'offer' ? [] : undefined);
    expect(await codeOf(pair.dialer.peer.connect(pair.text, { timeout: 500 }).ready)).toBe('ERR_TIMEOUT');
    expect(attacker.meddled).toBe(1);
    expect(pair.incoming).toEqual([]);
  });

  it.each<[string, (crossing: Crossing) => boolean]>([
    ['standing answers', ({ control }) => control?.type === 'standing'],
    ['every answer', ({ client, control }) => client === 'dialer' && control?.type === 'envelope'],
    ['every envelope but offers', ({ control }) => control?.type === 'envelope'],
    ['relayed datagrams', ({ control }) => control === undefined],
  ])('%s does not keep two peers apart that reach each other directly', async (_, isDropped) => {
    await using world = createWorld();
    const { attacker, options } = siege();
    attacker.meddle = (crossing) => (crossing.direction === 'down' && isDropped(crossing) ? [] : undefined);
    const pair = await connected(world, options);
    await untilDirect(pair);
    expect(await exchange(pair)).toEqual(EXCHANGED);
    expect(attacker.meddled).toBeGreaterThan(0);
  });

  it('everything from now on does not break a session that stands', async () => {
    await using world = createWorld();
    const { attacker, options } = siege();
    const pair = await connected(world, options);
    await untilDirect(pair);
    attacker.meddle = () => [];
    const before = attacker.meddled;
    await attacker.tell('dialer', { type: 'unreachable', session: Buffer.from(pair.here.id, 'hex'), reason: 'gone' });
    // The dialer offers again, to nobody.
    await vi.waitFor(() => expect(attacker.meddled).toBeGreaterThan(before), { timeout: 3000 });
    expect(await exchange(pair)).toEqual(EXCHANGED);
  });
});
