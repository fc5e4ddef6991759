import { element, type SvgText, styleSheet } from '../matrix/svg.ts';
import { type ChartCoverageJson, type CoveredTransition, eventWords, sharesOf } from './coverage-json.ts';
import { shareText } from './coverage-text.ts';

/** A legend, and the charts under each other, each as nested boxes in the order of its document, coloured by what was hit. */
export function coverageSvg(charts: readonly ChartCoverageJson[]): string {
  const boxes = [legend(), ...charts.map((chart) => chartBox(chart))];
  const width = Math.max(0, ...boxes.map((box) => box.width)) + 2 * MARGIN;
  const tops = boxes.map((_, i) => MARGIN + sum(boxes.slice(0, i).map(({ height }) => height + MARGIN)));
  const height = MARGIN + sum(boxes.map((box) => box.height + MARGIN));
  const drawn = boxes.map((box, i) => element('g', { transform: `translate(${MARGIN} ${tops[i]})` }, ...box.content));
  const page = element('rect', { class: 'page', width, height });
  const root = { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height };
  const title = element('title', { id: 'title' }, `What was reached of ${charts.map(({ id }) => id).join(', ')}`);
  const content = [title, styleSheet(STYLE), page, ...drawn];
  return `${element('svg', { ...root, role: 'img', 'aria-labelledby': 'title' }, ...content).svg}\n`;
}

interface Box {
  readonly width: number;
  readonly height: number;
  readonly content: readonly SvgText[];
}

interface Line {
  readonly text: string;
  readonly kind: 'title' | 'hit' | 'partly' | 'missed';
}

/** What the colours and the numbers say. */
function legend(): Box {
  let right = 0;
  const texts = LEGEND.map(({ text, kind }) => {
    const drawn = element('text', { class: kind, x: right, y: ASCENT }, text);
    right += widthOf(text) + 2 * MARGIN;
    return drawn;
  });
  return { width: right, height: LINE, content: texts };
}

function chartBox(chart: ChartCoverageJson): Box {
  const { states, transitions, guards } = sharesOf(chart);
  const title = `${chart.id}: states ${shareText(states)}, transitions ${shareText(transitions)}, guards ${shareText(guards)}`;
  return stateBox(chart, { id: chart.id, key: title, type: 'compound', hits: 1 });
}

function stateBox(
  chart: ChartCoverageJson,
  { id, key, type, hits }: Pick<ChartCoverageJson['states'][number], 'id' | 'key' | 'type' | 'hits'>,
): Box {
  const lines: readonly Line[] = [
    { text: type === 'final' ? `${key} (final)` : key, kind: 'title' },
    ...chart.transitions.filter(({ source }) => source === id).map(transitionLine),
  ];
  const children = chart.states.filter(({ parent }) => parent === id).map((child) => stateBox(chart, child));
  const rows = rowsOf(children);
  const head = PADDING + lines.length * LINE;
  const width = 2 * PADDING + Math.max(...lines.map(({ text }) => widthOf(text)), ...rows.map((row) => row.width));
  const height = head + sum(rows.map((row) => row.height + PADDING)) + PADDING;
  const kind = hits > 0 ? 'state' : 'state missed';
  const frame = element('rect', { class: type === 'parallel' ? `${kind} parallel` : kind, width, height, rx: 4 });
  const texts = lines.map(({ text, kind }, i) =>
    element('text', { class: kind, x: PADDING, y: PADDING + i * LINE + ASCENT }, text),
  );
  let top = head;
  const inner = rows.flatMap((row) => {
    const y = top;
    top += row.height + PADDING;
    return row.boxes.map(({ x, box }) => element('g', { transform: `translate(${PADDING + x} ${y})` }, ...box.content));
  });
  return { width, height, content: [frame, ...texts, ...inner] };
}

/** `path.lost [isCurrent] → recovering · 12`. */
function transitionLine({ source, event, guard, targets, hits }: CoveredTransition): Line {
  const condition = guard === undefined ? '' : ` [${guard.name}]`;
  const target = targets.length === 0 ? '' : ` → ${targets.map((id) => id.split('.').at(-1)).join(', ')}`;
  const isHalf = guard !== undefined && guard.no === 0;
  return {
    text: `${eventWords({ source, event })}${condition}${target} · ${hits}`,
    kind: hits === 0 ? 'missed' : isHalf ? 'partly' : 'hit',
  };
}

interface Row {
  readonly boxes: readonly { readonly x: number; readonly box: Box }[];
  readonly width: number;
  readonly height: number;
}

/** Boxes side by side, in rows that are not wider than a page where they need not be. */
function rowsOf(boxes: readonly Box[]): readonly Row[] {
  const rows: Row[] = [];
  for (const box of boxes) {
    const last = rows.at(-1);
    if (last === undefined || last.width + PADDING + box.width > WIDEST) {
      rows.push({ boxes: [{ x: 0, box }], width: box.width, height: box.height });
    } else {
      const x = last.width + PADDING;
      const height = Math.max(last.height, box.height);
      rows[rows.length - 1] = { boxes: [...last.boxes, { x, box }], width: x + box.width, height };
    }
  }
  return rows;
}

/** px, whole ones. */
function widthOf(text: string): number {
  return Math.ceil(text.length * CHARACTER);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

const LEGEND: readonly Line[] = [
  { text: 'reached · how often', kind: 'hit' },
  { text: 'reached, but its guard never failed', kind: 'partly' },
  { text: 'never reached', kind: 'missed' },
];

const MARGIN = 16;
const PADDING = 8;
const LINE = 15;
const ASCENT = 11;
const CHARACTER = 6.8;
/** px of a row of boxes, unless one alone is wider. */
const WIDEST = 1_100;

/** Every text has a contrast of at least 4.5 to what it stands on. */
const STYLE = `
text { font: 11px ui-monospace, monospace }
.page { fill: #ffffff }
.state { fill: #1a7f37; fill-opacity: 0.07; stroke: #1a7f37 }
.state.missed { fill: #cf222e; stroke: #cf222e }
.parallel { stroke-dasharray: 5 3 }
text.title { fill: #1f2328; font-weight: 600 }
text.hit { fill: #116329 }
text.partly { fill: #7d4e00 }
text.missed { fill: #b31d28 }
@media (prefers-color-scheme: dark) {
  .page { fill: #0d1117 }
  text.title { fill: #f0f6fc }
  text.hit { fill: #56d364 }
  text.partly { fill: #e3b341 }
  text.missed { fill: #ff7b72 }
}
`;
