import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/core/verdict.ts';
import {
  checks,
  createScores,
  defineFlow,
  defineStrategy,
  type Flow,
  interfaces,
  race,
  relay,
  type Scores,
  type ScoresJson,
  stun,
} from '../../src/flows/index.ts';
import { createPeer } from '../../src/peer/create-peer.ts';
import { internet, simEnvironment } from '../../src/sim.ts';

const PAIR = 'endpoint-independent/unknown x endpoint-independent/unknown';
const bad = { tries: 10, wins: 0, ms: 0, packets: 50_000 };
const good = { tries: 10, wins: 10, ms: 500, packets: 0 };

/** Says that it fails, after a second. */
const idle = defineStrategy({
  name: 'idle',
  gives: 'direct',
  bounds: { time: 5_000, packets: 0, sockets: 0 },
  run: ({ env }) =>
    new Promise((resolve) => env.clock.setTimeout(() => resolve({ ok: false, reason: 'it never works' }), 1_000)),
});

const flow = defineFlow({
  discover: [interfaces(), stun()],
  punch: race([idle, checks()], { stagger: 3_000 }),
  fallback: relay(),
});

/** How a dialer between two homes fares when both sides have these scores; its own are noted in them. */
function dial(scores: Scores | undefined, dialled: Flow = flow): Promise<{ verdict: Verdict; directAfter: number }> {
  const net = internet({ seed: 5 });
  net.host('meet', {
    services: [{ type: 'stun', alternate: true }, { type: 'rendezvous' }],
    addresses: ['192.0.2.10', '192.0.2.11'],
  });
  const servers = ['ws://meet:8790'];
  const home = (name: string) => net.nat(`${name}-home`, { filtering: 'address-and-port-dependent' }).host(name);
  const work = async () => {
    const theirs = scores && { scores: createScores(scores.toJSON()) };
    const listener = await createPeer({ env: simEnvironment(home('alice'), { servers }), flow: dialled, ...theirs });
    const dialer = await createPeer({
      env: simEnvironment(home('bob'), { servers }),
      flow: dialled,
      ...(scores && { scores }),
    });
    await firstValueFrom(dialer.reachability$.pipe(filter(({ behavior }) => behavior.mapping !== 'unknown')));
    const ticket = await listener.createTicket();
    await firstValueFrom(listener.reachability$.pipe(filter(({ behavior }) => behavior.mapping !== 'unknown')));
    const dialledAt = net.clock.now();
    const connection = dialer.connect(ticket);
    await firstValueFrom(connection.path$.pipe(filter((path) => path?.kind === 'direct')));
    const directAfter = net.clock.now() - dialledAt;
    await connection.close();
    const verdict = await connection.verdict;
    for (const peer of [dialer, listener]) await peer.close();
    return { verdict, directAfter };
  };
  return net.clock.runUntil(work());
}

const scoresOf = (strategies: ScoresJson['pairs'][string]): Scores =>
  createScores({ version: 1, pairs: { [PAIR]: strategies } });

describe('a peer with scores', () => {
  it('notes what its strategies come to', async () => {
    const scores = createScores();
    await dial(scores);
    const { pairs } = scores.toJSON();
    expect(Object.keys(pairs)).toEqual([PAIR]);
    expect(pairs[PAIR]).toEqual({
      checks: { tries: 1, wins: 1, ms: expect.any(Number), packets: 0 },
      idle: { tries: 1, wins: 0, ms: 0, packets: 0 },
    });
  });

  it('starts with what wins', async () => {
    const without = await dial(undefined);
    const scored = await dial(scoresOf({ checks: good }));
    expect(without.directAfter).toBeGreaterThan(1_000);
    expect(scored.directAfter).toBeLessThan(400);
    expect(scored.verdict.attempts.map(({ strategy }) => strategy)).not.toContain('idle');
  });

  it('leaves out what costs too much, and says so', async () => {
    const { verdict, directAfter } = await dial(scoresOf({ idle: bad }));
    expect(directAfter).toBeLessThan(400);
    expect(verdict.attempts.find(({ strategy }) => strategy === 'idle')).toMatchObject({
      ok: false,
      reason: expect.stringContaining('left out'),
    });
  });

  it('does as the flow says where it knows nothing of the two', async () => {
    const other = createScores({
      version: 1,
      pairs: { [PAIR.replace('endpoint-independent', 'address-dependent')]: { idle: bad } },
    });
    expect((await dial(other)).directAfter).toBeGreaterThan(1_000);
  });

  it('never leaves itself without a strategy', async () => {
    const { verdict } = await dial(scoresOf({ idle: bad, checks: { ...bad, wins: 1, ms: 100 } }));
    expect(verdict.outcome).toBe('direct');
  });
});
