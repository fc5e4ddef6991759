import type { Catch, Outcome } from './judgement.ts';
import type { Mutant } from './mutant.ts';

/** What docs/mutants.md says. `outcomes`: one of each mutant at most. */
export function mutantsDocument(mutants: readonly Mutant[], outcomes: readonly Outcome[]): string {
  const rows = mutants.map((mutant) => ({ mutant, outcome: outcomes.find(({ id }) => id === mutant.id) }));
  const tried = rows.filter(({ outcome }) => outcome !== undefined);
  const caught = tried.filter(({ outcome }) => outcome?.caught !== null);
  const equivalent = tried.filter(({ mutant, outcome }) => outcome?.caught === null && mutant.equivalent !== undefined);
  const survived = tried.length - caught.length - equivalent.length;
  const files = new Map(mutants.map(({ file }) => [file, rows.filter(({ mutant }) => mutant.file === file)]));
  const tables = [...files].map(([file, of]) => `## [${file}](../${file})\n\n${HEADER}\n${of.map(rowOf).join('\n')}\n`);
  return [
    INTRODUCTION,
    `${tried.length} of ${mutants.length} faults were planted: **${caught.length} were caught**, ${survived} were not, ${equivalent.length} change`,
    `nothing that could be seen. ${mutants.length - tried.length} have not been tried.\n`,
    ...tables,
  ].join('\n');
}

function rowOf({ mutant, outcome }: { readonly mutant: Mutant; readonly outcome: Outcome | undefined }): string {
  const { id, kind, what, equivalent } = mutant;
  if (outcome === undefined) return `| \`${id}\` | ${what} (${kind}) | not tried | |`;
  const { caught, seconds } = outcome;
  const result =
    caught !== null ? wordsOf(caught) : equivalent === undefined ? '**not caught**' : `equivalent: ${equivalent}`;
  return `| \`${id}\` | ${what} (${kind}) | ${cell(result)} | ${seconds} |`;
}

function wordsOf({ by, where, reason }: Catch): string {
  return by === 'coverage' ? `coverage: ${reason}` : `${where}: ${reason}`;
}

function cell(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/\|/g, '\\|').slice(0, LONGEST);
}

const HEADER = '| fault | what it comes to | first caught by | s |\n|---|---|---|--:|';
/** Characters. */
const LONGEST = 240;

const INTRODUCTION = `# Faults that the model kit finds

How good is a test that is made from a model? Here single faults are planted into the charts, the combinators, the strategies and what stands
behind them, one at a time: a guard is negated, a transition dropped, a timer removed, a cleanup skipped. Then the model kit runs on the
simulated internet as it does in any test: generated paths with all invariants, the parts of the charts that they reach, and random
sequences. No unit test takes part.

\`npm run mutants\` plants them all and makes this page; \`npm run mutants -- dial-timer no-hedge\` plants these two. A fault
counts as caught by the first path that fails or breaks an invariant; by coverage when all paths go well and do not reach all that
they reach without the fault; by a random sequence; or when the tests crash or come to no end. Seconds are those of a busy machine with two
processors.
`;
