import { firstValueFrom } from 'rxjs';
import type { SessionStream } from '../../src/core/session.ts';
import type { Connection } from '../../src/peer/connection.ts';

/** A stream from one connection to the other, seen from both ends. */
export async function streamBetween(from: Connection, to: Connection): Promise<[SessionStream, SessionStream]> {
  const accepted = firstValueFrom(to.streams$);
  const opened = await from.openStream();
  return [opened, await accepted];
}

/** Bytes of which no four at a multiple of four occur twice: a repeated, missing or misplaced one shows. */
export function numberedBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32BE(at, at);
  return bytes;
}

/** Writes all of `bytes` and ends. */
export async function sendAll(stream: SessionStream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += CHUNK) await stream.write(bytes.subarray(at, at + CHUNK));
  await stream.end();
}

/** Everything up to the other side's end; `onProgress` is told how many bytes are there. */
export async function receiveAll(
  stream: SessionStream,
  onProgress: (received: number) => void = () => {},
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    chunks.push(Uint8Array.from(chunk));
    received += chunk.length;
    onProgress(received);
  }
  return Buffer.concat(chunks);
}

const CHUNK = 16_384;
