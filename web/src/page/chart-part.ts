import type { Layout, Rectangle } from '../chart/layout.ts';
import type { Size } from './use-size.ts';

/**
 * A part of a chart with the innermost active states in its middle, as far as there is something to be seen around them: of that size,
 * or one that can be read, made somewhat larger where those states are far apart.
 */
export function around({ states, ...whole }: Layout, active: ReadonlySet<string>, near: Size, size?: Size): Rectangle {
  const leaves = states.filter(({ state }) => active.has(state.id) && state.states.length === 0).map(({ at }) => at);
  const across = spanOf(leaves.map(({ x, width }) => [x, x + width]));
  const down = spanOf(leaves.map(({ y, height }) => [y, y + height]));
  const factor = Math.min(
    LARGER,
    Math.max(1, (across.length + MARGIN) / near.width, (down.length + MARGIN) / near.height),
  );
  const { width, height } = size ?? { width: near.width * factor, height: near.height * factor };
  return {
    x: within(across.middle, width, whole.width),
    y: within(down.middle, height, whole.height),
    width,
    height,
  };
}

function spanOf(spans: readonly (readonly [number, number])[]): { readonly middle: number; readonly length: number } {
  if (spans.length === 0) return { middle: 0, length: 0 };
  const [from, to] = [Math.min(...spans.map(([begin]) => begin)), Math.max(...spans.map(([, end]) => end))];
  return { middle: (from + to) / 2, length: to - from };
}

/** Where a part begins whose middle is there, inside of the whole; a larger part has the whole in its middle. */
function within(middle: number, part: number, whole: number): number {
  if (part >= whole) return (whole - part) / 2;
  return Math.min(Math.max(0, middle - part / 2), whole - part);
}

/** How much of a chart can be read in so many pixels. */
export function readable({ width, height }: Size): Size {
  const scale = SMALLEST * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  return { width: width / scale, height: height / scale };
}

/** The whole of a chart, and around a small one so much that it is not drawn larger than it reads well. */
export function wholeOf(layout: Layout, { width, height }: Size): Rectangle {
  const size = { width: Math.max(layout.width, width / LARGEST), height: Math.max(layout.height, height / LARGEST) };
  return around(layout, new Set(), size);
}

const LARGEST = 1.5;
/** Scale of a chart that can be read, for each pixel of the page's letters. */
const SMALLEST = 0.8 / 14;
/** How much larger a part may become that is to show all active states. */
const LARGER = 1.7;
const MARGIN = 40;
