import { legend, markOf } from './mark.ts';
import { isGrid, type MatrixTable, tablesOf } from './matrix-table.ts';
import type { CellResult, NatMatrix } from './nat-matrix.ts';
import { describeResult } from './result-words.ts';
import { countCells, summarize } from './summary.ts';

/** A matrix for a terminal. */
export function matrixText({ cells, failures }: NatMatrix): string {
  const marks = legend(cells.map(({ judgement }) => judgement)).map(({ text, meaning }) => `  ${text}  ${meaning}`);
  const tables = tablesOf(cells).flatMap((table) => [
    table.title,
    '',
    ...(isGrid(table) ? gridLines(table) : listLines(table)),
    '',
    summarize(table),
    '',
  ]);
  return [...tables, ...marks, '', ...verdictLines(cells, failures), ''].join('\n');
}

function gridLines(table: MatrixTable): readonly string[] {
  const { rows, columns } = table;
  const label = Math.max(...rows.map(({ length }) => length));
  const widths = columns.map(({ length }) => length);
  const line = (first: string, values: readonly string[]): string =>
    [first.padEnd(label), ...values.map((value, i) => center(value, widths[i]!))].join('  ').trimEnd();
  return [
    line('', columns),
    ...rows.map((row) =>
      line(
        row,
        columns.map((column) => markAt(table, row, column)),
      ),
    ),
  ];
}

function listLines(table: MatrixTable): readonly string[] {
  return table.rows.flatMap((row) => [
    row,
    ...table.columns.flatMap((column) => {
      const result = table.at(row, column);
      return result === undefined ? [] : [`  ${column}: ${describeResult(result)}`];
    }),
  ]);
}

function verdictLines(cells: readonly CellResult[], failures: readonly CellResult[]): readonly string[] {
  if (failures.length === 0) return [`${countCells(cells)}, all as the oracle says`];
  return [
    `of ${countCells(cells)}, ${failures.length} not as it should be:`,
    ...failures.map(({ failure }) => `  ${failure}`),
  ];
}

function markAt(table: MatrixTable, row: string, column: string): string {
  const result = table.at(row, column);
  return result === undefined ? ' ' : markOf(result.judgement).text;
}

function center(text: string, width: number): string {
  return text.padStart((width + text.length) >> 1).padEnd(width);
}
