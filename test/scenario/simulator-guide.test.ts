import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { readScenario } from '../../src/scenario/index.ts';
import { internet, presets, readInternetPlan } from '../../src/sim/index.ts';
import { codeBlocks, withImportsByFile } from '../guides/code.ts';

const read = (file: string): string => readFileSync(resolve(import.meta.dirname, '../..', file), 'utf8');
const guide = read('docs/simulator.md');
const blocks = (language: string): readonly string[] => codeBlocks(guide, language);

it('the guide shows the example as it is', () => {
  expect(blocks('ts')).toContain(read('examples/simulated-pair.ts'));
});

it('the example ends with an error where another NAT leaves no direct path', async () => {
  const home = "world.nat('home', { filtering: 'address-dependent' })";
  const example = read('examples/simulated-pair.ts');
  expect(example).toContain(home);
  const changed = withImportsByFile(
    example.replace(home, "world.nat('home', { mapping: 'address-and-port-dependent' })"),
  );
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-example-'));
  const file = join(folder, 'simulated-pair.mts');
  writeFileSync(file, changed);
  const run = promisify(execFile)(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
    timeout: 30_000,
  });
  await expect(run.finally(() => rmSync(folder, { recursive: true }))).rejects.toMatchObject({
    code: 1,
    stdout: 'echo: hello\n',
    stderr: expect.stringContaining('ERR_TIMEOUT'),
  });
}, 60_000);

it('the guide lists the presets by their titles', () => {
  const rows = Object.entries(presets).map(([name, { title }]) => `| \`${name}\` | ${title} |`);
  expect(guide).toContain(rows.join('\n'));
});

it('the JSON of the guide is what it says', () => {
  const [plan, scenario, ...others] = blocks('json').map((block) => JSON.parse(block));
  expect(others).toEqual([]);
  expect(internet(readInternetPlan(plan)).hosts.map(({ name }) => name)).toEqual(['alice', 'meet']);
  const hosts = ['a', 'b'].map((name) => ({
    name,
    interfaces: [{ network: 'internet' }],
    services: [{ type: 'rendezvous' }],
  }));
  expect(readScenario({ ...scenario, internet: { ...scenario.internet, hosts } }).dials).toMatchObject(scenario.dials);
});

it.each([
  ['src/sim/nat/nat-spec.ts', /const NAT_FIELDS[^=]*= \[\n([\s\S]*?)\];/],
  ['src/sim/link-spec.ts', /const LINK_FIELDS[^=]*= \[\n([\s\S]*?)\];/],
  ['src/sim/gateway/gateway-spec.ts', /const GATEWAY_FIELDS[^=]*= \[([^\]]*)\]/],
  ['src/scenario/scenario-reader.ts', /const PEER_FIELDS[^=]*= \[([^\]]*)\]/],
  ['src/scenario/scenario-reader.ts', /const DIAL_FIELDS[^=]*= \[([^\]]*)\]/],
])('the guide names every field of %s', (file, list) => {
  const fields = [...(list.exec(read(file))?.[1] ?? '').matchAll(/'(\w+)'/g)].map(([, name]) => name!);
  expect(fields.length).toBeGreaterThan(4);
  expect(fields.filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
});
