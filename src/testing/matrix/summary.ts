import { percent } from './judge.ts';
import { countPairs, countVerdicts, type MatrixTable } from './matrix-table.ts';
import type { CellResult } from './nat-matrix.ts';

/** What a table comes to, in sentences. */
export function summarize(table: MatrixTable): string {
  return [describeCounts(table), describePairs(table), ...describeNeeds(table.results), describeTimes(table.results)]
    .filter((sentence) => sentence !== undefined)
    .join(' ');
}

export function countCells({ length }: readonly unknown[]): string {
  return length === 1 ? '1 cell' : `${length} cells`;
}

function describeCounts({ results }: MatrixTable): string {
  const counts = [...countVerdicts(results)].map(([verdict, count]) => `${count} ${COUNTED[verdict]}`);
  return `${countCells(results)}: ${counts.join(', ')}.`;
}

function describePairs(table: MatrixTable): string | undefined {
  const counted = countPairs(table);
  return counted && `Of ${counted.pairs} pairs, ${counted.direct} are direct whoever dials.`;
}

/** One sentence for each technique that is missing. */
function describeNeeds(results: readonly CellResult[]): readonly string[] {
  const prospects = results.flatMap(({ judgement }) => (judgement.verdict === 'needs' ? [judgement.prospect] : []));
  const techniques = [...new Set(prospects.map(({ technique }) => technique))];
  return techniques.map((technique) => {
    const all = prospects.filter((prospect) => prospect.technique === technique);
    const probabilities = range(all.map(({ probability }) => probability * 100)).map((value) => percent(value / 100));
    const packets = Math.max(...all.map((prospect) => prospect.packets));
    const odds = [...new Set(probabilities)].join(' to ');
    return `${countCells(all)} would take ${technique}: ${odds} for up to ${packets} packets.`;
  });
}

/** Medians in ms of virtual time, with the least and the most. */
function describeTimes(results: readonly CellResult[]): string | undefined {
  const times = (['session', 'echo', 'direct'] as const).flatMap((what) => {
    const found = results.flatMap(({ run }) => run[what] ?? []);
    return found.length === 0 ? [] : [`${NAMES[what]} ${describeSpread(found)}`];
  });
  return times.length === 0 ? undefined : `In ms from the dial: ${times.join(', ')}.`;
}

function describeSpread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const median = Math.round(sorted[(sorted.length - 1) >> 1]!);
  const [least, most] = range(sorted).map(Math.round);
  return least === most ? `${median}` : `${median} (${least} to ${most})`;
}

function range(values: readonly number[]): readonly number[] {
  return [Math.min(...values), Math.max(...values)];
}

const COUNTED = {
  direct: 'direct',
  needs: 'relayed for want of a technique',
  unlucky: 'relayed for want of luck or order',
  relayed: 'relayed as nothing would do better',
  none: 'without any way',
  short: 'short of what the flow could do',
  impossible: 'impossible',
} as const;

const NAMES = { session: 'session', echo: 'first echo', direct: 'direct path' } as const;
