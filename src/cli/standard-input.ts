import { TraversalError } from '../core/errors.ts';

/** stdin, read by whoever needs it next: a line for the ticket, the rest as data. */
export interface StandardInput {
  /** The first line without its end. Throws `ERR_USAGE` when stdin ends before one, or a line is over 64 KiB. */
  readLine(): Promise<string>;
  /** Next chunk, or `null` at the end, which `release` also is. */
  read(): Promise<Uint8Array | null>;
  /** Lets go of stdin, so that the process can end while it is still open. */
  release(): void;
}

const MAX_LINE = 65_536;

/** `signal` releases it. */
export function createStandardInput(signal?: AbortSignal): StandardInput {
  let iterator: AsyncIterator<Buffer> | undefined;
  let rest: Buffer | undefined;
  let released = false;

  const next = async (): Promise<Buffer | null> => {
    if (released) return null;
    iterator ??= process.stdin[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    try {
      const { value, done } = await iterator.next();
      return done ? null : value;
    } catch (error) {
      if (released) return null;
      throw error;
    }
  };

  const release = (): void => {
    released = true;
    signal?.removeEventListener('abort', release);
    process.stdin.destroy();
  };
  signal?.addEventListener('abort', release);

  return {
    release,
    async readLine() {
      let line = Buffer.alloc(0);
      while (!line.includes(0x0a) && line.length <= MAX_LINE) {
        const chunk = await next();
        if (chunk === null) break;
        line = Buffer.concat([line, chunk]);
      }
      const end = line.indexOf(0x0a);
      if (line.length === 0 || line.length > MAX_LINE)
        throw new TraversalError('ERR_USAGE', 'stdin held no line to read');
      rest = end < 0 ? undefined : line.subarray(end + 1);
      return line
        .subarray(0, end < 0 ? undefined : end)
        .toString('utf8')
        .trim();
    },
    async read() {
      if (rest !== undefined && rest.length > 0) {
        const chunk = rest;
        rest = undefined;
        return chunk;
      }
      return next();
    },
  };
}
