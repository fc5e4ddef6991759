import { write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Writes all of `bytes` to stdout without blocking the event loop, which `process.stdout` would do on a full pipe.
 * False when the reader has gone.
 */
export async function writeStandardOutput(bytes: Uint8Array): Promise<boolean> {
  for (let offset = 0; offset < bytes.length; ) {
    const written = await writeSome(bytes, offset);
    if (written === 'gone') return false;
    if (written === 'full') await sleep(FULL_WAIT);
    else offset += written;
  }
  return true;
}

/** ms until a full non-blocking pipe is tried again. */
const FULL_WAIT = 2;

function writeSome(bytes: Uint8Array, offset: number): Promise<number | 'full' | 'gone'> {
  return new Promise((resolve, reject) => {
    write(1, bytes, offset, bytes.length - offset, null, (error, written) => {
      if (error === null) resolve(written);
      else if (error.code === 'EAGAIN') resolve('full');
      else if (error.code === 'EPIPE') resolve('gone');
      else reject(error);
    });
  });
}
