import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { plant } from './mutant.ts';
import { mutants } from './mutants.ts';

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
