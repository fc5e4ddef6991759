/** `npm run model`: what cannot be in the tests, as it takes minutes. See CONTRIBUTING.md. */
import { parseArgs } from 'node:util';
import { chartsOf, coverage, propertyTest, testPath } from '../../src/testing/index.ts';
import { expeditions } from './campaign.ts';
import { readResults, writeDocuments, writeResults } from './coverage-files.ts';
import { flows } from './expedition.ts';
import { pairs } from './pairs.ts';
import { surprises } from './unreached.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});

const [command = 'coverage'] = positionals;
if (command === 'coverage') await cover(values.only);
else if (command === 'document') writeDocuments(readResults());
else if (command === 'random') await randomSequences(Number(values.runs), Number(values.seed));
else throw new Error(`there is no ${command}: coverage, document, random`);

/** All expeditions, and which parts of the charts they have reached; `only`: those with this in their titles, which are not noted. */
async function cover(only: string | undefined): Promise<void> {
  const collector = coverage(chartsOf(flows.default));
  const chosen = expeditions().filter(({ title }) => only === undefined || title.includes(only));
  let failed = 0;
  for (const { title, model, paths } of chosen) {
    const startedAt = performance.now();
    for (const path of paths) {
      try {
        await testPath(model, path, { inspect: collector.inspect });
      } catch (error) {
        failed++;
        console.log(`${title}: ${path.description}\n${String(error)}`);
      }
    }
    console.log(`${title}: ${paths.length} paths, ${seconds(startedAt)}`);
  }
  const report = collector.report();
  console.log(`\n${report.text()}`);
  const problems = only === undefined ? surprises(report) : [];
  for (const problem of problems) console.log(problem);
  if (failed > 0 || problems.length > 0) process.exitCode = 1;
  else if (only === undefined) {
    const paths = chosen.reduce((sum, expedition) => sum + expedition.paths.length, 0);
    writeResults({ expeditions: chosen.length, paths, ...report.json() });
    writeDocuments(readResults());
  }
}

/** Random sequences, the same number for each pair. */
async function randomSequences(runs: number, seed: number): Promise<void> {
  const all = pairs();
  const startedAt = performance.now();
  let failed = 0;
  for (const { title, model } of all) {
    const begunAt = performance.now();
    try {
      await propertyTest({ model, runs: Math.ceil(runs / all.length), seed });
    } catch (error) {
      failed++;
      console.log(String(error));
    }
    console.log(`${title}: ${seconds(begunAt)}`);
  }
  console.log(`${runs} sequences of seed ${seed}, ${failed} of ${all.length} pairs failed, ${seconds(startedAt)}`);
  if (failed > 0) process.exitCode = 1;
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1_000).toFixed(1)} s`;
}
