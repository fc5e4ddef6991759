import { homes } from '../../scenario/index.ts';
import { type PresetName, presets } from '../../sim/index.ts';
import type { MatrixCell } from './cell.ts';

/** Every preset with every preset, each with its port mapping service where it has one. */
export function presetCells(seed: number): readonly MatrixCell[] {
  const names = Object.keys(presets) as readonly PresetName[];
  return names.flatMap((row) =>
    names.map((column) => ({ table: 'presets', row, column, scenario: homes({ a: row, b: column, seed }) })),
  );
}
