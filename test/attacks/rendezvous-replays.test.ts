import { describe, expect, it, vi } from 'vitest';
import { encodeFrame } from '../../src/protocol/rendezvous/wire.ts';
import { createWorld } from '../peer/world.ts';
import { envelopeOf, onWayDown } from './envelope-faults.ts';
import type { Crossing, Frame, MaliciousRendezvous } from './malicious-rendezvous.ts';
import { siege, untilDirect } from './siege.ts';
import { connected, EXCHANGED, exchange, victims } from './victims.ts';

/** What peers have sealed for each other so far, as it came down to this client. */
const sealedFor = ({ seen }: MaliciousRendezvous, client: string): readonly Crossing[] =>
  seen.filter((crossing) => {
    const { direction, control } = crossing;
    return direction === 'down' && crossing.client === client && envelopeOf(crossing) && control?.type !== 'standing';
  });

/** Standing answers belong to no session, and may be handed out again and again. */
const isStanding = ({ control }: Crossing): boolean => control?.type === 'standing';

describe.concurrent('a rendezvous server that replays', () => {
  it('each envelope at once makes one session, and every copy is dropped', async () => {
    await using world = createWorld();
    const { attacker, dropped, options } = siege();
    let copies = 0;
    attacker.meddle = onWayDown((crossing) => {
      if (!isStanding(crossing)) copies++;
      return [crossing.frame, crossing.frame];
    });
    const pair = await connected(world, options);
    await untilDirect(pair);
    expect(await exchange(pair)).toEqual(EXCHANGED);
    expect(pair.incoming).toHaveLength(1);
    expect(copies).toBeGreaterThanOrEqual(2);
    expect(dropped).toHaveLength(copies);
  });

  it('each envelope later changes nothing', async () => {
    await using world = createWorld();
    const { attacker, dropped, options } = siege();
    const pair = await connected(world, options);
    await untilDirect(pair);
    const replayed = ['listener', 'dialer'].flatMap((client) => sealedFor(attacker, client));
    expect(replayed.map(({ control }) => control?.type).sort()).toEqual(expect.arrayContaining(['envelope', 'offer']));
    const before = dropped.length;
    for (const { client, frame } of replayed) await attacker.tell(client, frame);
    expect(dropped).toHaveLength(before + replayed.length);
    expect(await exchange(pair)).toEqual(EXCHANGED);
    expect(pair.incoming).toHaveLength(1);
  });

  it('envelopes of one session in another changes neither', async () => {
    await using world = createWorld();
    const { attacker, dropped, options } = siege();
    const one = await connected(world, options);
    await untilDirect(one);
    const recorded = ['listener', 'dialer'].flatMap((client) => sealedFor(attacker, client));
    const here = one.dialer.peer.connect(one.text);
    await here.ready;
    await vi.waitFor(() => expect(one.incoming).toHaveLength(2));
    const two = { ...one, here, there: one.incoming[1]! };
    await untilDirect(two);
    const before = dropped.length;
    for (const { client, control } of recorded) {
      await attacker.tell(client, encodeFrame({ ...control!, session: Buffer.from(two.here.id, 'hex') } as never));
    }
    expect(recorded.length).toBeGreaterThan(1);
    expect(dropped).toHaveLength(before + recorded.length);
    for (const pair of [one, two]) expect(await exchange(pair)).toEqual(EXCHANGED);
    expect(one.incoming).toHaveLength(2);
  });

  it('what a peer said to itself changes nothing', async () => {
    await using world = createWorld();
    const { attacker, dropped, options } = siege();
    let reflected = 0;
    attacker.meddle = ({ client, direction, frame, control }) => {
      if (direction === 'up' && (control?.type === 'offer' || control?.type === 'envelope')) {
        const { session, envelope } = control;
        void attacker.tell(client, { type: 'envelope', session, envelope });
        reflected++;
      }
      return [frame];
    };
    const pair = await connected(world, options);
    await untilDirect(pair);
    expect(await exchange(pair)).toEqual(EXCHANGED);
    expect(reflected).toBeGreaterThanOrEqual(2);
    await vi.waitFor(() => expect(dropped).toHaveLength(reflected));
  });
});

describe.concurrent('a rendezvous server that reorders', () => {
  it('what it carries, each two swapped, makes the same session', async () => {
    await using world = createWorld();
    const { attacker, options } = siege();
    const held = new Map<string, Frame>();
    let swaps = 0;
    attacker.meddle = (crossing) => {
      if (crossing.direction === 'up' || crossing.control?.type !== 'envelope') return undefined;
      const first = held.get(crossing.client);
      held.delete(crossing.client);
      if (first === undefined) {
        held.set(crossing.client, crossing.frame);
        return [];
      }
      swaps++;
      return [crossing.frame, first];
    };
    const pair = await connected(world, options);
    await untilDirect(pair);
    expect(await exchange(pair)).toEqual(EXCHANGED);
    expect(swaps).toBeGreaterThan(0);
  });

  it('the offers of two sessions makes the same two', async () => {
    await using world = createWorld();
    const { attacker, options } = siege();
    const pair = await victims(world, options);
    let first: Frame | undefined;
    let swapped = false;
    attacker.meddle = ({ direction, frame, control }) => {
      if (direction === 'up' || control?.type !== 'offer' || swapped) return undefined;
      swapped = first !== undefined;
      if (first !== undefined) return [frame, first];
      first = frame;
      return [];
    };
    const dialed = [0, 1].map(() => pair.dialer.peer.connect(pair.text));
    await Promise.all(dialed.map(({ ready }) => ready));
    await vi.waitFor(() => expect(pair.incoming).toHaveLength(2));
    expect(swapped).toBe(true);
    for (const here of dialed) {
      const there = pair.incoming.find(({ id }) => id === here.id)!;
      expect(await exchange({ here, there })).toEqual(EXCHANGED);
    }
  });
});
