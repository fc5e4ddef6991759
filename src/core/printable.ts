/**
 * Text from outside as it may be shown to people: control and formatting characters, which could paint a terminal, are left out,
 * white space is one blank, and what is longer than `max` code units is cut.
 */
export function printable(text: string, max: number): string {
  // Cut first: that may leave half of a surrogate pair.
  return text.replace(/\s/g, ' ').slice(0, max).replace(UNPRINTABLE, '').replace(/ +/g, ' ').trim();
}

/** Whether a terminal may show the text as it is. */
export function isPrintable(text: string): boolean {
  return text.search(UNPRINTABLE) < 0;
}

/** General category Cc, the format characters that reorder or hide text, and halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
