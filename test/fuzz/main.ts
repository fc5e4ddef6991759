/**
 * `npm run fuzz -- [--seconds 60] [--target name].. [--seed n] [--keep]`: fuzzes all targets, or these, for so long in all. What is found
 * is shortened and written to `test/vectors/fuzz/<target>/`; `--keep` also writes there the shortest input of each outcome.
 * `npm run fuzz -- --target name --input hex` runs one input. Ends with 1 when something was found.
 */
import { createHash, randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { removeVectors, writeVectors } from './engine/corpus.ts';
import { describeFinding, type Finding, type FuzzReport, fuzz, judge } from './engine/fuzz.ts';
import { fromHex } from './engine/hex.ts';
import { shrink } from './engine/shrink.ts';
import type { Target } from './engine/target.ts';
import { codecTargets, sessionTargets, targets } from './targets/index.ts';

/** Bytes of an input that is kept for its outcome. */
const MAX_KEPT = 2048;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    target: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string' },
    input: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});

const unknown = values.target.find((name) => !targets.some((target) => target.name === name));
if (unknown !== undefined) throw new RangeError(`no target ${unknown}: ${targets.map(({ name }) => name).join(', ')}`);
const chosen = values.target.length === 0 ? targets : targets.filter(({ name }) => values.target.includes(name));

if (values.input !== undefined) await runOne(fromHex(values.input));
else await fuzzAll(values.seed === undefined ? randomInt(2 ** 47) : Number(values.seed), Number(values.seconds) * 1000);

async function runOne(input: Uint8Array): Promise<void> {
  for (const target of chosen) {
    const result = await judge(target, input);
    console.log(target.name, 'reason' in result ? result.reason : `${result.outcome}, ${result.took.toFixed(1)} ms`);
    if ('reason' in result) process.exitCode = 1;
  }
}

async function fuzzAll(seed: number, time: number): Promise<void> {
  console.log(`seed ${seed}, ${chosen.length} targets, ${time / 1000} s`);
  let inputs = 0;
  for (const target of chosen) {
    const report = await fuzz(blackBox(target), { seed, time: time / chosen.length });
    inputs += report.inputs;
    console.log(summary(report));
    for (const finding of report.findings) await keepFinding(target, finding);
    if (values.keep) keepOutcomes(target, report, seed);
  }
  console.log(`${inputs} inputs`);
}

function summary({ target, inputs, took, slowest, outcomes, findings }: FuzzReport): string {
  const each = ((took * 1000) / inputs).toFixed();
  const counts = `${outcomes.size} outcomes, ${findings.length} findings`;
  return `${target}: ${inputs} inputs of ${each} us, the slowest ${slowest.toFixed(1)} ms, ${counts}`;
}

async function keepFinding(target: Target, finding: Finding): Promise<void> {
  process.exitCode = 1;
  const input = await shrink(target, finding.input, finding.reason);
  console.log(describeFinding({ ...finding, input }));
  const comment = [
    ...finding.reason.split('\n').slice(0, 3),
    `found with seed ${finding.seed} at ${finding.iteration}`,
  ];
  writeVectors(target.name, `found-${createHash('sha256').update(input).digest('hex').slice(0, 8)}`, [
    { comment, input },
  ]);
}

/** Outcomes of decoders must stay what they are; those of engines tell how far an input got, which may change. */
function keepOutcomes(target: Target, { outcomes }: FuzzReport, seed: number): void {
  const sorted = [...outcomes].sort(([a], [b]) => (a < b ? -1 : 1)).filter(([, input]) => input.length <= MAX_KEPT);
  const comment = [`the shortest of its kind, found with seed ${seed}`];
  const vectors = sorted.map(([outcome, input]) =>
    codecTargets.includes(target) ? { comment, outcome, input } : { comment: [...comment, outcome], input },
  );
  writeVectors(target.name, 'outcomes', vectors);
}

/** Native code can end the process: the input that runs then is left in `running.hex`. */
function blackBox(target: Target): Target {
  if (!sessionTargets.includes(target)) return target;
  return {
    ...target,
    async run(input) {
      writeVectors(target.name, 'running', [{ comment: ['the process ended at this one'], input }]);
      const outcome = await target.run(input);
      removeVectors(target.name, 'running');
      return outcome;
    },
  };
}
