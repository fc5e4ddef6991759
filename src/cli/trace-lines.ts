import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { TraversalError } from '../index.ts';

/** The lines of a file, which may be large: read as they are asked for. Throws `ERR_USAGE` when it cannot be read. */
export function* readLines(path: string): Generator<string> {
  const chunk = Buffer.alloc(65_536);
  const decoder = new StringDecoder('utf8');
  const fd = attempt(path, () => openSync(path, 'r'));
  try {
    let rest = '';
    for (;;) {
      const length = attempt(path, () => readSync(fd, chunk));
      if (length === 0) break;
      const lines = (rest + decoder.write(chunk.subarray(0, length))).split('\n');
      rest = lines.pop()!;
      yield* lines;
    }
    rest += decoder.end();
    if (rest !== '') yield rest;
  } finally {
    closeSync(fd);
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new TraversalError('ERR_USAGE', `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}
