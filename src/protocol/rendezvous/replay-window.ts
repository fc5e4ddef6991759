/**
 * Which sequence numbers have been seen: each is accepted once, and none older than the window (as in RFC 4303 section
 * 3.4.3).
 */
export interface ReplayWindow {
  /** Call only with authenticated numbers: a forged one would move the window. */
  accept(sequence: number): boolean;
}

/** A window of 64 numbers behind the highest one seen. */
export function createReplayWindow(): ReplayWindow {
  let highest = -1;
  /** Bit n is set when `highest - n` has been seen. */
  let seen = 0n;
  return {
    accept(sequence) {
      const ahead = sequence - highest;
      if (ahead > 0) {
        seen = ahead < SIZE ? BigInt.asUintN(SIZE, seen << BigInt(ahead)) | 1n : 1n;
        highest = sequence;
        return true;
      }
      const bit = 1n << BigInt(-ahead);
      if (-ahead >= SIZE || (seen & bit) !== 0n) return false;
      seen |= bit;
      return true;
    },
  };
}

const SIZE = 64;
