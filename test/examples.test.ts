import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

/** Each example runs alone, ends by itself with exit code 0, complains of nothing, and prints these lines among others. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'manual.ts': ['echo: hello', 'path: direct, udp'],
  'simulated-pair.ts': ['echo: hello', 'path: direct, udp, to 203.0.113.2:39958, 640 ms of virtual time'],
  'two-peers.ts': ['echo: hello', 'path: direct, udp'],
  'tcp-echo.ts': ['client: the echo said "hello; I am Grace; goodbye; "'],
  'udp-echo.ts': ['client: the echo said "hello from Ada"', 'client: the echo said "goodbye from Edsger"'],
};

/** These ask the gateway of whatever network they run on, so they run in the laboratory alone (test/lab). */
const IN_LAB = ['map-port.ts', 'mapped-tcp-echo.ts'];

const folder = fileURLToPath(new URL('../examples/', import.meta.url));
const run = promisify(execFile);

describe('examples', () => {
  const examples = readdirSync(folder).filter((file) => file.endsWith('.ts'));

  it('are all listed here', () => {
    expect(examples.sort()).toEqual([...Object.keys(EXPECTED), ...IN_LAB].sort());
  });

  it.each(Object.keys(EXPECTED))(
    '%s',
    async (example) => {
      const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', folder + example], {
        timeout: 60_000,
      });
      expect(stderr).toBe('');
      for (const line of EXPECTED[example] ?? []) expect(stdout.split('\n')).toContain(line);
    },
    60_000,
  );
});
