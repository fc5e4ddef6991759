import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('closed peers leave nothing that keeps a process alive, and no rejection unhandled', async () => {
  const script = fileURLToPath(new URL('fixtures/connect-and-close.ts', import.meta.url));
  const child = promisify(execFile)(process.execPath, ['--import', 'tsx', script], { timeout: 15_000 });
  expect(await child).toEqual({ stdout: 'hello\nall closed\n', stderr: '' });
});
