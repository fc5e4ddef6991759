import { setTimeout as sleep } from 'node:timers/promises';
import type { ByteSocket } from '../core/network.ts';
import type { SessionStream } from '../core/session.ts';

/** Anything that is read and written as a {@link SessionStream} is. */
export interface ByteDuplex {
  read(): Promise<Uint8Array | null>;
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

/** Copies until the source ends, then half-closes the sink. */
async function copy(from: Pick<ByteDuplex, 'read'>, to: Pick<ByteDuplex, 'write' | 'end'>): Promise<void> {
  for (let chunk = await from.read(); chunk !== null; chunk = await from.read()) await to.write(chunk);
  await to.end();
}

/** Sends back what comes in. */
export const echoStream = (stream: SessionStream): Promise<void> => copy(stream, stream);

/** Joins a stream and a TCP connection, each half closing by itself; an error on one side ends the other. */
export async function join(stream: SessionStream, socket: ByteSocket): Promise<void> {
  try {
    await Promise.all([copy(stream, socket), copy(socket, stream)]);
  } catch (error) {
    stream.reset();
    socket.destroy();
    throw error;
  }
}

/**
 * Sends one line, hands the line that comes back to `onLine` at once, and fulfils when the other side has read ours to
 * its end. What it still sends is read and dropped, so that it can end in order too, but a side that does not end is
 * waited for no longer than a second. False when the stream ended without a line; lines are cut at 64 KiB.
 */
export async function exchangeLine(
  stream: SessionStream,
  text: string,
  onLine: (line: string) => void,
): Promise<boolean> {
  await stream.write(Buffer.from(`${text}\n`));
  const line = await readLine(stream);
  if (line !== undefined) onLine(line);
  await stream.end();
  const drained = drain(stream);
  await stream.finished;
  await Promise.race([drained, sleep(DRAIN, undefined, { ref: false })]);
  return line !== undefined;
}

async function readLine(stream: SessionStream): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    chunks.push(chunk);
    length += chunk.length;
    if (chunk.includes(0x0a) || length > MAX_LINE) break;
  }
  if (length === 0) return undefined;
  const [line = ''] = Buffer.concat(chunks).toString('utf8').split('\n', 1);
  return line.replace(/\r$/, '');
}

async function drain(stream: SessionStream): Promise<void> {
  while ((await stream.read().catch(() => null)) !== null);
}

const MAX_LINE = 65_536;
/** ms. */
const DRAIN = 1000;
