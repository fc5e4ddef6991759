import { describe, expect, it, vi } from 'vitest';
import { cryptoRandom } from '../../src/adapters/node/index.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import { createEnvelopeChannel } from '../../src/protocol/rendezvous/index.ts';
import { isQuicPacket } from '../../src/streams/demultiplex.ts';
import { createWorld } from '../peer/world.ts';
import { startHeartbeat } from './heartbeat.ts';
import { answerTo, HIGHEST_PRIORITY, type OffPath, openOffPath } from './off-path.ts';
import { siege } from './siege.ts';
import { otherSide, SIDES, type Side, type Target, target } from './target.ts';
import { credentialsOf, EXCHANGED, exchange } from './victims.ts';

/** The longest that data may be held up, in ms; an attack that works lasts to the end. */
const BEARABLE = 1500;

/** Echoes that have to come back while the thief has a path, 20 ms apart. */
const BEATS = 75;

const GENERATIONS = [1, 2];

/** A restart that takes the other side to be at the thief's address, sealed by one who holds the ticket. */
function restartsInTheNameOf(from: Side, { ticket, here }: Target, thief: OffPath) {
  const session = Buffer.from(here.id, 'hex');
  const { secret, key: listenerKey } = ticket;
  // Far ahead of what has been said, so that it is new.
  const channel = createEnvelopeChannel({
    secret,
    session,
    listenerKey,
    role: from,
    random: cryptoRandom(),
    firstSequence: 50,
  });
  return (generation: number) => ({
    type: 'envelope' as const,
    session,
    envelope: channel.seal({
      type: 'restart',
      generation,
      candidates: [
        { type: 'host', transport: 'udp', endpoint: thief.address, priority: HIGHEST_PRIORITY, foundation: 'x' },
      ],
      behavior: unknownBehavior,
      end: true,
    }),
  });
}

describe('the owner of the server, who holds the ticket as well,', () => {
  it.each(SIDES)('who leads the %s away by restarts, and swallows what it sends, holds nothing up', async (side) => {
    await using world = createWorld();
    const { attacker, options } = siege();
    const pair = await target(world, options);
    const thief = await openOffPath();
    const restart = restartsInTheNameOf(otherSide(side), pair, thief);
    const beat = await startHeartbeat(pair);
    attacker.meddle = () => [];
    for (const generation of GENERATIONS) {
      const { pwd } = credentialsOf(pair.ticket, pair.here, generation)[otherSide(side)];
      const answering = thief.datagrams$.subscribe(({ stun, from }) => {
        if (stun?.class === 'request') thief.send(answerTo(stun, from, pwd), from);
      });
      await attacker.tell(side, restart(generation));
      await vi.waitFor(
        () => expect(pair.pathOf(side)?.id).toMatch(new RegExp(`^udp/${generation}/.*:${thief.address.port}$`)),
        3000,
      );
      const before = beat.beats;
      await vi.waitFor(() => expect(beat.beats).toBeGreaterThan(before + BEATS), 10_000);
      answering.unsubscribe();
    }
    expect(thief.heard.filter(({ data }) => isQuicPacket(data)).length).toBeGreaterThan(BEATS);
    expect(beat.longest()).toBeLessThan(BEARABLE);
    await beat.stop();
    expect(await exchange(pair)).toEqual(EXCHANGED);
    thief.close();
  });
});
