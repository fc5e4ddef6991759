import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { presets } from '../../src/sim.ts';
import { type CommandEnd, run } from './sallyport.ts';

let folder: string;
let story: CommandEnd;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-demo-'));
  story = await run(['demo', '--seed', '7', '--no-inspect']);
});
afterAll(() => rm(folder, { recursive: true }));

/** All of the steps are told, in this order. */
function expectInOrder(text: string, steps: readonly RegExp[]): void {
  const found = steps.map((step) => text.search(step));
  expect(found).not.toContain(-1);
  expect(found).toEqual([...found].sort((a, b) => a - b));
}

describe('sallyport demo', () => {
  it('tells of two homes, a relayed start, a direct path, an incident and the end', () => {
    const { code, stdout, stderr } = story;
    expect([code, stderr]).toEqual([0, '']);
    const [before, after, ...more] = stdout.split('The NAT of b-carrier forgets its mappings');
    expect(more).toEqual([]);
    expectInOrder(before!, [
      /the seed is 7/,
      /a-home +endpoint-independent mapping, address-and-port-dependent filtering\n +\(port-restricted cone\)/,
      /b-carrier +endpoint-independent mapping, endpoint-independent filtering\n +\(full cone\), random ports/,
      /120\.0 {2}b +is seen by the server at 203\.0\.113\.\d+:\d+/,
      /b +is registered with the server/,
      /a +finds its NAT to have endpoint-independent mapping, ports kept/,
      /a dials b by its ticket/,
      /2000\.0 {2}a +traversing: discover gathered/,
      /2080\.0 {2}a +sends through the relay/,
      /2080\.0 {2}a +has the session: both keys are proven/,
      /2120\.0 {2}a +sends directly, udp to 203\.0\.113\.\d+:\d+, round trip 80 ms/,
      /2160\.0 {2}a +hears its first words come back/,
      /ping 1 is back after 80 ms, direct/,
    ]);
    expectInOrder(after!, [
      /a +connected: path direct, liveness suspect/,
      /a +sends directly, udp to/,
      /ping \d+ is back after 80 ms, direct/,
      /a +closed/,
      /session 80 ms, first echo 160 ms, direct 120 ms/,
      /verdict of a +direct: connected directly over udp/,
      /checks: \d+ of \d+ pairs valid; \d+ requests, \d+ answers/,
      /verdict of b +direct/,
      /the oracle +best: mapped; can join them: .*reflexive/,
    ]);
  });

  it('prints the same text every time, byte for byte, with or without a trace, and another with another seed', async () => {
    const trace = join(folder, 'same.jsonl');
    const [again, other] = await Promise.all([
      run(['demo', '--seed', '7', '--trace', trace]),
      run(['demo', '--seed', '8', '--no-inspect']),
    ]);
    expect(again.stdout).toBe(story.stdout);
    expect(other.stdout).not.toBe(story.stdout);
  });

  it('needs no QUIC, and has no colours where it is piped', async () => {
    const main = join(folder, 'libraries.mjs');
    await writeFile(main, 'process.on("exit", () => console.error(process.report.getReport().sharedObjects.join()))');
    const env = { NODE_OPTIONS: `--import ${pathToFileURL(main)}`, NO_COLOR: '', FORCE_COLOR: '1', CI: '1' };
    const { code, stdout, stderr } = await run(['demo'], { env });
    expect(code).toBe(0);
    expect(stderr).toMatch(/libc|System|ntdll/);
    expect(stderr).not.toMatch(/quic/i);
    expect(stdout).not.toContain('\u001b');
  });

  it('lists the presets with --help, and names them where one is none', async () => {
    const { stdout } = await run(['demo', '--help']);
    for (const [name, { title }] of Object.entries(presets)) expect(stdout).toContain(`${name.padEnd(20)} ${title}`);
    const { code, stdout: nothing, stderr } = await run(['demo', '--b', 'castle']);
    expect([code, nothing]).toEqual([2, '']);
    expect(stderr).toContain(`--b: there is no preset castle; there are ${Object.keys(presets).join(', ')}`);
    expect(stderr).toContain('[ERR_USAGE]');
  });

  it.each([
    ['a seed that is no number', ['--seed', 'seven']],
    ['a seed that is too large', ['--seed', '9007199254740992']],
    ['the preset of a simulation on real sockets', ['--real', '--a', 'linux']],
    ['a trace on real sockets', ['--real', '--trace', 'x.jsonl']],
    ['a trace where none can be written', ['--trace', '/nowhere/x.jsonl']],
  ])('refuses %s', async (_, args) => {
    const { code, stderr } = await run(['demo', ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain('[ERR_USAGE]');
  });
});
