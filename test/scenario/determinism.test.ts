import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { homes, runScenario } from '../../src/scenario/index.ts';
import { drawn } from './drawn.ts';
import { GOLDEN, type GoldenTrace, goldenTraces } from './golden-traces.ts';
import { digestOf, firstDifference, wholeTrace } from './whole-trace.ts';

/** Fifty of the thousand seeds that `npx tsx bench/determinism.ts` tries. */
const SEEDS = 50;
const AT_ONCE = 10;
const BLOCKS = Array.from({ length: SEEDS / AT_ONCE }, (_, i) => 1 + i * AT_ONCE);
const PATIENCE = 120_000;

const committed: readonly GoldenTrace[] = JSON.parse(
  readFileSync(new URL('../vectors/simulation/traces.json', import.meta.url), 'utf8'),
);

describe('a scenario', () => {
  it.each(BLOCKS)(
    `runs the same way twice, packet by packet and state by state: ${AT_ONCE} seeds from %i on`,
    async (first) => {
      for (let seed = first; seed < first + AT_ONCE; seed++) {
        const [one, other] = [await wholeTrace(drawn(seed)), await wholeTrace(drawn(seed))];
        expect(one.lines.length).toBeGreaterThan(300);
        expect(firstDifference(one, other), `seed ${seed}`).toBeUndefined();
        expect(JSON.stringify(other.outcome)).toBe(JSON.stringify(one.outcome));
        expect(one.outcome.leftOver, `seed ${seed}`).toEqual({ timers: 0, sockets: 0 });
      }
    },
    PATIENCE,
  );

  it('runs another way with another seed', async () => {
    const link = { latency: 20, jitter: 5 };
    const [one, other] = [1, 2].map((seed) => homes({ a: 'linux', b: 'hotel-wifi', link, seed }));
    expect(firstDifference(await wholeTrace(one!), await wholeTrace(other!))).toMatch(/^line \d+: /);
  });

  it('is not changed by what others do in the same process meanwhile', async () => {
    const alone = await wholeTrace(drawn(3));
    const [together] = await Promise.all([wholeTrace(drawn(3)), wholeTrace(drawn(4)), wholeTrace(drawn(5))]);
    expect(firstDifference(alone, together)).toBeUndefined();
  });

  it('is not changed by timers, promises, the thread pool and garbage of the same process', async () => {
    const alone = await wholeTrace(drawn(6));
    const readItself = promisify(execFile)(process.execPath, ['--version']);
    let turns = 0;
    const disturbance = setInterval(() => {
      turns++;
      let garbage: unknown[] = [];
      for (let i = 0; i < 10_000; i++) garbage = [garbage.length, { i }];
      void Promise.resolve(garbage).then((kept) => process.nextTick(() => setImmediate(() => kept)));
    }, 1);
    const disturbed = await wholeTrace(drawn(6)).finally(() => clearInterval(disturbance));
    await readItself;
    expect(turns).toBeGreaterThan(0);
    expect(firstDifference(alone, disturbed)).toBeUndefined();
  });

  it('is not changed by being watched', async () => {
    const { outcome } = await wholeTrace(drawn(6));
    expect(JSON.stringify(await runScenario(drawn(6)))).toBe(JSON.stringify(outcome));
  });
});

/** Where the change of a trace was meant, the committed digests are made again, by the command in golden-traces.ts. */
describe('the committed digests of traces', () => {
  it(
    'are those of this process',
    async () => {
      expect(committed.map(({ name }) => name)).toEqual(GOLDEN.map(({ name }) => name));
      expect(await goldenTraces()).toEqual(committed);
    },
    PATIENCE,
  );

  it(
    'are those of another process, in another place, time zone and language, with code that is never optimised',
    async () => {
      const script = fileURLToPath(new URL('golden-traces.ts', import.meta.url));
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--no-opt', '--import', import.meta.resolve('tsx'), script],
        { cwd: tmpdir(), env: { ...process.env, TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' } },
      );
      expect(JSON.parse(stdout)).toEqual(committed);
    },
    PATIENCE,
  );

  it('notice a byte', async () => {
    const trace = await wholeTrace(GOLDEN[0]!.scenario);
    const [first, ...rest] = trace.lines;
    expect(digestOf({ ...trace, lines: [`${first} `, ...rest] })).not.toBe(digestOf(trace));
    expect(digestOf(trace)).toBe(committed[0]!.digest);
  });
});
