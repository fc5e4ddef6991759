import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('leaves nothing behind that keeps a process alive', async () => {
  const script = fileURLToPath(new URL('fixtures/open-and-close.ts', import.meta.url));
  const child = promisify(execFile)(process.execPath, ['--import', 'tsx', script], { timeout: 15_000 });
  expect(await child).toEqual({ stdout: 'all closed\n', stderr: '' });
});
