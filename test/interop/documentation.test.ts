import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** What the package's entries are in the source. */
const ENTRIES: Readonly<Record<string, string>> = {
  'sallyport/testing': './src/testing/index.ts',
  'sallyport/node': './src/node.ts',
};

it('the example of docs/testing.md runs and ends by itself', async () => {
  const [, example = ''] =
    /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync(resolve(root, 'docs/testing.md'), 'utf8')) ?? [];
  const source = example.replace(/'(sallyport\/\w+)'/g, (_, entry: string) => `'${ENTRIES[entry]}'`);
  const args = ['--import', 'tsx', '--input-type=module', '--eval', source];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 15_000 });
  expect({ stdout, stderr }).toEqual({ stdout: 'werift received: hello, werift\n', stderr: '' });
});
