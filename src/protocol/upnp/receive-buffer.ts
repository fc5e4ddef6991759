/** What came in and was not used yet, in one piece. It doubles as it grows, so that many small parts cost no more than a large one. */
export interface ReceiveBuffer {
  /** A view, good until the next `append`. */
  readonly bytes: Uint8Array;
  /** Takes as many as the limit lets it take in all, and gives their number. */
  append(bytes: Uint8Array): number;
  /** Takes `length` bytes off the start. */
  drop(length: number): void;
}

/** `limit` in bytes. */
export function createReceiveBuffer(limit: number): ReceiveBuffer {
  let store = new Uint8Array(Math.min(limit, 1024));
  let start = 0;
  let end = 0;
  return {
    get bytes() {
      return store.subarray(start, end);
    },
    append(bytes) {
      const needed = Math.min(limit, end + bytes.length);
      if (needed > store.length) {
        const larger = new Uint8Array(Math.min(limit, Math.max(needed, 2 * store.length)));
        larger.set(store.subarray(0, end));
        store = larger;
      }
      const taken = needed - end;
      store.set(bytes.subarray(0, taken), end);
      end = needed;
      return taken;
    },
    drop(length) {
      start += length;
    },
  };
}
