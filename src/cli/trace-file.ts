import { closeSync, openSync, writeSync } from 'node:fs';
import { TraversalError } from '../index.ts';

/** A file that grows line by line: what was written is on it, however the process ends. */
export interface TraceFile {
  /** Throws what the system says. Nothing is written once it is closed. */
  readonly sink: (line: string) => void;
  close(): void;
}

/** Begins the file anew; only its owner may read it. Throws `ERR_USAGE`. */
export function openTraceFile(path: string): TraceFile {
  let fd: number | undefined = open(path);
  return {
    sink(line) {
      if (fd !== undefined) writeSync(fd, `${line}\n`);
    },
    close() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

function open(path: string): number {
  try {
    return openSync(path, 'w', 0o600);
  } catch (cause) {
    throw new TraversalError('ERR_USAGE', `cannot write a trace to ${path}: ${(cause as Error).message}`, { cause });
  }
}
