import { type CellVerdict, type Judgement, VERDICTS } from './judge.ts';
import type { CellResult } from './nat-matrix.ts';

/** The cells of one title, by rows and columns in the order in which they were first named. */
export interface MatrixTable {
  readonly title: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly results: readonly CellResult[];
  /** `undefined` where nothing stands. */
  at(row: string, column: string): CellResult | undefined;
}

export function tablesOf(results: readonly CellResult[]): readonly MatrixTable[] {
  const titles = unique(results.map(({ cell }) => cell.table));
  return titles.map((title) =>
    tableOf(
      title,
      results.filter(({ cell }) => cell.table === title),
    ),
  );
}

/** Whether a table is to be drawn with a mark a cell; one of few columns is a list. */
export function isGrid({ columns }: MatrixTable): boolean {
  return columns.length > 3;
}

/** How many cells have each verdict; those that none has are left out. */
export function countVerdicts(results: readonly { readonly judgement: Judgement }[]): ReadonlyMap<CellVerdict, number> {
  const count = (verdict: CellVerdict): number =>
    results.filter(({ judgement }) => judgement.verdict === verdict).length;
  return new Map(VERDICTS.map((verdict) => [verdict, count(verdict)] as const).filter(([, found]) => found > 0));
}

/**
 * Of a table that has the same kinds as rows and as columns: how many unordered pairs there are, and how many are direct whoever dials.
 * `undefined` for other tables.
 */
export function countPairs({ rows, columns, at }: MatrixTable): { pairs: number; direct: number } | undefined {
  if (rows.length !== columns.length || rows.some((row) => !columns.includes(row))) return undefined;
  const isDirect = (row: string, column: string): boolean => at(row, column)?.judgement.verdict === 'direct';
  const pairs = rows.flatMap((row, i) => rows.slice(i).map((other) => [row, other] as const));
  return { pairs: pairs.length, direct: pairs.filter(([a, b]) => isDirect(a, b) && isDirect(b, a)).length };
}

function tableOf(title: string, results: readonly CellResult[]): MatrixTable {
  const places = new Map(results.map((result) => [placeOf(result.cell.row, result.cell.column), result]));
  return {
    title,
    results,
    rows: unique(results.map(({ cell }) => cell.row)),
    columns: unique(results.map(({ cell }) => cell.column)),
    at: (row, column) => places.get(placeOf(row, column)),
  };
}

function placeOf(row: string, column: string): string {
  return JSON.stringify([row, column]);
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
