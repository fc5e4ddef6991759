import { type Random, randomInteger } from '../../src/core/random.ts';

/** A message as a broken or hostile sender would have it: some bytes changed, then perhaps cut short, lengthened or doubled. */
export function mutate(message: Uint8Array, random: Random): Uint8Array {
  const bytes = Uint8Array.from(message);
  for (let changes = randomInteger(random, 4); changes > 0 && bytes.length > 0; changes--) {
    bytes[randomInteger(random, bytes.length)] = randomInteger(random, 256);
  }
  switch (randomInteger(random, 6)) {
    case 0:
      return bytes.subarray(0, randomInteger(random, bytes.length + 1));
    case 1:
      return Buffer.concat([bytes, random.bytes(randomInteger(random, 40))]);
    case 2:
      return Buffer.concat([bytes, bytes]);
    default:
      return bytes;
  }
}
