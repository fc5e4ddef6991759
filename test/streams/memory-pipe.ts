import type { ByteSink, ByteSource } from '../../src/streams/index.ts';

/** A source of the given chunks, then the end. Counts the chunks taken from it. */
export function sourceOf(...chunks: readonly Uint8Array[]): ByteSource & { taken: number } {
  return {
    taken: 0,
    async read() {
      return chunks[this.taken++] ?? null;
    },
  };
}

/** A sink whose writes wait until they are let through. */
export function gatedSink(): ByteSink & { readonly written: Uint8Array[]; ended: boolean; letThrough(): void } {
  let open: (() => void) | undefined;
  return {
    written: [],
    ended: false,
    write(bytes) {
      return new Promise((resolve) => {
        open = () => {
          this.written.push(bytes);
          resolve();
        };
      });
    },
    async end() {
      this.ended = true;
    },
    letThrough() {
      open?.();
      open = undefined;
    },
  };
}
