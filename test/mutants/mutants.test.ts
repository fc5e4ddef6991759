import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Outcome } from './judgement.ts';
import { plant } from './mutant.ts';
import { mutants } from './mutants.ts';
import { mutantsDocument } from './mutants-document.ts';
import { Workshop } from './workshop.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(resolve(ROOT, file), 'utf8');

describe('each mutant', () => {
  test.each(mutants)('$id can be planted', (mutant) => {
    const text = read(mutant.file);
    expect(plant(mutant, text)).not.toBe(text);
  });

  test('has an id of its own', () => {
    expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length);
  });
});

describe('a mutant', () => {
  const [mutant] = mutants;

  test('cannot be planted where its place is gone', () => {
    expect(() => plant(mutant!, 'nothing')).toThrow(`${mutant!.id}: what is to be replaced stands 0 times`);
  });

  test('cannot be planted where there are two such places', () => {
    expect(() => plant(mutant!, mutant!.find + mutant!.find)).toThrow('stands 2 times');
  });
});

describe('docs/mutants.md', () => {
  const outcomes: readonly Outcome[] = JSON.parse(read('test/mutants/results.json'));

  test('says what has come of the mutants that there are', () => {
    expect(read('docs/mutants.md')).toBe(mutantsDocument(mutants, outcomes));
  });

  test('tells of every mutant, and 95 of 100 are caught', () => {
    expect(outcomes.map(({ id }) => id)).toEqual(mutants.map(({ id }) => id));
    const caught = outcomes.filter(({ caught }) => caught !== null);
    expect(caught.length / outcomes.length).toBeGreaterThan(0.95);
  });
});

describe('the judge', () => {
  const judging = { judge: ['--brief'], limit: 100 };

  test('finds nothing where there is no fault, and what is planted', { timeout: 300_000 }, async () => {
    using shop = new Workshop();
    expect(await shop.judge(judging)).toEqual({ caught: null, missing: [] });
    for (const id of ['path-not-used', 'winner-loses']) {
      const { caught } = await shop.try(mutants.find((one) => one.id === id)!, judging);
      expect(caught, id).not.toBeNull();
    }
    expect(await shop.judge(judging)).toEqual({ caught: null, missing: [] });
  });
});
