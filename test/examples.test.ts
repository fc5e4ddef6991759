import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { guideBlocks } from './guides/guide.ts';

/** Each example runs alone, ends by itself with exit code 0, complains of nothing, and prints these lines among others. */
const EXPECTED: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  'custom-adapter/main.ts': ['candidates: host, mapped, host, host', 'still open in the router: 0'],
  'custom-strategy.ts': [/^path: direct, by knock, after \d+ ms of virtual time$/],
  'default-flow.ts': [
    'the default flow: yes; findings of lint: 0',
    'path: relayed, by relay',
    'path: direct, by predict',
  ],
  'direct-only.ts': [
    /^two home routers: direct after \d+ ms of virtual time$/,
    'two NATs with another port for each destination: failed',
    "  advice: this side's NAT gives each destination another port; a port mapping on its router would help",
  ],
  'lan-first.ts': [/^in one home: direct to 192\.168\.1\.\d+:\d+ \(host\)/, /^in two homes: direct to .* \(srflx\)/],
  'manual.ts': ['echo: hello', 'path: direct, udp'],
  'model-based.ts': guideBlocks('testing-with-the-model', 'text').flatMap((output) => output.split('\n')),
  'simulated-pair.ts': ['echo: hello', 'path: direct, udp, to 203.0.113.2:39958, 640 ms of virtual time'],
  'three-worlds/main.ts': [
    'simulated internet: direct over udp, by checks',
    'loopback: direct over udp, by checks',
    /^kernel namespaces: (direct over udp, by checks|.*(Linux|root|iproute2).*)$/,
  ],
  'two-peers.ts': ['echo: hello', 'path: direct, udp'],
  'tcp-echo.ts': ['client: the echo said "hello; I am Grace; goodbye; "'],
  'udp-echo.ts': ['client: the echo said "hello from Ada"', 'client: the echo said "goodbye from Edsger"'],
  'watched.ts': [/^page: http:\/\/127\.0\.0\.1:\d+\/\?token=/, 'echo: hello', 'path: direct, udp'],
  'upnp-then-tcp.ts': [/^with UPnP: direct over tcp, by checks/, /^without: direct over tcp, by tcp-simultaneous-open/],
};

/** These ask the gateway of whatever network they run on, so they run in the laboratory alone (test/lab). */
const IN_LAB = ['map-port.ts', 'mapped-tcp-echo.ts'];

const folder = resolve(import.meta.dirname, '../examples');
const run = promisify(execFile);

describe('examples', () => {
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  /** A file, or the `main.ts` of a folder. */
  const examples = all.filter((file) => !file.includes('/') || file.endsWith('/main.ts'));

  it('are all listed here', () => {
    const listed = [...Object.keys(EXPECTED), ...IN_LAB, 'vitest.config.ts'];
    expect(examples.sort()).toEqual(listed.sort());
  });

  it.each(Object.keys(EXPECTED))(
    '%s',
    async (example) => {
      const args = ['--import', 'tsx', join(folder, example)];
      const { stdout, stderr } = await run(process.execPath, args, { timeout: 120_000 });
      expect(stderr).toBe('');
      for (const line of EXPECTED[example] ?? [])
        expect(stdout.split('\n')).toContainEqual(typeof line === 'string' ? line : expect.stringMatching(line));
    },
    120_000,
  );

  it('that are tests pass', async () => {
    const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')));
    const env = { ...process.env, NO_COLOR: '1' };
    const { stdout } = await run(process.execPath, [vitest, 'run', '--root', folder], { timeout: 120_000, env });
    // All but the one that the example skips to show how: what fails ends Vitest with another code than 0.
    expect(stdout).toMatch(/Tests +[1-9]\d* passed \| 1 skipped \(/);
  }, 120_000);
});
