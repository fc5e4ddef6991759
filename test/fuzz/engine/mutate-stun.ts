import { crc32 } from 'node:zlib';
import type { Chance } from './chance.ts';
import { type Mutator, mutateBytes } from './mutate-bytes.ts';

/** Changes of attributes, after which lengths, and now and then FINGERPRINT, are right again; one time in four of bytes. */
export const mutateStun: Mutator = (input, other, chance) => {
  if (input.length < HEADER || chance.oneIn(4)) return mutateBytes(input, other, chance);
  let attributes = splitAttributes(input);
  for (let changes = 1 + chance.below(3); changes > 0; changes--) {
    attributes = changeAttributes(attributes, splitAttributes(other), chance);
  }
  const header = Uint8Array.from(input.subarray(0, HEADER));
  if (chance.oneIn(8)) header[chance.below(2)]! ^= 1 << chance.below(8); // class and method
  const message = stunMessage(header, attributes);
  if (chance.oneIn(8)) return mutateBytes(message, other, chance);
  return chance.oneIn(2) ? withFingerprint(message) : message;
};

/** Header and attributes with the length that they have. */
export function stunMessage(header: Uint8Array, attributes: readonly Uint8Array[]): Uint8Array {
  const message = Buffer.concat([header.subarray(0, HEADER), ...attributes]);
  message.writeUInt16BE((message.length - HEADER) & 0xffff, 2);
  return message;
}

/** Type, length, value and padding of each; what is left over, or claims to be longer than it is, is the last one. */
export function splitAttributes(message: Uint8Array): Uint8Array[] {
  const attributes: Uint8Array[] = [];
  for (let at = HEADER; at < message.length; ) {
    const length = ((message[at + 2] ?? 0) << 8) | (message[at + 3] ?? 0);
    const next = Math.min(message.length, at + 4 + ((length + 3) & ~3));
    attributes.push(message.subarray(at, next));
    at = next;
  }
  return attributes;
}

export function typeOf(attribute: Uint8Array): number {
  return ((attribute[0] ?? 0) << 8) | (attribute[1] ?? 0);
}

/** The message with a FINGERPRINT, the right one, in the place of those that it has (RFC 8489 section 14.7). */
export function withFingerprint(message: Uint8Array): Uint8Array {
  const others = splitAttributes(message).filter((attribute) => typeOf(attribute) !== FINGERPRINT);
  const whole = Buffer.from(stunMessage(message, [...others, rawAttribute(FINGERPRINT, new Uint8Array(4))]));
  whole.writeUInt32BE((crc32(whole.subarray(0, -8)) ^ 0x5354_554e) >>> 0, whole.length - 4);
  return whole;
}

export function rawAttribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(4 + ((value.length + 3) & ~3));
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length & 0xffff, 2);
  bytes.set(value, 4);
  return bytes;
}

function changeAttributes(attributes: Uint8Array[], others: Uint8Array[], chance: Chance): Uint8Array[] {
  const at = chance.below(attributes.length + 1);
  const chosen = attributes[at];
  const value = chosen?.subarray(4) ?? new Uint8Array();
  switch (chance.below(7)) {
    case 0:
      return attributes.toSpliced(at, 1);
    case 1:
      return attributes.toSpliced(at, 0, ...others.slice(0, 1 + chance.below(3)));
    case 2:
      return attributes.toSpliced(at, 1, rawAttribute(chance.pick(TYPES), value));
    case 3:
      return attributes.toSpliced(chance.below(attributes.length + 1), 0, chosen ?? rawAttribute(0, value));
    case 4:
      return attributes.toSpliced(at, 0, rawAttribute(chance.pick(TYPES), chance.bytes(chance.pick(VALUE_LENGTHS))));
    case 5:
      return chance.oneIn(16)
        ? attributes.flatMap((one) => new Array<Uint8Array>(50).fill(one))
        : attributes.toReversed();
    default:
      return attributes.toSpliced(
        at,
        1,
        rawAttribute(typeOf(chosen ?? value), mutateBytes(value, value, chance).subarray(0, 800)),
      );
  }
}

const HEADER = 20;
const FINGERPRINT = 0x8028;

/** All that this codec knows (IANA registry "STUN Attributes"), and some that it does not, required and optional. */
const TYPES: readonly number[] = [
  0x0001, 0x0003, 0x0006, 0x0008, 0x0009, 0x000a, 0x0014, 0x0015, 0x001c, 0x0020, 0x0024, 0x0025, 0x8022, 0x8023,
  0x8028, 0x8029, 0x802a, 0x802b, 0x802c, 0x000c, 0x000d, 0x0012, 0x0013, 0x0016, 0x0017, 0x0018, 0x0019, 0x001a,
  0x001d, 0x001e, 0x0022, 0x8000, 0x8001, 0x8002, 0x8004, 0x0000, 0x0002, 0x0026, 0x0027, 0x7fff, 0x8003, 0xffff,
];
/** What the codecs want, one more and one less, and the limits of text. */
const VALUE_LENGTHS: readonly number[] = [0, 1, 3, 4, 5, 7, 8, 9, 19, 20, 21, 31, 32, 33, 127, 128, 508, 509, 763];
