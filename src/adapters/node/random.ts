import { randomFillSync } from 'node:crypto';
import type { Random } from '../../core/random.ts';

/**
 * Chance from the system's cryptographic generator, which is asked for more than is wanted: asking costs more than the
 * bytes do.
 */
export function cryptoRandom(): Random {
  const stock = new Uint8Array(STOCK);
  let used = STOCK;
  return {
    bytes(length) {
      if (length > STOCK) return randomFillSync(new Uint8Array(length));
      if (used + length > STOCK) {
        randomFillSync(stock);
        used = 0;
      }
      const bytes = stock.slice(used, used + length);
      // What was given out may be a secret: nothing of it stays here.
      stock.fill(0, used, used + length);
      used += length;
      return bytes;
    },
  };
}

/** Bytes fetched at a time. */
const STOCK = 1024;
