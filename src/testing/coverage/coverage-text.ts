import { type ChartCoverageJson, missingOf, type Share, sharesOf } from './coverage-json.ts';

/** A line for each chart, then what is missing. */
export function coverageText(charts: readonly ChartCoverageJson[]): string {
  const rows = charts.map((chart) => {
    const { states, transitions, guards } = sharesOf(chart);
    return [chart.id, ...[states, transitions, guards].map(shareText)];
  });
  const table = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  const missing = charts.flatMap(missingOf);
  return [...lines, ...(missing.length === 0 ? [] : ['', ...missing]), ''].join('\n');
}

/** `12/14 (85.7 %)`; of nothing, all. */
export function shareText({ hit, all }: Share): string {
  const percent = all === 0 ? 100 : Math.floor((hit / all) * 1_000) / 10;
  return `${hit}/${all} (${percent} %)`;
}

const HEAD = ['chart', 'states', 'transitions', 'guards'];
