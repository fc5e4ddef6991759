import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type CellResult,
  cellName,
  type MatrixCell,
  matrixCells,
  matrixMarkdown,
  matrixSvg,
  NAT_PAIRS,
  type NatMatrix,
  natMatrix,
  PLAIN_TABLES,
  type PlainTable,
} from '../../src/testing/matrix/index.ts';
import { markOf } from '../../src/testing/matrix/mark.ts';
import { matrixDocument } from '../matrix/document.ts';

const docs = resolve(import.meta.dirname, '../../docs');
const DOCUMENT = readFileSync(resolve(docs, 'nat-matrix.md'), 'utf8');
const PICTURE = readFileSync(resolve(docs, 'nat-matrix.svg'), 'utf8');

const CELLS = matrixCells();
/** Plain tables that are run as a whole: those on which the counts below stand. */
const COUNTED = PLAIN_TABLES.filter(
  ({ allocation, mapping }) => allocation === 'random' && (mapping === 'neither' || mapping === 'listener'),
).map(({ title }) => title);
const OTHERS = PLAIN_TABLES.map(({ title }) => title).filter((title) => !COUNTED.includes(title));
/** Of the others, every tenth cell: from row to row, another column each. */
const SAMPLED = CELLS.filter(({ table }, i) => OTHERS.includes(table) && i % 10 === 0);
const WHOLE = CELLS.filter(({ table }) => !OTHERS.includes(table));

let matrix: NatMatrix;
let sample: NatMatrix;

beforeAll(async () => {
  matrix = await natMatrix({ cells: WHOLE });
  sample = await natMatrix({ cells: SAMPLED });
}, 600_000);

test('the default flow does in every cell what the oracle says it can, and nothing that it says cannot be', () => {
  expect(matrix.failures.map(({ failure }) => failure)).toEqual([]);
  expect(sample.failures.map(({ failure }) => failure)).toEqual([]);
  expect(matrix.cells.length + sample.cells.length).toBeGreaterThan(450);
});

describe('45 pairs of NATs with random ports', () => {
  test('strict: 35 are direct whoever dials, the others never', () => {
    const counts = countPairs(tableOf('strict', 'neither'));
    expect(counts).toEqual({ both: 35, one: 0, neither: 10 });
  });

  test('strict: checks join 23, a spray 12 of the others, and nothing 10', () => {
    const results = tableOf('strict', 'neither');
    const marks = NAT_PAIRS.map(([a, b]) => [markAt(results, a, b), markAt(results, b, a)]);
    expect(marks.filter(([mark]) => mark === 'r')).toHaveLength(23);
    expect(marks.filter(([mark]) => mark === 's')).toHaveLength(12);
    expect(marks.filter(([mark]) => mark === '-')).toHaveLength(10);
    expect(marks.filter(([mark, turned]) => mark !== turned)).toEqual([]);
  });

  test('strict: a spray takes less than 1.5 s from the dial', () => {
    const sprayed = tableOf('strict', 'neither').filter(({ run }) => run.by?.strategy === 'spray');
    expect(sprayed).toHaveLength(23);
    expect(Math.max(...sprayed.map(({ run }) => run.direct!))).toBeLessThan(1500);
  });

  test('strict: where checks join them, nobody waits for anything else', () => {
    const plain = tableOf('strict', 'neither').filter(({ run }) => run.by?.strategy === 'checks');
    expect(plain).toHaveLength(42);
    expect(Math.max(...plain.map(({ run }) => run.direct!))).toBeLessThanOrEqual(240);
    expect(Math.max(...plain.map(({ run }) => run.packets))).toBeLessThan(150);
  });

  test('pinned: 39 are direct whoever dials', () => {
    const results = tableOf('pinned', 'neither');
    const { both, one, neither } = countPairs(results);
    expect({ both, others: one + neither }).toEqual({ both: 39, others: 6 });
    // A spray would do, if anybody knew that the filter is open to the whole address, and that answers leave where they came in.
    const unlucky = NAT_PAIRS.filter(([a, b]) => markAt(results, a, b) === '~');
    expect(unlucky).toEqual([
      ['AD/APD', 'APD/AD'],
      ['APD/AD', 'APD/AD'],
      ['APD/AD', 'APD/APD'],
    ]);
    const hopeless = NAT_PAIRS.filter(([a, b]) => markAt(results, a, b) === '-');
    expect(hopeless).toEqual([
      ['AD/APD', 'AD/APD'],
      ['AD/APD', 'APD/APD'],
      ['APD/APD', 'APD/APD'],
    ]);
  });

  test('as Linux conntrack does it: 39 are direct whoever dials, and it is never for who is heard first', () => {
    const results = tableOf('conntrack', 'neither');
    expect(countPairs(results)).toEqual({ both: 39, one: 0, neither: 6 });
    const unlucky = results.flatMap(({ judgement }) => (judgement.verdict === 'unlucky' ? [judgement.prospect] : []));
    expect(new Set(unlucky.map(({ technique }) => technique))).toEqual(new Set(['spray']));
  });

  test('a mapping service on one side: 45 are direct, whichever side it is and whoever dials', () => {
    expect(countPairs(tableOf('strict', 'listener'))).toEqual({ both: 45, one: 0, neither: 0 });
  });
});

describe('topologies by name', () => {
  test.each([
    ['one side public', /^EI\/EI with a public side$/, 'o'],
    ['one side public', /^APD\/APD with a public side$/, 'o'],
    ['both behind one NAT', /^one LAN/, 'o'],
    ['both behind one NAT', /^guests kept apart behind EI\/APD$/, 'h'],
    ['both behind one NAT', /^guests kept apart behind EI\/APD without/, '-'],
    ['both behind one NAT', /^homes behind one carrier EI\/EI$/, 'h'],
    ['both behind one NAT', /^homes kept apart behind one carrier EI\/EI$/, 'h'],
    ['both behind one NAT', /^homes behind one carrier EI\/EI without/, '-'],
    ['both behind one NAT', /^homes that map ports behind one carrier/, 'm'],
    ['both behind one NAT', /^homes that map ports, kept apart/, '-'],
    ['carrier NATs', /^homes behind an EI\/EI each$/, 'r'],
    ['carrier NATs', /^home behind APD\/APD with EI\/APD$/, 's'],
    ['carrier NATs', /^home that maps ports behind EI\/EI with APD\/APD$/, 'm'],
    ['carrier NATs', /^home that maps ports behind APD\/APD with APD\/APD$/, '-'],
    ['IPv6 and firewalls', /^IPv6 behind a firewall on both sides/, 'v'],
    ['IPv6 and firewalls', /^IPv6 only on one side/, 'v'],
    ['IPv6 and firewalls', /^IPv6 only with IPv4 only$/, '-'],
    ['IPv6 and firewalls', /^firewalls without NAT$/, 'o'],
    ['without UDP', /^no UDP with a public side$/, 't'],
    ['without UDP', /^no UDP with EI\/EI$/, 'y'],
    ['without UDP', /^TCP port 443 only with a public side$/, '-'],
    ['without UDP', /^nothing leaves/, 'x'],
    ['other NATs', /^APD\/APD with ports in sequence by 2, both$/, 'p'],
  ])('%s: %s: %s, whoever dials', (table, row, mark) => {
    const found = matrix.cells.filter(({ cell }) => cell.table === table && row.test(cell.row));
    expect(found.length).toBeGreaterThanOrEqual(2);
    expect(new Set(found.map(({ judgement }) => markOf(judgement).text))).toEqual(new Set([mark]));
  });

  test('every pair that reaches servers has its first echo after the relayed round trips, or sooner', () => {
    const echoes = matrix.cells.filter(({ judgement }) => judgement.verdict !== 'none').map(({ run }) => run.echo!);
    expect(Math.max(...echoes)).toBeLessThanOrEqual(200);
  });
});

describe('docs/nat-matrix.md', () => {
  test('begins with what it is', () => {
    const [introduction] = matrixDocument({ cells: [], failures: [] }).split('\n| mark |');
    expect(DOCUMENT.startsWith(`${introduction}\n| mark |`)).toBe(true);
  });

  test('has the tables, in their order', () => {
    const titles = [...new Set(CELLS.map(({ table }) => table))];
    expect([...sections(DOCUMENT).keys()].slice(-titles.length)).toEqual(titles.map(capitalize));
  });

  test('says what came of the cells that were run now', () => {
    const made = sections(matrixMarkdown(matrix));
    const written = sections(DOCUMENT);
    for (const [title, section] of made) expect(written.get(title), `${title}: npm run matrix`).toBe(section);
  });

  test('says what came of a sample of the others', () => {
    const written = sections(DOCUMENT);
    const marks = SAMPLED.map((cell) => `${cellName(cell)}: ${markIn(written.get(capitalize(cell.table))!, cell)}`);
    expect(marks).toEqual(sample.cells.map(({ cell, judgement }) => `${cellName(cell)}: ${markOf(judgement).text}`));
  });

  test('explains every mark that it uses', () => {
    const [explained] = DOCUMENT.split('\n## Random ports');
    const used = [...DOCUMENT.slice(explained!.length).matchAll(/\| `(.)` (?=\|)/g)].map(([, mark]) => mark!);
    expect(used.length).toBeGreaterThan(1_000);
    for (const mark of new Set(used)) expect(explained).toContain(`| \`${mark}\` |`);
  });
});

describe('docs/nat-matrix.svg', () => {
  test('shows what came of the cells that were run now', () => {
    const made = grids(matrixSvg(matrix));
    const written = grids(PICTURE);
    expect(made.size).toBe(5);
    for (const [title, grid] of made) expect(written.get(title), `${title}: npm run matrix`).toBe(grid);
  });

  test('has every table of kinds with kinds, and the presets', () => {
    expect(grids(PICTURE).size).toBe(PLAIN_TABLES.length + 1);
  });
});

/** Of the tables with random ports. */
function tableOf(semantics: PlainTable['semantics'], mapping: PlainTable['mapping']): readonly CellResult[] {
  const { title } = PLAIN_TABLES.find(
    (one) => one.allocation === 'random' && one.semantics === semantics && one.mapping === mapping,
  )!;
  return matrix.cells.filter(({ cell }) => cell.table === title);
}

function markAt(results: readonly CellResult[], row: string, column: string): string {
  return markOf(results.find(({ cell }) => cell.row === row && cell.column === column)!.judgement).text;
}

/** How many unordered pairs are direct whoever dials, when one of them dials, and never. */
function countPairs(results: readonly CellResult[]): { both: number; one: number; neither: number } {
  const isDirect = (row: string, column: string): boolean =>
    results.some(
      ({ cell, run, judgement }) =>
        cell.row === row && cell.column === column && judgement.verdict === 'direct' && run.outcome === 'direct',
    );
  const ways = NAT_PAIRS.map(([a, b]) => Number(isDirect(a, b)) + Number(isDirect(b, a)));
  const count = (wanted: number): number => ways.filter((found) => found === wanted).length;
  return { both: count(2), one: count(1), neither: count(0) };
}

/** What stands under each heading. */
function sections(markdown: string): ReadonlyMap<string, string> {
  const [, ...parts] = markdown.split(/^## /m);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n')).trim()]));
}

/** The mark of a cell in the Markdown of its table. */
function markIn(section: string, { row, column }: MatrixCell): string {
  const [header, , ...rows] = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((text) => text.trim().replaceAll('`', '')));
  const found = rows.find(([, name]) => name === `**${row}**`)!;
  return found[header!.indexOf(column)]!;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The groups of a picture that have a heading, by it, wherever they stand. */
function grids(svg: string): ReadonlyMap<string, string> {
  const groups = [...svg.matchAll(/<g transform="[^"]+">\n([\s\S]*?)<\/g>/g)].map(([, content]) => content!);
  return new Map(
    groups.flatMap((content) => {
      const heading = [...content.matchAll(/class="heading"[^>]*>([^<]+)</g)].map(([, line]) => line).join(' ');
      return heading === '' ? [] : [[heading, content] as const];
    }),
  );
}
