import { describe, expect, test } from 'vitest';
import type { Dependence } from '../../../src/core/nat-behavior.ts';
import { mayHaveRoles, sprayRoles } from '../../../src/protocol/spray/roles.ts';

const KINDS = ['EI/EI', 'EI/AD', 'EI/APD', 'AD/EI', 'AD/AD', 'AD/APD', 'APD/EI', 'APD/AD', 'APD/APD'] as const;

/** Where a spray can join two single NATs with strict filters, among them pairs that are joined without. */
const POSSIBLE: Readonly<Record<(typeof KINDS)[number], string>> = {
  'EI/EI': '---ssssss',
  'EI/AD': '---ssssss',
  'EI/APD': '---ssssss',
  'AD/EI': 'sssssssss',
  'AD/AD': 'sssssssss',
  'AD/APD': 'sssss----',
  'APD/EI': 'sssss----',
  'APD/AD': 'sssss----',
  'APD/APD': 'sssss----',
};

const WORDS: Readonly<Record<string, Dependence>> = {
  EI: 'endpoint-independent',
  AD: 'address-dependent',
  APD: 'address-and-port-dependent',
  '?': 'unknown',
};

function behavior(kind: string): { mapping: Dependence; filtering: Dependence } {
  const [mapping = '?', filtering = '?'] = kind.split('/');
  return { mapping: WORDS[mapping]!, filtering: WORDS[filtering]! };
}

const roles = (mine: string, theirs: string): ReturnType<typeof sprayRoles> =>
  sprayRoles(behavior(mine), behavior(theirs));

describe('roles', () => {
  test.each(KINDS)('are there where a spray can join them: %s', (mine) => {
    const row = KINDS.map((theirs) => (typeof roles(mine, theirs) === 'string' ? '-' : 's')).join('');
    expect(row).toBe(POSSIBLE[mine]);
  });

  test('are counterparts, however the two are called', () => {
    for (const mine of [...KINDS, 'AD/?', 'APD/?', 'EI/?']) {
      for (const theirs of [...KINDS, 'AD/?', 'APD/?', 'EI/?']) {
        const here = roles(mine, theirs);
        const there = roles(theirs, mine);
        if (typeof here === 'string') expect(there).toBe(here);
        else expect(there).toEqual({ opens: here.probes, probes: here.opens });
      }
    }
  });

  test.each([
    ['EI/APD', 'APD/APD', { opens: false, probes: true }],
    ['APD/APD', 'EI/APD', { opens: true, probes: false }],
    ['EI/?', 'AD/?', { opens: false, probes: true }],
    ['AD/AD', 'APD/APD', { opens: true, probes: false }],
    ['AD/?', 'APD/?', { opens: true, probes: false }],
    ['AD/EI', 'AD/APD', { opens: true, probes: false }],
    ['AD/?', 'AD/?', { opens: true, probes: true }],
    ['AD/EI', 'AD/AD', { opens: true, probes: true }],
    ['AD/?', 'AD/APD', { opens: true, probes: false }],
    ['AD/AD', 'AD/?', { opens: true, probes: false }],
  ])('of %s with %s', (mine, theirs, expected) => {
    expect(roles(mine, theirs)).toEqual(expected);
  });

  test.each([
    ['APD/APD', 'APD/APD', 'the ports of both sides depend on the destination'],
    ['AD/APD', 'APD/EI', 'the ports of both sides depend on the destination'],
    ['EI/APD', 'EI/APD', 'no port has to be guessed: both mappings are endpoint-independent'],
    ['?/?', 'APD/APD', 'it is not known what the mapping here depends on'],
    ['APD/APD', '?/EI', 'it is not known what the mapping on the other side depends on'],
  ])('are refused to %s with %s, with the reason', (mine, theirs, reason) => {
    expect(roles(mine, theirs)).toBe(reason);
  });
});

describe('as far as it is known', () => {
  test.each([
    ['EI/APD', '?/?', true],
    ['?/?', 'EI/APD', true],
    ['APD/APD', '?/?', true],
    ['AD/AD', '?/?', true],
    ['?/?', '?/?', false],
    ['EI/APD', 'APD/APD', true],
    ['EI/APD', 'EI/APD', false],
    ['APD/APD', 'APD/APD', false],
  ])('there may be roles for %s and %s: %s', (mine, theirs, expected) => {
    expect(mayHaveRoles(behavior(mine), behavior(theirs))).toBe(expected);
  });
});
