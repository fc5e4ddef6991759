import type { MatrixCell } from './cell.ts';
import { PLAIN_TABLES, plainCells } from './plain-cells.ts';
import { presetCells } from './preset-cells.ts';
import { specialCells } from './special-cells.ts';

/**
 * The cells of docs/nat-matrix.md: all kinds of NAT with all kinds, for each way to give out ports, each semantics and each
 * place of a mapping service; the presets; and topologies by name. `seed`: of all chance. Default 1.
 */
export function matrixCells(seed = 1): readonly MatrixCell[] {
  return [...PLAIN_TABLES.flatMap((table) => plainCells(table, seed)), ...presetCells(seed), ...specialCells(seed)];
}
