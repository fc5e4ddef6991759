/** `npm run model`: what cannot be in the tests, as it takes minutes. See CONTRIBUTING.md. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chartsOf, coverage, propertyTest, testPath } from '../../src/testing/index.ts';
import { expeditions, flows } from './campaign.ts';
import { pairs } from './pairs.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    svg: { type: 'string' },
    json: { type: 'string' },
    only: { type: 'string' },
  },
});

const [command = 'coverage'] = positionals;
if (command === 'coverage') await cover();
else if (command === 'random') await randomSequences(Number(values.runs), Number(values.seed));
else throw new Error(`there is no ${command}: coverage, random`);

/** All expeditions, and which parts of the charts they have reached. */
async function cover(): Promise<void> {
  const collector = coverage(chartsOf(flows.default));
  let failed = 0;
  for (const { title, model, driver, paths } of expeditions()) {
    if (values.only !== undefined && !title.includes(values.only)) continue;
    const startedAt = performance.now();
    for (const path of paths) {
      try {
        await testPath(model, driver, path, { inspect: collector.inspect });
      } catch (error) {
        failed++;
        console.log(`${title}: ${path.description}\n${String(error)}`);
      }
    }
    console.log(`${title}: ${paths.length} paths, ${seconds(startedAt)}`);
  }
  const report = collector.report();
  console.log(`\n${report.text()}`);
  if (values.svg !== undefined) writeFileSync(values.svg, report.svg());
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(report.json()));
  if (failed > 0 || report.missing.length > 0) process.exitCode = 1;
}

/** Random sequences, the same number for each pair. */
async function randomSequences(runs: number, seed: number): Promise<void> {
  const all = pairs();
  const startedAt = performance.now();
  for (const { title, model, driver } of all) {
    const begunAt = performance.now();
    const report = await propertyTest({ model, driver, runs: Math.ceil(runs / all.length), seed });
    console.log(`${title}: ${report.runs} sequences, ${seconds(begunAt)}`);
  }
  console.log(`${runs} sequences without a broken invariant, ${seconds(startedAt)}`);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1_000).toFixed(1)} s`;
}
