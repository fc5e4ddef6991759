/** Reads an input as a list of orders, for targets that are driven by many steps. Beyond its end there are zeros. */
export interface Script {
  readonly done: boolean;
  byte(): number;
  /** 0..`count`-1, for `count` up to 2^16. */
  below(count: number): number;
  pick<T>(items: readonly T[]): T;
  /** At most `length` bytes: what is left, if that is less. A view. */
  take(length: number): Uint8Array;
}

export function readScript(input: Uint8Array): Script {
  let at = 0;
  const byte = (): number => input[at++] ?? 0;
  const below = (count: number): number => (count <= 256 ? byte() : (byte() << 8) | byte()) % count;
  return {
    get done() {
      return at >= input.length;
    },
    byte,
    below,
    pick: (items) => items[below(items.length)]!,
    take(length) {
      const taken = input.subarray(at, at + length);
      at += length;
      return taken;
    },
  };
}
