import { describe, expect, test } from 'vitest';
import type { NetworkPlan } from '../../src/sim/index.ts';
import { cellName, type MatrixCell } from '../../src/testing/matrix/cell.ts';
import { matrixCells } from '../../src/testing/matrix/default-cells.ts';
import { NAT_KINDS, NAT_PAIRS, type NatKind, natOfKind } from '../../src/testing/matrix/nat-kind.ts';
import { PLAIN_TABLES, plainCells } from '../../src/testing/matrix/plain-cells.ts';

const CELLS = matrixCells();

test('there are nine kinds, and 45 pairs of them', () => {
  expect(new Set(NAT_KINDS).size).toBe(9);
  expect(new Set(NAT_PAIRS.map((pair) => pair.join(' x '))).size).toBe(45);
  expect(natOfKind('AD/APD', { hairpin: 'none' })).toEqual({
    mapping: 'address-dependent',
    filtering: 'address-and-port-dependent',
    hairpin: 'none',
  });
});

describe('tables of kinds with kinds', () => {
  test('are all ways to give out ports, with all places of a mapping service, strict, and without one in each semantics', () => {
    const known = PLAIN_TABLES.map(({ allocation, semantics, mapping }) => `${allocation} ${semantics} ${mapping}`);
    const allocations = ['random', 'preserve', 'sequential'];
    const strict = ['neither', 'dialer', 'listener', 'both'].map((mapping) => `strict ${mapping}`);
    expect(known.toSorted()).toEqual(
      allocations
        .flatMap((one) => [...strict, 'pinned neither', 'conntrack neither'].map((other) => `${one} ${other}`))
        .sort(),
    );
    expect(new Set(PLAIN_TABLES.map(({ title }) => title)).size).toBe(18);
  });

  test.each(PLAIN_TABLES)('$title: each kind dials each', (table) => {
    const cells = plainCells(table, 1);
    expect(cells.map(({ row, column }) => `${row} ${column}`)).toEqual(
      NAT_KINDS.flatMap((row) => NAT_KINDS.map((column) => `${row} ${column}`)),
    );
    for (const { row, column, scenario } of cells) {
      const [dialer, listener] = scenario.internet.networks as readonly [NetworkPlan, NetworkPlan];
      const ports = table.allocation === 'sequential' ? { sequential: 1 } : table.allocation;
      const pinning = table.semantics !== 'strict' || undefined;
      const clashes = table.semantics === 'conntrack' ? 'renumbered' : undefined;
      expect(dialer.nat).toMatchObject({ ...natOfKind(row as NatKind), portAllocation: ports });
      expect(listener.nat).toMatchObject({ ...natOfKind(column as NatKind), portAllocation: ports });
      expect([dialer.nat?.pinning, listener.nat?.pinning]).toEqual([pinning, pinning]);
      expect([dialer.nat?.clashes, listener.nat?.clashes]).toEqual([clashes, clashes]);
      expect(dialer.gateway !== undefined).toBe(table.mapping === 'dialer' || table.mapping === 'both');
      expect(listener.gateway !== undefined).toBe(table.mapping === 'listener' || table.mapping === 'both');
    }
  });
});

test('every preset dials every other', () => {
  expect(CELLS.filter(({ table }) => table === 'presets')).toHaveLength(49);
});

test('topologies by name are dialled across from both sides', () => {
  const special = CELLS.filter(({ column }) => column.endsWith(' dials'));
  const [first, second] = ['first dials', 'second dials'].map((column) => rows(special, column));
  expect(first).toEqual(second);
  expect(first!.length).toBeGreaterThan(30);
  for (const { row } of special.filter(({ column }) => column === 'first dials')) {
    const [one, other] = special.filter((cell) => cell.row === row).map(({ scenario }) => networksOf(scenario, 'a'));
    const turned = special.filter((cell) => cell.row === row).map(({ scenario }) => networksOf(scenario, 'b'));
    expect([one, other]).toEqual(turned.toReversed());
  }
});

test('every cell has a place of its own, and the seed that was asked for', () => {
  expect(new Set(CELLS.map(cellName)).size).toBe(CELLS.length);
  expect(CELLS.every(({ scenario }) => scenario.internet.seed === 1)).toBe(true);
  expect(matrixCells(7).every(({ scenario }) => scenario.internet.seed === 7)).toBe(true);
});

test('cells are plain data', () => {
  expect(JSON.parse(JSON.stringify(CELLS))).toEqual(CELLS);
});

function rows(cells: readonly MatrixCell[], column: string): readonly string[] {
  return cells.filter((cell) => cell.column === column).map(({ table, row }) => `${table} ${row}`);
}

/** What a side's own networks are, whatever they are called. */
function networksOf({ internet }: MatrixCell['scenario'], side: 'a' | 'b'): unknown {
  return internet.networks
    ?.filter(({ name }) => name.startsWith(`${side}-`))
    .map(({ name: _name, above: _above, ...spec }) => spec);
}
