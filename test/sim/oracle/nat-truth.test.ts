import { describe, expect, test } from 'vitest';
import type { NatSpec } from '../../../src/sim/nat/nat-spec.ts';
import type { Forecast } from '../../../src/sim/oracle/forecast.ts';
import { homes, KINDS, type Kind, kind, PAIRS, prospect } from './pair.ts';

/**
 * What is known of two single NATs with random ports, to check the oracle on. y: both sides send to what servers see of the
 * other; s: a spray; x: neither. Columns in the order of the rows.
 */
interface Truth {
  readonly table: Readonly<Record<Kind, string>>;
  readonly counts: { readonly y: number; readonly s: number; readonly x: number };
}

/** A filter for each mapping, and no flow is bound to a mapping. */
const STRICT: Truth = {
  table: {
    'EI/EI': 'yyyyyyyyy',
    'EI/AD': 'yyyyyyyyy',
    'EI/APD': 'yyyssssss',
    'AD/EI': 'yysyysyys',
    'AD/AD': 'yysyssyss',
    'AD/APD': 'yysssxxxx',
    'APD/EI': 'yysyyxxxx',
    'APD/AD': 'yysysxxxx',
    'APD/APD': 'yysssxxxx',
  },
  counts: { y: 23, s: 12, x: 10 },
};

/** An answer pins the flow. Six more are plain; of those that are marked s, two are so in one order of the sides' beginning. */
const PINNED: Truth = {
  table: {
    'EI/EI': 'yyyyyyyyy',
    'EI/AD': 'yyyyyyyyy',
    'EI/APD': 'yyyssssss',
    'AD/EI': 'yysyyyyyy',
    'AD/AD': 'yysyssyss',
    'AD/APD': 'yysysxysx',
    'APD/EI': 'yysyyyyyy',
    'APD/AD': 'yysyssyss',
    'APD/APD': 'yysysxysx',
  },
  counts: { y: 29, s: 13, x: 3 },
};

/** As Linux conntrack does it in the kernel laboratory: the two that hang on the order are plain, as clashes are renumbered. */
const CONNTRACK: Truth = {
  table: {
    ...PINNED.table,
    'EI/APD': 'yyyyssyss',
    'AD/EI': 'yyyyyyyyy',
    'APD/EI': 'yyyyyyyyy',
  },
  counts: { y: 31, s: 11, x: 3 },
};

describe.each<{ semantics: string; truth: Truth; options: NatSpec }>([
  { semantics: 'strict', truth: STRICT, options: {} },
  { semantics: 'pinned', truth: PINNED, options: { pinning: true } },
  { semantics: 'conntrack', truth: CONNTRACK, options: { pinning: true, clashes: 'renumbered' } },
])('45 pairs, $semantics', ({ truth, options }) => {
  const forecasts = new Map(PAIRS.map(({ a, b }) => [`${a} ${b}`, homesOf(a, b, options)]));

  test.each(PAIRS)('$a with $b', ({ a, b }) => {
    expect(mark(forecasts.get(`${a} ${b}`)!)).toBe(truth.table[a][KINDS.indexOf(b)]);
  });

  test('the table is symmetric and counts what it should', () => {
    for (const { a, b } of PAIRS) {
      expect(truth.table[a][KINDS.indexOf(b)]).toBe(truth.table[b][KINDS.indexOf(a)]);
    }
    const marks = [...forecasts.values()].map(mark);
    const count = (one: string): number => marks.filter((other) => other === one).length;
    expect({ y: count('y'), s: count('s'), x: count('x') }).toEqual(truth.counts);
  });

  test('a spray of 256 sockets and 1024 probes hits with 98.35 %', () => {
    const sprayed = [...forecasts.values()].filter((one) => mark(one) === 's');
    for (const one of sprayed) {
      expect(prospect(one, 'spray')?.probability).toBeCloseTo(0.9835, 4);
      expect(prospect(one, 'spray')?.packets).toBeLessThan(1300);
    }
  });
});

test('it does not matter which side is which', () => {
  for (const { a, b } of PAIRS) expect(mark(homesOf(b, a, {}))).toBe(mark(homesOf(a, b, {})));
});

test('pinned, the order decides two pairs: the side with endpoint-independent mapping has to be heard first', () => {
  for (const b of ['AD/EI', 'APD/EI'] as const) {
    expect(prospect(homesOf('EI/APD', b, { pinning: true }), 'reflexive')).toMatchObject({
      probability: 0,
      bestProbability: 1,
      bestOrder: 'a-first',
    });
  }
  for (const { a, b } of PAIRS) {
    const found = prospect(homesOf(a, b, {}), 'reflexive');
    expect(found?.probability).toBe(found?.bestProbability);
  }
});

describe('what helps every pair', () => {
  test('one side without NAT: 45 of 45', () => {
    for (const { a } of PAIRS) expect(homes({ nat: kind(a) }, {}).best).toBe('host');
  });

  test('a mapping on one side: 45 of 45', () => {
    for (const { a, b } of PAIRS) {
      for (const options of [{}, { pinning: true }]) {
        const found = homes({ nat: kind(a, options), gateway: { natPmp: true } }, { nat: kind(b, options) });
        expect(prospect(found, 'mapped')?.probability).toBe(1);
      }
    }
  });

  test.each([1, 2, 7])('ports in sequence by %i: 45 of 45, by prediction where not plain', (sequential) => {
    for (const { a, b } of PAIRS) {
      for (const options of [{}, { pinning: true }]) {
        const found = homesOf(a, b, { ...options, portAllocation: { sequential } });
        expect(['reflexive', 'predict']).toContain(found.best);
        expect(Math.max(...found.prospects.map(({ probability }) => probability))).toBe(1);
      }
    }
  });

  test('a filter kept for each internal endpoint makes every pair plain that has no port-dependent filter', () => {
    const options = { filterScope: 'internal-endpoint' } as const;
    expect(mark(homesOf('AD/AD', 'AD/AD', options))).toBe('y');
    expect(mark(homesOf('AD/APD', 'AD/APD', options))).toBe('x');
  });
});

describe('TCP simultaneous open', () => {
  const tcp = (a: Kind, b: Kind, unsolicitedSyn: 'drop' | 'reset' | 'wait') =>
    prospect(homesOf(a, b, { tcp: { unsolicitedSyn } }), 'tcp-simultaneous-open');

  test('joins every pair with endpoint-independent mapping on both sides, where SYNs are dropped silently', () => {
    for (const { a, b } of PAIRS) {
      const isPossible = a.startsWith('EI/') && b.startsWith('EI/');
      for (const silently of ['drop', 'wait'] as const) {
        expect(tcp(a, b, silently)?.probability ?? 0).toBe(isPossible ? 1 : 0);
      }
    }
  });

  test('where SYNs are answered by RST it takes quick re-dials', () => {
    const silent = tcp('EI/APD', 'EI/APD', 'drop');
    const reset = tcp('EI/APD', 'EI/APD', 'reset');
    expect(reset?.probability).toBe(1);
    expect(reset?.packets).toBeGreaterThan(silent!.packets);
  });

  test('hosts that do not dial yet refuse: the second dials cross', () => {
    expect(prospect(homes({}, {}), 'tcp-simultaneous-open')).toMatchObject({ probability: 1, packets: 8 });
  });

  test('one NAT that does not support it is no obstacle, two are', () => {
    const nat = kind('EI/APD', { tcp: { simultaneousOpen: false, unsolicitedSyn: 'drop' } });
    expect(prospect(homes({ nat }, { nat: kind('EI/APD') }), 'tcp-simultaneous-open')?.probability).toBe(1);
    expect(prospect(homes({ nat }, { nat }), 'tcp-simultaneous-open')).toBeUndefined();
  });
});

function mark({ best }: Forecast): string {
  const marks: Readonly<Record<string, string>> = { reflexive: 'y', spray: 's', relay: 'x' };
  return marks[best] ?? best;
}

function homesOf(a: Kind, b: Kind, options: NatSpec): Forecast {
  return homes({ nat: kind(a, options) }, { nat: kind(b, options) });
}
