import type { Chance } from './chance.ts';
import { type Mutator, mutateBytes } from './mutate-bytes.ts';

/** Changes of characters; one time in four of bytes, which need not be UTF-8 afterwards. */
export const mutateText: Mutator = (input, other, chance) => {
  if (chance.oneIn(4)) return mutateBytes(input, other, chance);
  let text = Buffer.from(input).toString('utf8');
  for (let changes = 1 + chance.below(3); changes > 0; changes--) text = changeText(text, chance);
  return Buffer.from(text);
};

/** One change of a text. */
export function changeText(text: string, chance: Chance): string {
  const at = chance.below(text.length + 1);
  const length = chance.below(Math.min(8, text.length - at) + 1);
  const [head, cut, tail] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
  switch (chance.below(8)) {
    case 0:
      return head + tail;
    case 1:
      return head + cut + cut + tail;
    case 2:
      return head + (cut === cut.toUpperCase() ? cut.toLowerCase() : cut.toUpperCase()) + tail;
    case 3:
      return head + chance.pick(NUMBERS) + tail;
    case 4:
      return head + cut.repeat(chance.oneIn(50) ? 1 + chance.below(5000) : 3) + tail;
    case 5:
      return head + chance.pick(CHARACTERS).repeat(chance.pick([2, 30, 300, 3000])) + tail; // what makes a pattern backtrack
    default:
      return head + chance.pick(CHARACTERS) + tail;
  }
}

/** What a parser may take for something else: controls, directions, lone surrogates, white space of other scripts, digits too. */
const CHARACTERS: readonly string[] = [
  ...'\0\t\n\r\u001b "\'\\/:;,.%@#?&=+-_*()[]{}<>|~^`0a',
  '\u007f',
  '\u0085',
  '\u00a0',
  '\u00ad',
  '\u0131',
  '\u0660',
  '\u200b',
  '\u202e',
  '\u2028',
  '\u212a',
  '\ufeff',
  '\uff11',
  '\ufffd',
  '\ud800',
  '\udc00',
  '\u{1f600}',
  '::',
  '%25',
  '\r\n\r\n',
];

const NUMBERS: readonly string[] = [
  '0',
  '-0',
  '-1',
  '1',
  '00',
  '255',
  '256',
  '65535',
  '65536',
  '2147483647',
  '2147483648',
  '4294967296',
  '9007199254740993',
  '1e3',
  '1e999',
  '0x10',
  '0.5',
  '.5',
  '5.',
  '999999999999999999999999',
];
