import type { Chance } from './chance.ts';
import type { Mutator } from './mutate-bytes.ts';
import { changeText, mutateText } from './mutate-text.ts';

/** Changes of values, fields and their kinds; one time in four, and where the input is no JSON, of the text. */
export const mutateJson: Mutator = (input, other, chance) => {
  const value = chance.oneIn(4) ? undefined : parse(input);
  if (value === undefined) return mutateText(input, other, chance);
  let changed: unknown = value;
  for (let changes = 1 + chance.below(3); changes > 0; changes--) changed = change(changed, parse(other), chance);
  return Buffer.from(JSON.stringify(changed));
};

/** `undefined` when it is no JSON. */
function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Goes down to a value anywhere in the tree, and changes it; a change nearer to the root is as likely as one at a leaf. */
function change(value: unknown, other: unknown, chance: Chance): unknown {
  if (typeof value !== 'object' || value === null || chance.oneIn(6)) return replace(value, other, chance);
  const keys = Object.keys(value);
  if (keys.length === 0 || chance.oneIn(6)) return changeMembers(value, other, chance);
  const key = chance.pick(keys);
  const inner = change((value as Record<string, unknown>)[key], other, chance);
  return Array.isArray(value) ? value.with(Number(key), inner) : { ...value, [key]: inner };
}

function changeMembers(value: object, other: unknown, chance: Chance): unknown {
  if (Array.isArray(value)) {
    if (value.length === 0 || chance.oneIn(4)) return [...value, chance.pick(VALUES)];
    if (chance.oneIn(3)) return value.toSpliced(chance.below(value.length), 1);
    const item: unknown = chance.pick(value);
    const count = chance.pick([2, 3, 8, 9, 16, 17, 32, 33]);
    return JSON.stringify(item).length < MAX_REPEATED ? new Array(count).fill(item) : [item, item];
  }
  const entries: [string, unknown][] = Object.entries(value);
  if (entries.length > 0 && chance.oneIn(2))
    return Object.fromEntries(entries.toSpliced(chance.below(entries.length), 1));
  if (chance.oneIn(2)) return { ...value, ...(typeof other === 'object' ? other : {}) };
  const added = Object.fromEntries([[chance.pick(KEYS), chance.pick(VALUES)]]);
  return { ...value, ...added };
}

function replace(value: unknown, other: unknown, chance: Chance): unknown {
  if (chance.oneIn(3)) return chance.pick(VALUES);
  if (chance.oneIn(8)) return other ?? null;
  if (typeof value === 'number') return value + chance.pick([1, -1, 0.5, 2 ** 31, -(2 ** 31), 2 ** 53]);
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') return changeText(value, chance);
  return value === null ? chance.pick(VALUES) : chance.oneIn(2) ? [value] : { item: value };
}

/** Own keys that an object has anyway, and those of our messages that a reader may expect elsewhere. */
const KEYS: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  'length',
  'type',
  'v',
  '',
  'candidates',
  'item',
];

/** Characters of a value that is repeated, and depth of one that is nested: enough for each bound, and quick. */
const MAX_REPEATED = 500;
const NESTING = 2000;

const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1,
  0.1,
  255,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 48,
  2 ** 53,
  -(2 ** 53),
  1e308,
  '',
  'offer',
  '__proto__',
  'AA',
  'AAA=',
  '\ud800',
  '\u202e',
  '\0',
  'A'.repeat(22),
  'A'.repeat(43),
  'A'.repeat(86),
  'x'.repeat(10_000),
  [],
  {},
  [[]],
  JSON.parse(`${'['.repeat(NESTING)}${']'.repeat(NESTING)}`),
];
