import { firstValueFrom } from 'rxjs';
import type { SessionStream } from '../../src/core/session.ts';
import type { Connection } from '../../src/peer/connection.ts';

/** Bytes on their way from one connection to the other, until they are told to end. */
export interface Transfer {
  /** Fulfils when so many bytes more have arrived. */
  more(bytes: number): Promise<void>;
  /** Ends it; fulfils when every byte has arrived, once and in order. */
  finish(): Promise<void>;
}

export async function startTransfer(from: Connection, to: Connection): Promise<Transfer> {
  const [opened, accepted] = await streamBetween(from, to);
  const waiting = new Set<{ readonly until: number; resolve(): void }>();
  let received = 0;
  let ending = false;

  const sending = (async () => {
    let sent = 0;
    for (; !ending; sent += CHUNK) await opened.write(numberedBytes(CHUNK, sent));
    await opened.end();
    return sent;
  })();
  const receiving = (async () => {
    for (let chunk = await accepted.read(); chunk !== null; chunk = await accepted.read()) {
      checkNumbers(chunk, received);
      received += chunk.length;
      for (const waiter of waiting) if (received >= waiter.until && waiting.delete(waiter)) waiter.resolve();
    }
  })();

  return {
    more: (bytes) =>
      new Promise((resolve) => {
        waiting.add({ until: received + bytes, resolve });
      }),
    async finish() {
      ending = true;
      const [sent] = await Promise.all([sending, receiving]);
      if (received !== sent) throw new Error(`${sent} bytes were sent and ${received} came`);
    },
  };
}

/** A stream from one connection to the other, seen from both ends. */
export async function streamBetween(from: Connection, to: Connection): Promise<[SessionStream, SessionStream]> {
  const accepted = firstValueFrom(to.streams$);
  const opened = await from.openStream();
  return [opened, await accepted];
}

/** Each four bytes hold their own position: a repeated, missing or misplaced one shows. */
export function numberedBytes(length: number, offset = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32BE(offset + at, at);
  return bytes;
}

function checkNumbers(bytes: Uint8Array, offset: number): void {
  for (let i = 0; i < bytes.length; i++) {
    const at = offset + i;
    const expected = ((at & ~3) >>> (8 * (3 - (at & 3)))) & 0xff;
    if (bytes[i] !== expected) throw new Error(`byte ${at} is ${bytes[i]} where ${expected} was sent`);
  }
}

/** Writes all of `bytes` and ends. */
export async function sendAll(stream: SessionStream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += CHUNK) await stream.write(bytes.subarray(at, at + CHUNK));
  await stream.end();
}

/** Everything up to the other side's end. */
export async function receiveAll(stream: SessionStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const CHUNK = 16_384;
