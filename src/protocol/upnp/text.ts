/**
 * Text of a gateway as it may be shown to people: control and formatting characters, which could paint a terminal, are left out,
 * white space is one blank, and what is longer than `max` code units is cut.
 */
export function printable(text: string, max: number): string {
  return text.replace(/\s+/g, ' ').replace(UNPRINTABLE, '').trim().slice(0, max);
}

/** General category Cc, the format characters that reorder or hide text, and halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** UTF-8, leniently: device descriptions in other encodings are common, and only their names suffer. */
export function decodeUtf8(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

const utf8 = new TextDecoder('utf-8');
