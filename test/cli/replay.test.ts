import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { homes } from '../../src/sim.ts';
import { recordTrace } from '../../src/trace/index.ts';
import { SALLYPORT_VERSION } from '../../src/trace/version.ts';
import { errorCode, run } from './sallyport.ts';

let folder: string;
/** Of a simulated run. */
let lines: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-replay-'));
  const recorded: string[] = [];
  await recordTrace(homes({ a: 'home-router', b: 'linux' }), (line) => void recorded.push(line));
  lines = recorded;
});
afterAll(() => rm(folder, { recursive: true }));

/** The path of a file with this text. */
async function file(name: string, text: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

describe('sallyport replay', () => {
  it('says that a run goes as it went, and ends with 0', async () => {
    const { code, stdout, stderr } = await run(['replay', await file('same.jsonl', `${lines.join('\n')}\n`)]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      new RegExp(`^same: ${lines.length - 2} records of a simulated run, recorded by sallyport \\d`),
    );
  });

  it('says where a run differs, what was expected and what came, and ends with 1', async () => {
    const at = lines.findIndex((line) => line.includes('"session.established"'));
    const changed = lines[at]!.replace('"relayed"', '"direct"');
    const path = await file('changed.jsonl', lines.with(at, changed).join('\n'));
    const { code, stdout } = await run(['replay', path]);
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^differs at line ${at + 1}, after ${at - 1} records`));
    expect(stdout).toContain(`  expected  ${changed}\n  got       ${lines[at]}\n`);
    expect(stdout).not.toContain('versions');
  });

  it('names both versions where a trace of another one differs', async () => {
    const [header, ...records] = lines.slice(0, -1);
    const other = header!.replace(`"sallyport":"${SALLYPORT_VERSION}"`, '"sallyport":"0.0.9"');
    const path = await file('other.jsonl', [other, ...records].join('\n'));
    const { code, stdout } = await run(['replay', path]);
    expect(code).toBe(1);
    expect(stdout).toContain(`\n  versions  recorded by sallyport 0.0.9, replayed by sallyport ${SALLYPORT_VERSION}\n`);
    const { events } = await run(['replay', path, '--json']);
    expect(events).toMatchObject([{ event: 'replayed', sallyport: '0.0.9', replayedBy: SALLYPORT_VERSION }]);
  });

  it('tells the same as one event with --json', async () => {
    const cut = await file('cut.jsonl', lines.slice(0, -1).join('\n'));
    const { code, events } = await run(['replay', cut, '--json']);
    expect(code).toBe(1);
    expect(events).toEqual([
      {
        event: 'replayed',
        t: expect.any(Number),
        same: false,
        world: 'simulated',
        sallyport: SALLYPORT_VERSION,
        replayedBy: SALLYPORT_VERSION,
        records: lines.length - 2,
        line: lines.length,
        got: lines.at(-1),
      },
    ]);
    expect((await run(['replay', cut])).stdout).toContain('  expected  nothing: the trace ends here\n');
  });

  it.each([
    [
      'a line that was cut',
      () => lines.with(30, lines[30]!.slice(0, 30)).join('\n'),
      'ERR_USAGE',
      /line 31 of the trace/,
    ],
    ['a later version', () => lines[0]!.replace('"version":1', '"version":2'), 'ERR_VERSION', /version 2/],
    ['what is no trace', () => Buffer.from([0xff, 0xfe, 0x00, 0x0a]), 'ERR_USAGE', /line 1 of the trace/],
  ])('refuses %s with 2', async (name, text, wanted, message) => {
    const end = await run(['replay', await file(`${name}.jsonl`, text()), '--json']);
    expect([end.code, errorCode(end)]).toEqual([2, wanted]);
    expect(end.stdout).toMatch(message);
  });

  it.each([
    ['that is not there', '/nowhere/x.jsonl'],
    ['that is a folder', '/'],
  ])('refuses a file %s with 2', async (_, path) => {
    const end = await run(['replay', path, '--json']);
    expect([end.code, errorCode(end)]).toEqual([2, 'ERR_USAGE']);
  });
});
