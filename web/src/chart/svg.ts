import { MARKER, PAD, type TextLine } from './graph.ts';
import type { Layout, Point, Rectangle } from './layout.ts';
import { LINE, SIZES } from './measure.ts';

/** The chart as an SVG file: light and dark as its reader likes it, with nothing from elsewhere. */
export function chartSvg(layout: Layout, title: string): string {
  const width = Math.ceil(layout.width);
  const height = Math.ceil(layout.height);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${plain(title)}">`,
    `<title>${plain(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 0 8 4 0 8z"/></marker></defs>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    ...layout.states.map((state) => stateSvg(state)),
    ...layout.markers.map(({ at, route }) => `${dot(at)}${arrow(route)}`),
    ...layout.edges.map(({ route }) => arrow(route)),
    ...layout.edges.map(({ label, edges }) =>
      labelSvg(
        label,
        edges.map(({ text }) => text),
      ),
    ),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

function stateSvg({ state, lines, at, head }: Layout['states'][number]): string {
  const { type, states } = state;
  const inner = { x: at.x + 3, y: at.y + 3, width: at.width - 6, height: at.height - 6 };
  return [
    `<g class="state ${type}">`,
    box(at, 8, 'box'),
    ...(type === 'final' ? [box(inner, 6, 'box inner')] : []),
    ...(states.length > 0 ? [`<path class="rule" d="M${n(at.x)} ${n(at.y + head - 4)}h${n(at.width)}"/>`] : []),
    ...textSvg(lines, at.x + PAD, at.y + PAD),
    '</g>',
  ].join('');
}

function textSvg(lines: readonly TextLine[], x: number, top: number): readonly string[] {
  let y = top;
  return lines.map(({ text, lettering }) => {
    y += LINE[lettering];
    return `<text class="${lettering}" x="${n(x)}" y="${n(y - 5)}">${plain(text)}</text>`;
  });
}

function labelSvg(at: Rectangle, lines: readonly string[]): string {
  const texts = textSvg(
    lines.map((text) => ({ text, lettering: 'code' })),
    at.x + 4,
    at.y + 2,
  );
  return `<g class="label">${box(at, 3, 'plate')}${texts.join('')}</g>`;
}

function box({ x, y, width, height }: Rectangle, radius: number, style: string): string {
  return `<rect class="${style}" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="${radius}"/>`;
}

function dot({ x, y }: Rectangle): string {
  return `<circle class="dot" cx="${n(x + MARKER / 2)}" cy="${n(y + MARKER / 2)}" r="${MARKER / 2}"/>`;
}

function arrow(route: readonly Point[]): string {
  return `<path class="edge" marker-end="url(#head)" d="${routePath(route)}"/>`;
}

/** A line with round corners. */
export function routePath(route: readonly Point[]): string {
  return route
    .map((point, i) => {
      const before = route[i - 1];
      const after = route[i + 1];
      if (before === undefined) return `M${n(point.x)} ${n(point.y)}`;
      if (after === undefined) return `L${n(point.x)} ${n(point.y)}`;
      const [from, to] = [towards(point, before), towards(point, after)];
      return `L${n(from.x)} ${n(from.y)}Q${n(point.x)} ${n(point.y)} ${n(to.x)} ${n(to.y)}`;
    })
    .join('');
}

/** A point near the corner, on the way to another one. */
function towards(corner: Point, other: Point): Point {
  const [dx, dy] = [other.x - corner.x, other.y - corner.y];
  const part = Math.min(CORNER, Math.hypot(dx, dy) / 2) / (Math.hypot(dx, dy) || 1);
  return { x: corner.x + dx * part, y: corner.y + dy * part };
}

const CORNER = 6;

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Text as XML has it. */
function plain(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

const STYLE = [
  ':root{--paper:#fff;--box:#f8fafc;--inner:#f1f5f9;--line:#94a3b8;--text:#0f172a;--muted:#64748b;--edge:#475569;color-scheme:light dark}',
  '@media(prefers-color-scheme:dark){:root{--paper:#0b1220;--box:#111a2e;--inner:#17223a;--line:#475569;--text:#e2e8f0;--muted:#94a3b8;--edge:#94a3b8}}',
  '.paper{fill:var(--paper)}.box{fill:var(--box);stroke:var(--line)}.atomic>.box{fill:var(--inner)}.inner{fill:none}',
  '.parallel>.box{stroke-dasharray:5 4}.rule{stroke:var(--line);stroke-opacity:.6}.dot,.head{fill:var(--edge)}',
  '.edge{fill:none;stroke:var(--edge);stroke-width:1.2}.plate{fill:var(--paper);fill-opacity:.86}',
  `text{fill:var(--text);white-space:pre}.title{font:600 ${SIZES.title}px system-ui,sans-serif}.text{font:${SIZES.text}px system-ui,sans-serif;fill:var(--muted)}`,
  `.code{font:${SIZES.code}px ui-monospace,"DejaVu Sans Mono",monospace;fill:var(--muted)}.label .code{fill:var(--text)}`,
].join('');
