import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

/** What the process held after so many connections. */
interface Sample {
  readonly kind: 'established' | 'failed';
  readonly after: 100 | 300;
  readonly actors: number;
  readonly sessions: number;
  readonly subscribers: number;
  /** All objects that JavaScript knows of. */
  readonly objects: number;
  /** Bytes; the code that the engine compiles meanwhile is in it. */
  readonly heap: number;
  readonly files: number;
  /** The server's clients, registrations and sessions. */
  readonly server: readonly number[];
  /** What each of the two peers held of its environment; its timers come and go with what it asks about its network. */
  readonly held: readonly (readonly string[])[];
}

let samples: readonly Sample[];
beforeAll(async () => {
  const script = fileURLToPath(new URL('fixtures/many-connections.ts', import.meta.url));
  const args = ['--disable-warning=ExperimentalWarning', '--import', 'tsx', script];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  expect(stderr).toBe('');
  samples = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Sample);
}, 240_000);

describe.each(['established', 'failed'] as const)('200 more connections that %s', (kind) => {
  const sample = (after: number): Sample => samples.find((one) => one.kind === kind && one.after === after)!;

  it('hold no socket, file, carrier, session, subscription or actor', () => {
    const { heap: _, objects: __, after: ___, ...early } = sample(100);
    expect(sample(300)).toMatchObject(early);
    expect(early).toMatchObject({ sessions: 0, server: [1, 1, 0] });
  });

  it('leave less than one object each', () => {
    expect(sample(300).objects - sample(100).objects).toBeLessThan(200);
  });

  it('leave the heap within 2 MiB of what it was', () => {
    expect(sample(300).heap - sample(100).heap).toBeLessThan(2 ** 21);
  });
});
