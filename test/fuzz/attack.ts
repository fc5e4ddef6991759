import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Endpoint } from '../../src/core/endpoint.ts';
import { seededChance } from './engine/chance.ts';
import type { Mutator } from './engine/mutate-bytes.ts';

/** So many inputs made of these. */
export function mutations(seeds: readonly Uint8Array[], mutate: Mutator, count: number, seed: number): Uint8Array[] {
  const chance = seededChance(seed);
  return Array.from({ length: count }, () => mutate(chance.pick(seeds), chance.pick(seeds), chance));
}

/** Sends datagrams from a socket of its own; each has left when it resolves. `source`: an address of this machine to send from. */
export async function sendDatagrams(
  datagrams: readonly Uint8Array[],
  to: readonly Endpoint[],
  source = '127.0.0.1',
): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(0, source);
  await once(socket, 'listening');
  for (const [i, bytes] of datagrams.entries()) {
    const { address, port } = to[i % to.length]!;
    await new Promise<void>((resolve) => socket.send(bytes.subarray(0, MAX_DATAGRAM), port, address, () => resolve()));
  }
  socket.close();
}

/**
 * Opens a TCP connection, writes the parts one after the other and half-closes. Resolves when the other side has closed, or has said
 * something and then been left; errors of the connection are what an attack may bring about.
 */
export async function sendStream(parts: readonly Uint8Array[], to: Endpoint): Promise<void> {
  const socket = connect({ host: to.address, port: to.port, noDelay: true });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  for (const part of parts) socket.write(part);
  socket.end();
  socket.once('data', () => socket.destroy());
  await closed;
}

/** Runs so many at a time. */
export async function inParallel(count: number, width: number, run: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** What UDP over IPv4 carries. */
const MAX_DATAGRAM = 65_507;
