import type { Chance } from './chance.ts';

/** Makes a new input of one that is known; `other` is another known one, to take parts of. Neither is changed. */
export type Mutator = (input: Uint8Array, other: Uint8Array, chance: Chance) => Uint8Array;

/** One to four changes that know nothing of what the bytes mean. No result is longer than {@link MAX_INPUT}. */
export const mutateBytes: Mutator = (input, other, chance) => {
  let bytes = Uint8Array.from(input);
  for (let changes = 1 + chance.below(4); changes > 0; changes--) bytes = chance.pick(CHANGES)(bytes, other, chance);
  return bytes.subarray(0, MAX_INPUT);
};

/** A boundary of its width, or near one; big-endian into the first bytes that are returned. */
function boundaryInteger(width: number, chance: Chance): Uint8Array {
  const top = 2 ** (8 * width);
  const value = chance.pick([
    0,
    1,
    2,
    3,
    top / 2 - 1,
    top / 2,
    top - 1,
    top - 2,
    top - 4,
    2 ** chance.below(8 * width),
  ]);
  return Uint8Array.from({ length: width }, (_, i) => Math.floor(value / 2 ** (8 * (width - 1 - i))) % 256);
}

/** Bytes: somewhat more than the longest of all inputs, a control frame, so that what is too long is met too. */
export const MAX_INPUT = 2 ** 18;

type Change = (bytes: Uint8Array<ArrayBuffer>, other: Uint8Array, chance: Chance) => Uint8Array<ArrayBuffer>;

/** In the order of what finds most. The whole input is copied at most once a change. */
const CHANGES: readonly Change[] = [
  flipBit,
  flipBit,
  replaceByte,
  replaceByte,
  writeBoundary,
  writeBoundary,
  adjustInteger,
  truncate,
  dropRange,
  repeatRange,
  insertBytes,
  splice,
  overwriteWithOther,
  swapRanges,
];

function flipBit(bytes: Uint8Array<ArrayBuffer>, _other: Uint8Array, chance: Chance): Uint8Array<ArrayBuffer> {
  if (bytes.length > 0) bytes[chance.below(bytes.length)]! ^= 1 << chance.below(8);
  return bytes;
}

function replaceByte(bytes: Uint8Array<ArrayBuffer>, _other: Uint8Array, chance: Chance): Uint8Array<ArrayBuffer> {
  if (bytes.length > 0) bytes[chance.below(bytes.length)] = chance.below(256);
  return bytes;
}

/** Length fields are integers of 1, 2, 4 or 6 bytes. */
function writeBoundary(bytes: Uint8Array<ArrayBuffer>, _other: Uint8Array, chance: Chance): Uint8Array<ArrayBuffer> {
  const width = chance.pick([1, 2, 2, 4, 6, 8]);
  if (bytes.length < width) return bytes;
  bytes.set(boundaryInteger(width, chance), chance.below(bytes.length - width + 1));
  return bytes;
}

/** A 16-bit number a little more or less: the length that is wrong by one. */
function adjustInteger(bytes: Uint8Array<ArrayBuffer>, _other: Uint8Array, chance: Chance): Uint8Array<ArrayBuffer> {
  if (bytes.length < 2) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const at = chance.below(bytes.length - 1);
  view.setUint16(at, view.getUint16(at) + chance.below(17) - 8);
  return bytes;
}

function truncate(bytes: Uint8Array<ArrayBuffer>, _other: Uint8Array, chance: Chance): Uint8Array<ArrayBuffer> {
  return bytes.slice(0, chance.below(bytes.length + 1));
}

function dropRange(bytes: Uint8Array<ArrayBuffer>, _other: Uint8Array, chance: Chance): Uint8Array<ArrayBuffer> {
  const [from, to] = range(bytes, chance);
  return join(bytes.subarray(0, from), bytes.subarray(to));
}

/** Mostly twice; now and then many times, for what grows faster than its input. */
function repeatRange(bytes: Uint8Array<ArrayBuffer>, _other: Uint8Array, chance: Chance): Uint8Array<ArrayBuffer> {
  const [from, to] = range(bytes, chance);
  const times = chance.oneIn(64) ? 2 + chance.below(1000) : 1;
  const copies = Math.min(times, Math.ceil(MAX_INPUT / Math.max(1, to - from)));
  return join(
    bytes.subarray(0, to),
    ...new Array<Uint8Array>(copies).fill(bytes.subarray(from, to)),
    bytes.subarray(to),
  );
}

function insertBytes(bytes: Uint8Array<ArrayBuffer>, _other: Uint8Array, chance: Chance): Uint8Array<ArrayBuffer> {
  const at = chance.below(bytes.length + 1);
  return join(bytes.subarray(0, at), chance.bytes(1 + chance.below(8)), bytes.subarray(at));
}

/** The head of this one and the tail of the other. */
function splice(bytes: Uint8Array<ArrayBuffer>, other: Uint8Array, chance: Chance): Uint8Array<ArrayBuffer> {
  return join(bytes.subarray(0, chance.below(bytes.length + 1)), other.subarray(chance.below(other.length + 1)));
}

function overwriteWithOther(
  bytes: Uint8Array<ArrayBuffer>,
  other: Uint8Array,
  chance: Chance,
): Uint8Array<ArrayBuffer> {
  const [from, to] = range(other, chance);
  const at = chance.below(bytes.length + 1);
  bytes.set(other.subarray(from, Math.min(to, from + bytes.length - at)), at);
  return bytes;
}

function swapRanges(bytes: Uint8Array<ArrayBuffer>, _other: Uint8Array, chance: Chance): Uint8Array<ArrayBuffer> {
  const [from, to] = range(bytes, chance);
  const cut = from + chance.below(to - from + 1);
  return join(bytes.subarray(0, from), bytes.subarray(cut, to), bytes.subarray(from, cut), bytes.subarray(to));
}

/** Mostly short, so that what surrounds it stays what it was. */
function range(bytes: Uint8Array, chance: Chance): [number, number] {
  const from = chance.below(bytes.length + 1);
  const longest = chance.oneIn(4) ? bytes.length - from : Math.min(16, bytes.length - from);
  return [from, from + chance.below(longest + 1)];
}

function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}
