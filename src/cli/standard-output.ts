import { write } from 'node:fs';
import type { Socket } from 'node:net';
import { isPipe, openPipe } from './stdio-pipe.ts';

/** stdout as a carrier of data, one chunk at a time. */
export interface StandardOutput {
  /** Fulfils when the system has taken all of `bytes`; false when the reader has gone, or stdout was released. */
  write(bytes: Uint8Array): Promise<boolean>;
  /** Abandons a chunk that the reader does not take, so that the process can end. */
  release(): void;
}

export function createStandardOutput(): StandardOutput {
  let pipe: Socket | undefined;
  let released = false;
  let writing = false;

  return {
    async write(bytes) {
      if (released) return false;
      writing = true;
      try {
        if (!isPipe(1)) return await writeFile(bytes);
        pipe ??= openPipe(1);
        return (await writePipe(pipe, bytes)) && !released;
      } finally {
        writing = false;
      }
    },
    release() {
      released = true;
      if (writing) pipe?.destroy();
    },
  };
}

function writePipe(pipe: Socket, bytes: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    pipe.write(bytes, (error) => {
      if (error === null || error === undefined) resolve(true);
      else if (isGone(error)) resolve(false);
      else reject(error);
    });
  });
}

async function writeFile(bytes: Uint8Array): Promise<boolean> {
  for (let offset = 0; offset < bytes.length; ) {
    const written = await writeSome(bytes, offset);
    if (written === undefined) return false;
    offset += written;
  }
  return true;
}

/** `undefined` when the reader has gone. */
function writeSome(bytes: Uint8Array, offset: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    write(1, bytes, offset, bytes.length - offset, null, (error, written) => {
      if (error === null) resolve(written);
      else if (isGone(error)) resolve(undefined);
      else reject(error);
    });
  });
}

function isGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_DESTROYED';
}
