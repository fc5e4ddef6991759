import { expect } from 'vitest';
import type { ByteSocket } from '../../core/network.ts';

/** To the other side's end. */
export async function readAll(socket: ByteSocket): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function echoByRead(socket: ByteSocket): Promise<void> {
  for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) await socket.write(chunk);
  await socket.end();
}

/** How the other side's leaving looks depends on what was under way; that it shows does not. */
export async function endedOrReset(socket: ByteSocket): Promise<void> {
  const last = await socket.read().catch((error) => error.code);
  expect([null, 'ERR_CONNECTION_RESET']).toContain(last);
}
