import { VERDICTS } from './judge.ts';
import { legend, markOf } from './mark.ts';
import { isGrid, type MatrixTable, tablesOf } from './matrix-table.ts';
import type { CellResult, NatMatrix } from './nat-matrix.ts';
import { summarize } from './summary.ts';
import { element, type SvgText, styleSheet } from './svg.ts';

/**
 * The grids of a matrix as a picture, for light and dark surroundings: a square a cell, with its mark. Tables of few columns are lists, and
 * left out.
 */
export function matrixSvg({ cells }: NatMatrix): string {
  const grids = tablesOf(cells).filter(isGrid);
  const key = drawLegend(grids.flatMap(({ results }) => results));
  const blocks = arrange([...grids.map(drawGrid), key]);
  const height = Math.max(...blocks.map(({ y, block }) => y + block.height)) + MARGIN;
  const content = [
    element('title', { id: 'title' }, TITLE),
    element('desc', { id: 'desc' }, grids.map((grid) => `${grid.title}: ${summarize(grid)}`).join('\n')),
    styleSheet(STYLE),
    element('rect', { class: 'page', width: WIDTH, height, rx: 8 }),
    element('text', { class: 'title', x: MARGIN, y: MARGIN + 12 }, TITLE),
    ...blocks.map(({ x, y, block }) => element('g', { transform: `translate(${x} ${y})` }, ...block.content)),
  ];
  const root = { xmlns: 'http://www.w3.org/2000/svg', width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${height}` };
  return `${element('svg', { ...root, role: 'img', 'aria-labelledby': 'title desc' }, ...content).svg}\n`;
}

/** Something drawn, from its own upper left corner. */
interface Block {
  readonly width: number;
  readonly height: number;
  readonly content: readonly SvgText[];
}

/** From left to right, then down. */
function arrange(blocks: readonly Block[]): readonly { x: number; y: number; block: Block }[] {
  let [x, y, tallest] = [MARGIN, MARGIN + HEADER, 0];
  return blocks.map((block) => {
    if (x > MARGIN && x + block.width > WIDTH - MARGIN) [x, y, tallest] = [MARGIN, y + tallest + GAP, 0];
    const placed = { x, y, block };
    x += block.width + GAP;
    tallest = Math.max(tallest, block.height);
    return placed;
  });
}

function drawGrid(table: MatrixTable): Block {
  const { title, rows, columns, results } = table;
  const left = textWidth(rows);
  const width = left + columns.length * CELL;
  const lines = wrap(title, Math.floor(width / CHARACTER));
  const top = lines.length * LINE + SPACE + textWidth(columns);
  const column = (name: string): number => left + columns.indexOf(name) * CELL;
  const row = (name: string): number => top + rows.indexOf(name) * CELL;
  const squares = VERDICTS.flatMap((verdict) => {
    const found = results.filter(({ judgement }) => judgement.verdict === verdict);
    const d = found.map(({ cell }) => `M${column(cell.column)} ${row(cell.row)}${SQUARE}`).join('');
    return d === '' ? [] : [element('path', { class: verdict, d })];
  });
  const content = [
    ...lines.map((line, i) => element('text', { class: 'heading', x: 0, y: i * LINE + 11 }, line)),
    ...columns.map((name) => {
      const [x, y] = [column(name) + CELL / 2 + 4, top - 5];
      return element('text', { transform: `translate(${x} ${y}) rotate(-90)` }, name);
    }),
    ...rows.map((name) => element('text', { class: 'row', x: left - 5, y: row(name) + 15 }, name)),
    ...squares,
    ...rows.flatMap((name) =>
      columns.flatMap((other) => {
        const result = table.at(name, other);
        if (result === undefined) return [];
        const x = column(other) + CELL / 2 - 1;
        return element('text', { class: 'mark', x, y: row(name) + 15 }, markOf(result.judgement).text);
      }),
    ),
  ];
  return { width, height: top + rows.length * CELL, content };
}

function drawLegend(results: readonly CellResult[]): Block {
  const marks = legend(results.map(({ judgement }) => judgement));
  const top = CAPTION.length * LINE + SPACE;
  const entries = marks.flatMap(({ text, verdict, meaning }, i) => {
    const y = top + i * CELL;
    return [
      element('path', { class: verdict, d: `M0 ${y}${SQUARE}` }),
      element('text', { class: 'mark', x: CELL / 2 - 1, y: y + 15 }, text),
      element('text', { x: CELL + SPACE, y: y + 15 }, meaning),
    ];
  });
  const caption = CAPTION.map((line, i) => element('text', { x: 0, y: i * LINE + 11 }, line));
  const width = CELL + SPACE + textWidth(marks.map(({ meaning }) => meaning));
  return { width, height: top + marks.length * CELL, content: [...caption, ...entries] };
}

/** Breaks a text between words into lines of so many characters. */
function wrap(text: string, characters: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > characters) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Room for the longest of these labels. */
function textWidth(labels: readonly string[]): number {
  return Math.ceil(Math.max(0, ...labels.map(({ length }) => length)) * CHARACTER) + 8;
}

const TITLE = 'Which pairs of NATs meet directly: the default flow on the simulated internet';
const CAPTION = ['Row: what the dialer is behind.', 'Column: what the listener is behind.', ''];

const WIDTH = 900;
const MARGIN = 20;
const GAP = 28;
const HEADER = 32;
/** Between things that belong together. */
const SPACE = 6;
const CELL = 22;
/** One px is left between squares. */
const SQUARE = `h${CELL - 2}v${CELL - 2}h-${CELL - 2}z`;
const LINE = 15;
/** Of a label, on average and generously. */
const CHARACTER = 6.4;

/** Every text has a contrast of at least 4.5 to what it stands on. */
const STYLE = `
text { font: 11px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.heading { font-weight: 600 }
.row { text-anchor: end }
.mark { font: 600 12px ui-monospace, monospace; text-anchor: middle }
.page { fill: #ffffff }
.direct { fill: #a6e3b8 }
.needs { fill: #ffe08a }
.unlucky { fill: #b6d4fe }
.relayed { fill: #d8dee4 }
.none { fill: #f0f2f5 }
.short { fill: #ffb38a }
.impossible { fill: #ff9ad5 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .page { fill: #0d1117 }
  .direct { fill: #1b6b3a }
  .needs { fill: #7a5a00 }
  .unlucky { fill: #1f4e8c }
  .relayed { fill: #3d444d }
  .none { fill: #22272e }
  .short { fill: #a03c10 }
  .impossible { fill: #99286b }
}
`;
