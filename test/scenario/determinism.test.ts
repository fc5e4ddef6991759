import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { homes, runScenario, type Scenario } from '../../src/scenario/index.ts';
import { type NatSpec, type PlannedEvent, type SeededRandom, seededRandom } from '../../src/sim/index.ts';
import { runLogged } from './run-log.ts';

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);
const DEPENDENCES = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const;
const ALLOCATIONS = ['preserve', 'random', 'parity', { sequential: 1 }] as const;

/** Two homes that chance has built, on lines that lose, delay and repeat, and something that happens while they talk. */
function drawn(seed: number): Scenario {
  const random = seededRandom(`drawn ${seed}`);
  const one = <T>(of: readonly T[], by: SeededRandom = random): T => of[by.below(of.length)]!;
  const nat = (): NatSpec => ({
    mapping: one(DEPENDENCES),
    filtering: one(DEPENDENCES),
    portAllocation: one(ALLOCATIONS),
    pinning: one([true, false]),
  });
  const event = one<PlannedEvent>([
    { at: 4_000, type: 'rebind', network: 'a-home' },
    { at: 4_000, type: 'reboot', network: 'b-home', downFor: 2_000 },
    { at: 4_000, type: 'roam', host: 'a', from: 'a-home', to: 'internet' },
    { at: 4_000, type: 'restart', host: 'server' },
  ]);
  const link = { latency: 10 + random.below(40), jitter: random.below(10), loss: 0.02, duplicate: 0.01 };
  const scenario = homes({ a: nat(), b: [{ nat: nat(), gateway: { natPmp: true, pcp: true, upnp: 1 } }], link, seed });
  return {
    ...scenario,
    internet: { ...scenario.internet, events: [event] },
    dials: [{ at: 1_500, from: 'a', to: 'b', by: one(['ticket', 'key']), lasts: 12_000, pingEvery: 250 }],
  };
}

const digest = (lines: readonly string[]): string => createHash('sha256').update(lines.join('\n')).digest('hex');

describe('a scenario', () => {
  it.each(SEEDS)('runs the same way twice, packet by packet and state by state: seed %i', async (seed) => {
    const [first, second] = [await runLogged(drawn(seed)), await runLogged(drawn(seed))];
    expect(first.lines.length).toBeGreaterThan(500);
    // The first line that differs says more than two digests.
    expect(second.lines.find((line, i) => line !== first.lines[i])).toBeUndefined();
    expect(digest(second.lines)).toBe(digest(first.lines));
    expect(JSON.stringify(second.outcome)).toBe(JSON.stringify(first.outcome));
    expect(first.outcome.leftOver).toEqual({ timers: 0, sockets: 0 });
  });

  it('runs another way with another seed', async () => {
    const link = { latency: 20, jitter: 5 };
    const [one, other] = [1, 2].map((seed) => homes({ a: 'linux', b: 'hotel-wifi', link, seed }));
    expect(digest((await runLogged(one!)).lines)).not.toBe(digest((await runLogged(other!)).lines));
  });

  it('is not changed by what others do in the same process meanwhile', async () => {
    const alone = await runLogged(drawn(3));
    const [together] = await Promise.all([runLogged(drawn(3)), runLogged(drawn(4)), runLogged(drawn(5))]);
    expect(digest(together.lines)).toBe(digest(alone.lines));
  });

  it('is not changed by being watched', async () => {
    const { outcome } = await runLogged(drawn(6));
    expect(JSON.stringify(await runScenario(drawn(6)))).toBe(JSON.stringify(outcome));
  });
});
