/** Chance as an argument: cryptographic in `adapters/node`, seeded in the simulator. */
export interface Random {
  /** `length` fresh random bytes. */
  bytes(length: number): Uint8Array;
}

/** Uniform integer in 0..`below`-1, for `below` in 1..2^32. */
export function randomInteger(random: Random, below: number): number {
  const limit = 2 ** 32 - (2 ** 32 % below);
  for (;;) {
    const value = Buffer.from(random.bytes(4)).readUInt32BE(0);
    if (value < limit) return value % below;
  }
}
