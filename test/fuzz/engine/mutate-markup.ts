import type { Chance } from './chance.ts';
import { MAX_INPUT, type Mutator } from './mutate-bytes.ts';
import { mutateText } from './mutate-text.ts';

/** Changes of tags, with the text behind each; one time in four of characters. */
export const mutateMarkup: Mutator = (input, other, chance) => {
  if (chance.oneIn(4)) return mutateText(input, other, chance);
  let pieces = piecesOf(input);
  for (let changes = 1 + chance.below(3); changes > 0; changes--) pieces = change(pieces, piecesOf(other), chance);
  return Buffer.from(pieces.join('')).subarray(0, MAX_INPUT);
};

/** Each with the tag that it begins with. */
function piecesOf(input: Uint8Array): string[] {
  return Buffer.from(input).toString('utf8').split(/(?=<)/);
}

function change(pieces: string[], others: string[], chance: Chance): string[] {
  const at = chance.below(pieces.length + 1);
  const piece = pieces[at] ?? '';
  switch (chance.below(6)) {
    case 0:
      return pieces.toSpliced(at, 1 + chance.below(4));
    case 1:
      return pieces.toSpliced(at, 0, ...pieces.slice(at, at + 1 + chance.below(8)));
    case 2:
      return pieces.toSpliced(at, 0, ...new Array<string>(repeats(piece, chance)).fill(piece));
    case 3:
      return pieces.toSpliced(chance.below(pieces.length + 1), 0, ...others.slice(at, at + 1 + chance.below(8)));
    case 4:
      return pieces.toSpliced(at, 0, chance.pick(MARKUP));
    default:
      return pieces.toSpliced(at, 1, `${piece.split('>')[0]}>${chance.pick(TEXTS)}`);
  }
}

/** Mostly few; now and then enough for any bound. */
function repeats(piece: string, chance: Chance): number {
  const count = chance.oneIn(32) ? 10_000 : chance.pick([2, 20, 30]);
  return Math.min(count, Math.floor(MAX_INPUT / (piece.length + 1)));
}

/** What a parser treats in a way of its own. */
const MARKUP: readonly string[] = [
  '<!--',
  '-->',
  '<![CDATA[',
  ']]>',
  '<?xml version="1.0"?>',
  '<?x',
  '<!DOCTYPE a [<!ENTITY b "&c;">]>',
  '<!ENTITY b "&b;">',
  '<a x="',
  `<a ${'b="c" '.repeat(100)}>`,
  '<a/>',
  '</a>',
  '<a',
  '<>',
  '</>',
  '<:a>',
  '<a:b:c>',
  '<__proto__>',
  '<constructor>',
  '<#text>',
];

const TEXTS: readonly string[] = [
  '',
  ' ',
  '&amp;lt;',
  '&b;',
  '&#0;',
  '&#x110000;',
  '&'.repeat(1000),
  '0',
  '-1',
  '65536',
  '4294967296',
  '1e3',
  '0x10',
  '127.0.0.1',
  'http://192.0.2.66/',
  '//192.0.2.66/',
  'x'.repeat(2000),
  ' '.repeat(2000),
  '\u001b[2J\u202e',
];
