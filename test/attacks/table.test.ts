import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const tests = import.meta.dirname;
const table = readFileSync(join(tests, '../../docs/attacks.md'), 'utf8');

/** The rows of docs/attacks.md: the file that each links to, and the name of the test in it. */
const rows = [...table.matchAll(/\(\.\.\/test\/attacks\/([\w-]+\.test\.ts)\): `([^`]+)`/g)].map(([, file, name]) => ({
  file: file!,
  name: name!,
}));

/** Tests that show that the way is open without the attack. */
const NO_ATTACKS = [
  'that nobody meddles with carries the same bytes',
  'is answered when nothing about it is false',
  'is taken, as is: nothing but the key counts',
  'keeps none of them from being registered there by itself',
];

describe('docs/attacks.md', () => {
  it('names tests that there are', () => {
    expect(rows.length).toBeGreaterThan(60);
    const missing = rows.filter(({ file, name }) => !titlesIn(file).includes(name));
    expect(missing).toEqual([]);
  });

  it('names every attack that is mounted', () => {
    const named = new Set([...rows.map(({ name }) => name), ...NO_ATTACKS]);
    const files = readdirSync(tests).filter((file) => file.endsWith('.test.ts') && file !== 'table.test.ts');
    expect(files.flatMap(titlesIn).filter((title) => !named.has(title))).toEqual([]);
  });
});

/** Every test that mounts something waits for what comes of it. */
function titlesIn(file: string): string[] {
  const source = readFileSync(join(tests, file), 'utf8');
  return [...source.matchAll(/'([^'\n]+)',\s*async \(/g)].map(([, title]) => title!);
}
