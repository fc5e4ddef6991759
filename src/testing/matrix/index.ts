export { cellName, type MatrixCell } from './cell.ts';
export type { CellRun, DirectPath } from './cell-run.ts';
export { matrixCells } from './default-cells.ts';
export { flowTechniques } from './flow-techniques.ts';
export { type CellVerdict, type Judgement, judge } from './judge.ts';
export { matrixMarkdown } from './matrix-markdown.ts';
export { matrixSvg } from './matrix-svg.ts';
export { type MatrixTable, tablesOf } from './matrix-table.ts';
export { matrixText } from './matrix-text.ts';
export { NAT_KINDS, NAT_PAIRS, type NatKind, natOfKind } from './nat-kind.ts';
export { type CellResult, type NatMatrix, type NatMatrixOptions, natMatrix } from './nat-matrix.ts';
export {
  type Allocation,
  type MappingService,
  PLAIN_TABLES,
  type PlainTable,
  plainCells,
  type Semantics,
} from './plain-cells.ts';
export { presetCells } from './preset-cells.ts';
export { specialCells } from './special-cells.ts';
