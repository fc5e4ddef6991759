import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('a process whose connections ended in every stage ends by itself, and holds nothing then', async () => {
  const script = fileURLToPath(new URL('fixtures/every-stage.ts', import.meta.url));
  const child = promisify(execFile)(process.execPath, ['--import', 'tsx', script], { timeout: 110_000 });
  const { stdout, stderr } = await child;
  expect(stderr).toBe('');
  const { late, files, resources } = JSON.parse(stdout) as { late: number; files: number; resources: string[] };
  expect(files).toBe(0);
  // What the process was started with: its standard streams.
  expect(resources.filter((resource) => resource !== 'PipeWrap')).toEqual([]);
  // A server that does not confirm the end of its connection is waited for for a second.
  expect(late).toBeLessThan(1_500);
}, 120_000);
