import { describe, expect, test } from 'vitest';
import { matrixMarkdown } from '../../src/testing/matrix/matrix-markdown.ts';
import { matrixSvg } from '../../src/testing/matrix/matrix-svg.ts';
import { countPairs, tablesOf } from '../../src/testing/matrix/matrix-table.ts';
import { matrixText } from '../../src/testing/matrix/matrix-text.ts';
import { direct, FAILED, givenMatrix, RELAYED } from './matrix-results.ts';

const REFLEXIVE = { run: direct(['srflx', 'prflx'], 121.4), techniques: ['reflexive'] } as const;
const SPRAY = { run: RELAYED, techniques: ['spray'] } as const;

/** A grid of four kinds with one of each verdict, and a list. */
const MATRIX = givenMatrix([
  [['four & more', 'A', 'A'], REFLEXIVE],
  [['four & more', 'A', 'B'], REFLEXIVE],
  [['four & more', 'A', 'C'], SPRAY],
  [['four & more', 'A', 'D'], { run: RELAYED }],
  [['four & more', 'B', 'A'], REFLEXIVE],
  [['four & more', 'B', 'B'], { run: RELAYED, techniques: ['reflexive'] }],
  [['four & more', 'B', 'C'], { run: direct(['host', 'prflx'], 700) }],
  [['four & more', 'B', 'D'], { run: RELAYED, techniques: ['tcp'], shortfall: 'no ports for TCP' }],
  [['four & more', 'C', 'A'], { run: direct(['mapped', 'prflx'], 141), techniques: ['mapped'] }],
  [['four & more', 'D', 'A'], REFLEXIVE],
  [['a list', 'homes', 'first dials'], REFLEXIVE],
  [['a list', 'homes', 'second dials'], { run: FAILED }],
]);

const SUMMARY =
  '10 cells: 5 direct, 1 relayed for want of a technique, 1 relayed as nothing would do better, ' +
  '2 short of what the flow could do, 1 impossible. Of 10 pairs, 2 are direct whoever dials. ' +
  '1 cell would take spray: 98.35 % for up to 1286 packets. ' +
  'In ms from the dial: session 80, first echo 160, direct path 121 (121 to 700).';

describe('tables', () => {
  test('are made of the cells in their order', () => {
    const tables = tablesOf(MATRIX.cells).map(({ title, rows, columns }) => ({ title, rows, columns }));
    expect(tables).toEqual([
      { title: 'four & more', rows: ['A', 'B', 'C', 'D'], columns: ['A', 'B', 'C', 'D'] },
      { title: 'a list', rows: ['homes'], columns: ['first dials', 'second dials'] },
    ]);
  });

  test('count as direct the pairs that are so whoever dials', () => {
    const [grid, list] = tablesOf(MATRIX.cells);
    expect(countPairs(grid!)).toEqual({ pairs: 10, direct: 2 });
    expect(countPairs(list!)).toBeUndefined();
  });
});

describe('text', () => {
  const text = matrixText(MATRIX);

  test('has a grid of marks', () => {
    expect(text).toContain(['   A  B  C  D', 'A  r  r  S  -', 'B  r  !  #  !', 'C  m', 'D  r'].join('\n'));
  });

  test('explains the marks that occur, and no others', () => {
    expect(text.split('\n').filter((line) => /^ {2}\S {2}\S/.test(line))).toEqual([
      '  m  direct, by a port mapping',
      '  r  direct, by the addresses that servers see',
      '  S  relayed; direct would take a spray at random ports',
      '  -  relayed, and nothing is known that would do better',
      '  !  falls short of what the flow could do',
      '  #  direct where the oracle knows no way',
    ]);
  });

  test('tells few columns in words', () => {
    expect(text).toContain(
      'homes\n  first dials: direct (reflexive); after 121 ms\n  second dials: failed (ERR_TIMEOUT), where both sides reach a relay',
    );
  });

  test('names what is not as it should be', () => {
    expect(text).toContain(
      [
        'of 12 cells, 3 not as it should be:',
        '  four & more: B x B: relayed, where reflexive is sure to join them',
        '  four & more: B x C: direct (checks, udp over IPv4 to host and prflx), where the oracle knows nothing',
        '  a list: homes x second dials: failed (ERR_TIMEOUT), where both sides reach a relay',
      ].join('\n'),
    );
    expect(matrixText(givenMatrix([[['one', 'A', 'A'], REFLEXIVE]]))).toContain('1 cell, all as the oracle says');
  });
});

describe('Markdown', () => {
  const markdown = matrixMarkdown(MATRIX);

  test('has a section a table, with what it comes to', () => {
    expect(markdown).toContain(
      `\n## Four & more\n\n${SUMMARY}\n\n| | A | B | C | D |\n| --- | --- | --- | --- | --- |\n`,
    );
    expect(markdown).toContain('| **B** | `r` | `!` | `#` | `!` |\n| **C** | `m` | | | |\n');
  });

  test('gives the reason of each cell that falls short or cannot be, stated ones too', () => {
    expect(markdown).toContain(
      '\n- B dials B: relayed, where reflexive is sure to join them; first echo after 160 ms\n',
    );
    expect(markdown).toContain(
      '- B dials D: relayed, where tcp is sure to join them; first echo after 160 ms; known: no ports for TCP\n',
    );
  });

  test('tells few columns in words', () => {
    expect(markdown).toContain(
      '| homes | direct (reflexive); after 121 ms | failed (ERR_TIMEOUT), where both sides reach a relay |\n',
    );
  });
});

describe('the picture', () => {
  const svg = matrixSvg(MATRIX);

  test('has every mark as text in its square', () => {
    expect(marksOf(svg)).toEqual([...'rrS-', ...'r!#!', 'm', 'r']);
    const squares = [...svg.matchAll(/<path class="(\w+)" d="([^"]+)"\/>/g)].map(([, verdict, d]) => [
      verdict,
      d!.match(/M/g)!.length,
    ]);
    // The grid, then the legend.
    expect(squares.slice(0, 5)).toEqual([
      ['direct', 5],
      ['needs', 1],
      ['relayed', 1],
      ['short', 2],
      ['impossible', 1],
    ]);
    expect(squares.slice(5).every(([, count]) => count === 1)).toBe(true);
  });

  test('puts each mark over the square of its verdict', () => {
    const squares = new Map(
      [...svg.matchAll(/<path class="(\w+)" d="([^"]+)"\/>/g)].flatMap(([, verdict, d]) =>
        [...d!.matchAll(/M(\d+) (\d+)/g)].map(([, x, y]) => [`${x} ${y}`, verdict!] as const),
      ),
    );
    const verdicts: Record<string, string> = {
      r: 'direct',
      m: 'direct',
      S: 'needs',
      '-': 'relayed',
      '!': 'short',
      '#': 'impossible',
    };
    for (const [, x, y, mark] of svg.matchAll(/<text class="mark" x="(\d+)" y="(\d+)">([^<]+)</g)) {
      expect(squares.get(`${Number(x) - 10} ${Number(y) - 15}`)).toBe(verdicts[mark!]);
    }
  });

  test('says for those who do not see it what it shows', () => {
    expect(svg).toMatch(/^<svg [^>]*role="img" aria-labelledby="title desc"/);
    expect(svg).toContain('<title id="title">Which pairs of NATs meet directly');
    expect(svg).toContain(`<desc id="desc">four &amp; more: ${SUMMARY}</desc>`);
  });

  test('is for light and dark, and keeps a contrast of 4.5 between every mark and its square', () => {
    const [light, dark] = svg.split('@media (prefers-color-scheme: dark)');
    for (const style of [light!, dark!]) {
      const ink = fillOf(style, 'text');
      for (const verdict of ['page', 'direct', 'needs', 'unlucky', 'relayed', 'none', 'short', 'impossible']) {
        expect(contrast(ink, fillOf(style, `\\.${verdict}`)), verdict).toBeGreaterThan(4.5);
      }
    }
  });

  test('holds nothing outside its frame', () => {
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.map(Number);
    const blocks = [...svg.matchAll(/<g transform="translate\((\d+) (\d+)\)">([\s\S]*?)<\/g>/g)];
    expect(blocks).toHaveLength(2);
    for (const [, left, top, content] of blocks) {
      for (const [, x, y] of content!.matchAll(/M(\d+) (\d+)h20v20/g)) {
        expect(Number(left) + Number(x) + 20).toBeLessThan(width!);
        expect(Number(top) + Number(y) + 20).toBeLessThan(height!);
      }
    }
  });

  test.each([
    ['grids', MATRIX],
    ['lists', givenMatrix([[['a list', 'homes', 'first dials'], REFLEXIVE]])],
  ])('is well formed, of %s', (_, matrix) => {
    const svg = matrixSvg(matrix);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    const open: string[] = [];
    for (const [, closing, name, empty] of svg.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/g)) {
      if (closing) expect(open.pop()).toBe(name);
      else if (!empty) open.push(name!);
    }
    expect(open).toEqual([]);
    expect(svg).not.toMatch(/&(?!amp;|lt;|gt;|quot;)/);
  });
});

/** Of the grid, which comes before the legend. */
function marksOf(svg: string): readonly string[] {
  const [grid] = svg.split('Row: what the dialer');
  return [...grid!.matchAll(/<text class="mark"[^>]*>([^<]+)</g)].map(([, marks]) => marks!);
}

function fillOf(style: string, selector: string): string {
  return new RegExp(`${selector} \\{[^}]*fill: (#[0-9a-f]{6})`).exec(style)![1]!;
}

/** WCAG 2.2, contrast ratio. */
function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}

function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
