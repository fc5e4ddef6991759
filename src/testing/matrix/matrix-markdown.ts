import { legend, markOf } from './mark.ts';
import { isGrid, type MatrixTable, tablesOf } from './matrix-table.ts';
import type { NatMatrix } from './nat-matrix.ts';
import { describeResult } from './result-words.ts';
import { summarize } from './summary.ts';

/** A matrix as Markdown: the marks, then a section a table. */
export function matrixMarkdown({ cells }: NatMatrix): string {
  const marks = legend(cells.map(({ judgement }) => judgement)).map(({ text, meaning }) => [`\`${text}\``, meaning]);
  const sections = tablesOf(cells).flatMap((table) => [
    `## ${capitalize(table.title)}`,
    summarize(table),
    (isGrid(table) ? gridRows(table) : listRows(table)).join('\n'),
    ...notes(table),
  ]);
  return `${[tableRows(['mark', 'meaning'], marks).join('\n'), ...sections].join('\n\n')}\n`;
}

function gridRows(table: MatrixTable): readonly string[] {
  const rows = table.rows.map((row) => [
    `**${row}**`,
    ...table.columns.map((column) => {
      const result = table.at(row, column);
      return result === undefined ? '' : `\`${markOf(result.judgement).text}\``;
    }),
  ]);
  return tableRows(['', ...table.columns], rows);
}

function listRows(table: MatrixTable): readonly string[] {
  const rows = table.rows.map((row) => [
    row,
    ...table.columns.map((column) => {
      const result = table.at(row, column);
      return result === undefined ? '' : describeResult(result);
    }),
  ]);
  return tableRows(['', ...table.columns], rows);
}

/** In a grid a mark has no room for its reason. */
function notes(table: MatrixTable): readonly string[] {
  if (!isGrid(table)) return [];
  const lines = table.results
    .filter(({ judgement: { verdict } }) => verdict === 'short' || verdict === 'impossible')
    .map((result) => `- ${result.cell.row} dials ${result.cell.column}: ${describeResult(result)}`);
  return lines.length === 0 ? [] : [lines.join('\n')];
}

function tableRows(header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (values: readonly string[]): string =>
    `|${values.map((value) => (value === '' ? ' ' : ` ${value} `)).join('|')}|`;
  return [header, header.map(() => '---'), ...rows].map(line);
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
