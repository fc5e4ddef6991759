import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dependence, type NatBehavior, unknownBehavior } from '../../src/core/nat-behavior.ts';
import type { Random } from '../../src/core/random.ts';
import type { Facts } from '../../src/core/strategy.ts';
import {
  adviseRaces,
  createScores,
  defineStrategy,
  race,
  type ScoredRun,
  type Scores,
  type Step,
  sequence,
} from '../../src/flows/index.ts';
import { seededRandom } from '../../src/sim/index.ts';

type Behaviors = Facts['behaviors'];

const EI = 'endpoint-independent';
const APD = 'address-and-port-dependent';
const nat = (mapping: Dependence, filtering: Dependence): NatBehavior => ({ ...unknownBehavior, mapping, filtering });
const hard: Behaviors = { mine: nat(APD, APD), theirs: nat(EI, APD) };

const dependence = fc.constantFrom<Dependence>(EI, 'address-dependent', APD);
const side = fc
  .record({ mapping: dependence, filtering: fc.oneof(dependence, fc.constant('unknown' as const)) })
  .map((known) => nat(known.mapping, known.filtering));
const pair: fc.Arbitrary<Behaviors> = fc.record({ mine: side, theirs: side });
const run: fc.Arbitrary<ScoredRun> = fc.record({
  outcome: fc.constantFrom('won', 'failed', 'abandoned'),
  ms: fc.nat(20_000),
  packets: fc.nat(2_000),
});
const scores: fc.Arbitrary<Scores> = fc
  .array(fc.tuple(pair, fc.constantFrom('checks', 'predict', 'spray'), run), { maxLength: 20 })
  .map((notes) => {
    const table = createScores();
    for (const note of notes) table.note(...note);
    return table;
  });

function times(count: number, table: Scores, strategy: string, what: ScoredRun, behaviors = hard): void {
  for (let i = 0; i < count; i++) table.note(behaviors, strategy, what);
}

const won = (ms: number, packets = 10): ScoredRun => ({ outcome: 'won', ms, packets });
const failed = (packets: number): ScoredRun => ({ outcome: 'failed', ms: 3_000, packets });

describe('scores', () => {
  it('add up what runs came to, for each pair of behaviours', () => {
    const table = createScores();
    table.note(hard, 'spray', won(300, 500));
    table.note(hard, 'spray', failed(1_280));
    table.note(hard, 'spray', { outcome: 'abandoned', ms: 100, packets: 90 });
    table.note({ mine: hard.theirs, theirs: hard.mine }, 'spray', won(200));
    expect(table.of(hard, 'spray')).toEqual({ tries: 2, wins: 1, ms: 300, packets: 1_870 });
    expect(table.of(hard, 'checks')).toBeUndefined();
  });

  it.each<[string, Behaviors]>([
    ['our mapping', { ...hard, mine: nat('unknown', EI) }],
    ['their mapping', { ...hard, theirs: nat('unknown', EI) }],
  ])('do not count where %s is unknown', (_, behaviors) => {
    const table = createScores();
    table.note(behaviors, 'checks', won(100));
    expect(table.of(behaviors, 'checks')).toBeUndefined();
    expect(table.toJSON()).toEqual({ version: 1, pairs: {} });
  });

  it('count where nobody tested the filtering, apart from where somebody did', () => {
    const table = createScores();
    const untested = { ...hard, mine: nat(APD, 'unknown') };
    table.note(untested, 'checks', won(100));
    expect(table.of(untested, 'checks')).toMatchObject({ wins: 1 });
    expect(table.of(hard, 'checks')).toBeUndefined();
  });

  it('come back from their JSON', () => {
    fc.assert(
      fc.property(scores, (table) => {
        expect(createScores(JSON.parse(JSON.stringify(table))).toJSON()).toEqual(table.toJSON());
      }),
    );
  });

  it('merge in any order, and in any grouping, to the same text', () => {
    const text = (table: Scores): string => JSON.stringify(table);
    fc.assert(
      fc.property(scores, scores, scores, (a, b, c) => {
        expect(text(a.merge(b))).toBe(text(b.merge(a)));
        expect(text(a.merge(b).merge(c))).toBe(text(a.merge(b.merge(c))));
        expect(text(a.merge(createScores()))).toBe(text(a));
      }),
    );
  });

  it('merge to others, and stay as they were', () => {
    const [a, b] = [createScores(), createScores()];
    a.note(hard, 'checks', won(100));
    b.note(hard, 'checks', failed(7));
    expect(a.merge(b).of(hard, 'checks')).toEqual({ tries: 2, wins: 1, ms: 100, packets: 17 });
    expect(a.of(hard, 'checks')).toEqual({ tries: 1, wins: 1, ms: 100, packets: 10 });
  });

  it('stop at what JSON can tell exactly', () => {
    const most = Number.MAX_SAFE_INTEGER;
    const json = { version: 1, pairs: { [PAIR]: { spray: { tries: most, wins: 1, ms: 1, packets: most } } } };
    expect(createScores(json).merge(createScores(json)).of(hard, 'spray')).toEqual({
      tries: most,
      wins: 2,
      ms: 2,
      packets: most,
    });
  });

  const score = { tries: 2, wins: 1, ms: 10, packets: 3 };
  const of = (strategies: unknown): unknown => ({ version: 1, pairs: { [PAIR]: strategies } });
  it.each<[string, unknown, string]>([
    ['no object', 'scores', "scores: 'scores' is not an object"],
    ['a list', [], 'scores: an array is not an object'],
    ['another version', { version: 2, pairs: {} }, 'scores.version: 2 is none that is known: 1'],
    ['a field more', { version: 1, pairs: {}, color: 1 }, "scores: 'color' is none of its fields: version, pairs"],
    ['no pairs', { version: 1 }, 'scores.pairs: undefined is not an object'],
    ['no pair', { version: 1, pairs: { home: {} } }, "scores.pairs: 'home' does not match"],
    ['an unknown mapping', { version: 1, pairs: { [PAIR.replace(EI, 'unknown')]: {} } }, 'scores.pairs: '],
    ['no strategy', of({ 'A B': score }), `scores.pairs['${PAIR}']: 'A B' does not match`],
    [
      'an own prototype',
      JSON.parse(`{"version":1,"pairs":{"${PAIR}":{"__proto__":{}}}}`),
      "'__proto__' does not match",
    ],
    ['no score', of({ spray: 7 }), `scores.pairs['${PAIR}']['spray']: 7 is not an object`],
    [
      'a number missing',
      of({ spray: { tries: 1, wins: 1, ms: 1 } }),
      "['spray'].packets: undefined is no whole number",
    ],
    ['a fraction', of({ spray: { ...score, ms: 0.5 } }), "['spray'].ms: 0.5 is no whole number"],
    ['a negative number', of({ spray: { ...score, packets: -1 } }), "['spray'].packets: -1 is no whole number"],
    ['more wins than tries', of({ spray: { ...score, wins: 3 } }), "['spray'].wins: 3 of 2 tries"],
  ])('refuse JSON with %s, and name the field', (_, json, message) => {
    expect(() => createScores(json)).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(message) }),
    );
  });

  it.each<[string, string, object]>([
    ['scores.note: ms: NaN is no time', 'spray', { ms: Number.NaN }],
    ['scores.note: ms: -1 is no time', 'spray', { ms: -1 }],
    ['scores.note: packets: -5 is no whole number from 0 to 9007199254740991', 'spray', { packets: -5 }],
    ["scores.note: outcome: 'wn' is none of won, failed, abandoned", 'spray', { outcome: 'wn' }],
    ["scores.note: 'Bad Name' is no name of a strategy", 'Bad Name', {}],
  ])('note nothing that could not be read again: %s', (message, strategy, wrong) => {
    const table = createScores();
    const note = () => table.note(hard, strategy, { ...won(100), ...wrong });
    expect(note).toThrow(expect.objectContaining({ code: 'ERR_USAGE', message }));
    expect(table.toJSON()).toEqual({ version: 1, pairs: {} });
  });

  it('know no behaviours but those of RFC 4787', () => {
    const behaviors = { ...hard, mine: nat('symmetric' as never, APD) };
    expect(() => createScores().note(behaviors, 'spray', won(1))).toThrow(/^scores: behaviors: 'symmetric\//);
  });

  it('merge with scores only', () => {
    for (const [other, what] of [
      [createScores().toJSON(), 'an object'],
      [undefined, 'undefined'],
    ] as const) {
      expect(() => createScores().merge(other as never)).toThrow(
        expect.objectContaining({
          code: 'ERR_USAGE',
          message: `scores.merge: ${what} is no scores; use createScores(json)?`,
        }),
      );
    }
  });
});

describe('what scores advise', () => {
  const strategy = (name: string): Step<'direct'> =>
    defineStrategy({
      name,
      gives: 'direct',
      bounds: { time: 3_000, packets: 1_300, sockets: 1 },
      run: async () => ({ ok: false, reason: 'none' }),
    });
  const [checks, predict, spray] = [strategy('checks'), strategy('predict'), strategy('spray')];
  const three = race([checks, predict, spray]);
  const random = (): Random => seededRandom(1);

  it('is nothing where nothing is known', () => {
    const table = createScores();
    table.note({ ...hard, mine: hard.theirs }, 'checks', won(100));
    table.note(hard, 'another', won(100));
    expect(adviseRaces(table, three, hard, random())).toEqual({});
    expect(adviseRaces(table, three, { ...hard, mine: unknownBehavior }, random())).toEqual({});
  });

  it('puts what wins soon before what nobody knows, and that before what fails', () => {
    const table = createScores();
    times(4, table, 'spray', won(200));
    times(4, table, 'checks', failed(0));
    const { ranks, leftOut } = adviseRaces(table, three, hard, random());
    expect(inOrder(ranks!)).toEqual(['spray', 'predict', 'checks']);
    expect(leftOut).toEqual([]);
  });

  it('puts what wins sooner, or more often, first', () => {
    const table = createScores();
    times(4, table, 'checks', won(900));
    times(4, table, 'predict', won(300));
    times(4, table, 'spray', won(300));
    times(12, table, 'spray', failed(10));
    expect(inOrder(adviseRaces(table, three, hard, random()).ranks!)).toEqual(['predict', 'checks', 'spray']);
  });

  it('is the same for the same scores, however they came about', () => {
    fc.assert(
      fc.property(scores, scores, pair, (a, b, behaviors) => {
        const advice = (table: Scores) => adviseRaces(table, three, behaviors, random());
        expect(advice(a.merge(b))).toEqual(advice(b.merge(a)));
      }),
    );
  });

  it('leaves out what costs more packets than its wins are worth', () => {
    const table = createScores();
    times(4, table, 'spray', failed(1_280));
    expect(adviseRaces(table, three, hard, random()).leftOut).toEqual([]); // too few tries
    times(1, table, 'spray', failed(1_280));
    expect(adviseRaces(table, three, hard, random()).leftOut).toEqual(['spray']);
    times(2, table, 'spray', won(300, 300));
    expect(adviseRaces(table, three, hard, random()).leftOut).toEqual([]); // 3,500 for each win
  });

  it('tries it again one time in twenty, by the chance that is given', () => {
    const table = createScores();
    times(10, table, 'spray', failed(1_280));
    const chance = seededRandom(7);
    const outs = Array.from({ length: 2_000 }, () => adviseRaces(table, three, hard, chance).leftOut!.length);
    const tried = outs.filter((out) => out === 0).length;
    expect(tried).toBeGreaterThan(60);
    expect(tried).toBeLessThan(140);
    const again = seededRandom(7);
    expect(Array.from({ length: 2_000 }, () => adviseRaces(table, three, hard, again).leftOut!.length)).toEqual(outs);
  });

  it('never leaves out all of a race', () => {
    const table = createScores();
    for (const name of ['checks', 'predict', 'spray']) times(10, table, name, failed(1_280));
    times(1, table, 'predict', won(300));
    const never: Random = { bytes: (length) => new Uint8Array(length).fill(1) };
    expect(adviseRaces(table, three, hard, never).leftOut).toEqual(['checks', 'spray']);
    expect(adviseRaces(table, sequence([race([checks]), race([spray])]), hard, never).leftOut).toEqual([]);
    // The inner race does not run at all.
    expect(adviseRaces(table, race([predict, race([checks, spray])]), hard, never).leftOut).toEqual([
      'checks',
      'spray',
    ]);
    expect(adviseRaces(table, race([checks, race([predict, spray])]), hard, never).leftOut).toEqual([
      'checks',
      'spray',
    ]);
  });
});

function inOrder(ranks: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(ranks)
    .sort(([, a], [, b]) => a - b)
    .map(([name]) => name);
}

const PAIR = `${APD}/${APD} x ${EI}/${APD}`;
