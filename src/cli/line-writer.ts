import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { isPipe, openPipe } from './stdio-pipe.ts';

/** Lines for stdout or stderr, each of them whole or not at all. A reader that has gone or stalled holds nothing up. */
export interface LineWriter {
  /** `text` ends with a line feed. */
  write(text: string): void;
  /** Abandons what the reader has not taken, so that the process can end. */
  release(): void;
}

/** Bytes that wait for a reader; what comes then is dropped. */
const MAX_WAITING = 2 ** 20;

export function createLineWriter(fd: 1 | 2): LineWriter {
  let pipe: Socket | undefined;
  return {
    write(text) {
      if (!isPipe(fd)) return writeAll(fd, text);
      pipe ??= openPipe(fd);
      if (pipe.writable && pipe.writableLength < MAX_WAITING) pipe.write(text);
    },
    release() {
      if (pipe !== undefined && pipe.writableLength > 0) pipe.destroy();
    },
  };
}

/** A file or a terminal, which take all that they are given at once. */
function writeAll(fd: 1 | 2, text: string): void {
  try {
    writeSync(fd, text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPIPE' && code !== 'EAGAIN' && code !== 'EIO') throw error;
  }
}
