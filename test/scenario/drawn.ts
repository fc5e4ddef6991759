import type { Scenario } from '../../src/scenario/index.ts';
import { homes, type Site } from '../../src/scenario/index.ts';
import { type NatSpec, type PlannedEvent, presets, type SeededRandom, seededRandom } from '../../src/sim/index.ts';

export interface DrawnOptions {
  /** ms from the dial until the connection is ended, 4,000 at least: what happens to it happens after 2,500. Default 6,000. */
  readonly lasts?: number;
}

/**
 * Two homes that chance has built, on lines that lose, delay and repeat, and something that happens while they talk: all of it
 * drawn from the seed.
 */
export function drawn(seed: number, { lasts = 6_000 }: DrawnOptions = {}): Scenario {
  const random = seededRandom(`drawn ${seed}`);
  const link = { latency: 10 + random.below(40), jitter: random.below(10), loss: 0.02, duplicate: 0.01 };
  const scenario = homes({ a: drawnSite(random), b: drawnSite(random), link, seed });
  const event = one<PlannedEvent>(random, [
    { at: 4_000, type: 'rebind', network: 'a-home' },
    { at: 4_000, type: 'reboot', network: 'b-home', downFor: 1_000 },
    { at: 4_000, type: 'roam', host: 'a', from: 'a-home', to: 'internet' },
    { at: 4_000, type: 'restart', host: 'server' },
  ]);
  return {
    ...scenario,
    internet: { ...scenario.internet, events: [event] },
    dials: [{ at: 1_500, from: 'a', to: 'b', by: one(random, ['ticket', 'key']), lasts, pingEvery: 250 }],
  };
}

/** A preset now and then, else a NAT of any kind, with or without a gateway that maps ports. */
function drawnSite(random: SeededRandom): Site {
  if (random.below(4) === 0) return one(random, PRESETS);
  const nat: NatSpec = {
    mapping: one(random, DEPENDENCES),
    filtering: one(random, DEPENDENCES),
    portAllocation: one(random, ALLOCATIONS),
    pinning: one(random, [true, false]),
  };
  return random.below(3) === 0 ? [{ nat, gateway: { natPmp: true, pcp: true, upnp: 1 } }] : nat;
}

function one<T>(random: SeededRandom, of: readonly T[]): T {
  return of[random.below(of.length)]!;
}

const DEPENDENCES = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const;
const ALLOCATIONS = ['preserve', 'random', 'parity', { sequential: 1 }] as const;
/** All that have a network to which something can happen. */
const PRESETS = (Object.keys(presets) as (keyof typeof presets)[]).filter((name) => name !== 'public');
