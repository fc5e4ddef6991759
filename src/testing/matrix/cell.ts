import type { Scenario } from '../../scenario/index.ts';

/**
 * One cell of a matrix: a peer dials another across what its place in the table says. Tables, rows and columns are in the order in
 * which their cells name them.
 */
export interface MatrixCell {
  /** Title of the table in which it stands. */
  readonly table: string;
  readonly row: string;
  readonly column: string;
  /** With one dial; the oracle is asked about the hosts of its two peers. */
  readonly scenario: Scenario;
  /**
   * Why the flow is known to do less here than it could. A cell that falls short for a stated reason shows that, and
   * is no failure; one that has such a reason and does not fall short is one: the statement has grown old.
   */
  readonly shortfall?: string;
}

/** What names a cell, in messages. */
export function cellName({ table, row, column }: Pick<MatrixCell, 'table' | 'row' | 'column'>): string {
  return `${table}: ${row} x ${column}`;
}
