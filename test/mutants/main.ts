/**
 * `npm run mutants -- [ids]`: plants each fault, or these, and sees whether the model kit finds it; writes what came of it to
 * results.json, and docs/mutants.md anew. Ends with 1 when one is not caught that should be.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Outcome } from './judgement.ts';
import { mutants } from './mutants.ts';
import { mutantsDocument } from './mutants-document.ts';
import { runMutants } from './run-mutants.ts';

const RESULTS = resolve(import.meta.dirname, 'results.json');
const DOCUMENT = resolve(import.meta.dirname, '../../docs/mutants.md');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'at-once': { type: 'string', default: '2' },
    runs: { type: 'string', default: '240' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '20' },
  },
});

const unknown = positionals.find((id) => !mutants.some((mutant) => mutant.id === id));
if (unknown !== undefined) throw new RangeError(`no mutant ${unknown}: ${mutants.map(({ id }) => id).join(', ')}`);
const chosen = positionals.length === 0 ? mutants : mutants.filter(({ id }) => positionals.includes(id));

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)));

let tried = 0;
try {
  await run();
} catch (error) {
  if (!stop.signal.aborted) throw error;
  console.log(String(stop.signal.reason));
  process.exitCode = 130;
}

async function run(): Promise<void> {
  await runMutants(chosen, {
    atOnce: Number(values['at-once']),
    judging: { judge: ['--runs', values.runs, '--seed', values.seed], limit: Number(values.minutes) * 60 },
    signal: stop.signal,
    onOutcome,
  });
}

function onOutcome(outcome: Outcome): void {
  const { id, caught, seconds } = outcome;
  const words = caught === null ? 'NOT CAUGHT' : `${caught.by}, ${caught.where}: ${caught.reason}`;
  console.log(`[${++tried}/${chosen.length}] ${id}, ${seconds} s: ${words}`);
  keep(outcome);
  const isMeant = mutants.some((mutant) => mutant.id === id && mutant.equivalent !== undefined);
  if (caught === null && !isMeant) process.exitCode = 1;
}

/** Of a run that is stopped, what it has found is kept. */
function keep(outcome: Outcome): void {
  const before: readonly Outcome[] = JSON.parse(readFileSync(RESULTS, 'utf8'));
  const after = mutants.flatMap(({ id }) =>
    id === outcome.id ? outcome : (before.find((one) => one.id === id) ?? []),
  );
  writeFileSync(RESULTS, `${JSON.stringify(after, undefined, 2)}\n`);
  writeFileSync(DOCUMENT, mutantsDocument(mutants, after));
}
