import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Dependence, type NatBehavior, unknownBehavior } from '../../src/core/nat-behavior.ts';
import { anySide, bothSides, type Evidence, evidence, mySide, not, theirSide } from '../../src/flows/evidence.ts';
import { facts } from './scripted.ts';

const pattern = { mapping: 'address-and-port-dependent' } as const;
const hard: NatBehavior = { ...unknownBehavior, mapping: 'address-and-port-dependent' };
const easy: NatBehavior = { ...unknownBehavior, mapping: 'endpoint-independent' };
const holds = ({ test }: Evidence, mine: NatBehavior, theirs: NatBehavior) =>
  test({ ...facts, behaviors: { mine, theirs } });

describe('evidence', () => {
  test.for<[Evidence, string, boolean[]]>([
    [anySide(pattern), 'any side: address-and-port-dependent mapping', [true, true, true, false, false]],
    [bothSides(pattern), 'both sides: address-and-port-dependent mapping', [true, false, false, false, false]],
    [mySide(pattern), 'my side: address-and-port-dependent mapping', [true, true, false, false, false]],
    [theirSide(pattern), 'their side: address-and-port-dependent mapping', [true, false, true, false, false]],
    [not(anySide(pattern)), 'not any side: address-and-port-dependent mapping', [false, false, false, true, true]],
  ])('$1', ([asked, name, answers]) => {
    expect(asked.name).toBe(name);
    const pairs: readonly [NatBehavior, NatBehavior][] = [
      [hard, hard],
      [hard, easy],
      [easy, hard],
      [easy, easy],
      [unknownBehavior, unknownBehavior],
    ];
    expect(pairs.map(([mine, theirs]) => holds(asked, mine, theirs))).toEqual(answers);
  });

  test('asks for all that the pattern names, of one side', () => {
    const asked = anySide({
      mapping: 'endpoint-independent',
      filtering: 'address-dependent',
      translated: true,
      portPreservation: false,
    });
    expect(asked.name).toBe(
      'any side: endpoint-independent mapping and address-dependent filtering and translated and port not preserved',
    );
    const all: NatBehavior = { ...easy, filtering: 'address-dependent', translated: true, portPreservation: false };
    expect(holds(asked, all, unknownBehavior)).toBe(true);
    expect(holds(asked, { ...all, translated: 'unknown' }, unknownBehavior)).toBe(false);
    expect(holds(asked, { ...all, translated: false }, { ...unknownBehavior, translated: true })).toBe(false);
  });

  test('never takes what is unknown for a value', () => {
    const values = <T>(...of: T[]) => fc.option(fc.constantFrom(...of), { nil: undefined });
    const dependence = values<Exclude<Dependence, 'unknown'>>(
      'endpoint-independent',
      'address-dependent',
      'address-and-port-dependent',
    );
    const patterns = fc
      .record({
        mapping: dependence,
        filtering: dependence,
        translated: values(true, false),
        portPreservation: values(true, false),
      })
      .map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)))
      .filter((some) => Object.keys(some).length > 0);
    fc.assert(
      fc.property(patterns, (some) => {
        for (const asked of [anySide(some), bothSides(some), mySide(some), theirSide(some)])
          expect(holds(asked, unknownBehavior, unknownBehavior)).toBe(false);
      }),
    );
  });

  test('may be a question of one’s own', () => {
    const asked = evidence('they told no candidates', ({ remote }) => remote.length === 0);
    expect(asked.test(facts)).toBe(true);
  });
});
