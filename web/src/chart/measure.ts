/** How pictures are lettered. Sizes in pixels; the same in the page and in Node, so that a layout is the same in both. */
export type Lettering = 'title' | 'text' | 'code';

export const SIZES: Record<Lettering, number> = { title: 14, text: 12, code: 11.5 };
export const LINE: Record<Lettering, number> = { title: 20, text: 16, code: 16 };

/** Width of a text that no common font of its kind exceeds by much; texts are drawn with that length at most. */
export function widthOf(text: string, lettering: Lettering): number {
  const size = SIZES[lettering];
  if (lettering === 'code') return Math.ceil(text.length * size * MONOSPACED);
  let width = 0;
  for (const letter of text) width += WIDTHS.get(letter) ?? (letter >= 'A' && letter <= 'Z' ? 0.7 : 0.57);
  return Math.ceil(width * size * (lettering === 'title' ? 1.25 : 1.1));
}

/** Of the size of the font: DejaVu, Menlo and Consolas have 0.55 to 0.605. */
const MONOSPACED = 0.605;

/** Narrow and wide letters of a common sans-serif font, by the size of the font. */
const WIDTHS: ReadonlyMap<string, number> = new Map([
  ...[..."iljI.,:;'|!"].map((letter) => [letter, 0.3] as const),
  ...[...'ftr()[]/-" '].map((letter) => [letter, 0.39] as const),
  ...[...'mwMW@%'].map((letter) => [letter, 0.92] as const),
]);
