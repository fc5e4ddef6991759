import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** The examples of docs/compliance.md are tests of the package, which import it by its name there. */
const EXAMPLES = [
  'test/adapters/node/network-compliance.test.ts',
  'test/adapters/session/quic.test.ts',
  'test/adapters/signaling/websocket-compliance.test.ts',
  'test/adapters/port-mapper/simulated-compliance.test.ts',
];

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

it('docs/compliance.md shows tests of the package as they are', () => {
  const blocks = [...read('docs/compliance.md').matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code]) => code);
  expect(blocks).toEqual(EXAMPLES.map((file) => read(file).replace(/'(?:\.\.\/)+(src\/[^']+)'/g, byName)));
});

it('docs/compliance.md names every suite', () => {
  const exported = [...read('src/testing/compliance/index.ts').matchAll(/\w+Compliance\b/g)].map(([name]) => name);
  const named = new Set([...read('docs/compliance.md').matchAll(/^\| `(\w+Compliance)`/gm)].map(([, name]) => name));
  expect(exported.length).toBeGreaterThan(4);
  expect([...named].sort()).toEqual(exported.sort());
});

/** The subpath by which users import a file. */
function byName(_: string, file: string): string {
  const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, { default: string }> };
  const built = file.replace(/^src(.*)\.ts$/, './dist$1.js');
  const subpath = Object.keys(exports).find((key) => exports[key]?.default === built);
  if (subpath === undefined) throw new Error(`users cannot import ${file}`);
  return `'sallyport${subpath.slice(1)}'`;
}
