import { createHash, type Hash, randomBytes } from 'node:crypto';
import type { ByteSocket } from '../index.ts';
import { nodeNetwork } from '../node.ts';

/** Sends `length` random bytes to an echo service at a local port and compares what comes back. */
export async function exchangeBytes(port: number, length: number): Promise<{ seconds: number; intact: boolean }> {
  const startedAt = performance.now();
  const socket = await nodeNetwork().connect({ host: '127.0.0.1', port });
  const [sent, received] = await Promise.all([send(socket, length), receive(socket)]);
  return { seconds: (performance.now() - startedAt) / 1000, intact: sent === received };
}

async function send(socket: ByteSocket, length: number): Promise<string> {
  const hash: Hash = createHash('sha256');
  const block = randomBytes(65_536);
  for (let left = length; left > 0; left -= block.length) {
    block.writeUInt32BE(left, 0);
    const chunk = Uint8Array.from(block.subarray(0, left));
    hash.update(chunk);
    await socket.write(chunk);
  }
  await socket.end();
  return hash.digest('hex');
}

async function receive(socket: ByteSocket): Promise<string> {
  const hash: Hash = createHash('sha256');
  for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) hash.update(chunk);
  return hash.digest('hex');
}
