import type { ScoresJson } from '../../src/index.ts';
import { brokenStrategy } from '../../src/testing/index.ts';
import { type Expedition, expedition, flows, ofTypes } from './expedition.ts';
import { HOTELS, LINUX } from './places.ts';

/** Races in another order than they are written in, by scores of other days. */
export function scoredExpeditions(): readonly Expedition[] {
  const events = ofTypes(['dialed', 'time.passed', 'closed']);
  const tcpFirst = scoresOf({ quick: ['tcp-simultaneous-open'] });
  const noTcp = brokenStrategy(flows.default, 'tcp-simultaneous-open', 'fails');
  return [
    expedition('TCP first', flows.default, { ...HOTELS, scores: tcpFirst }, { events }),
    expedition('TCP first, and fails', noTcp, { ...LINUX, scores: tcpFirst }, { events }),
    ...[LINUX, { a: 'linux', b: 'hotel-wifi' } as const].map((sites) =>
      expedition(
        `guesses first, ${sites.b}`,
        flows.default,
        { ...sites, scores: scoresOf({ quick: ['predict', 'spray'] }) },
        { events },
      ),
    ),
    ...COSTLY.map((costly) =>
      expedition(
        `without ${costly.join(', ')}`,
        flows.default,
        { ...HOTELS, scores: scoresOf({ costly }) },
        { events, direct: false },
      ),
    ),
  ];
}

/** Strategies that are not worth their packets, in turn. */
const COSTLY: readonly (readonly string[])[] = [
  ['checks'],
  ['predict', 'spray'],
  ['checks', 'predict', 'spray'],
  ['tcp-simultaneous-open'],
];

/** As if `quick` had always won in no time, and `costly` had never won with many packets, whatever the NATs. */
function scoresOf({
  quick = [],
  costly = [],
}: Readonly<Partial<Record<'quick' | 'costly', readonly string[]>>>): ScoresJson {
  const strategies = Object.fromEntries([
    ...quick.map((name) => [name, { tries: 100, wins: 100, ms: 100, packets: 100 }] as const),
    ...costly.map((name) => [name, { tries: 100, wins: 0, ms: 0, packets: 1_000_000 }] as const),
  ]);
  const pairs = MAPPINGS.flatMap((mine) => MAPPINGS.map((theirs) => `${mine}/unknown x ${theirs}/unknown`));
  return { version: 1, pairs: Object.fromEntries(pairs.map((pair) => [pair, strategies])) };
}

const MAPPINGS = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const;
