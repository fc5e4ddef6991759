import { concat, defer, ignoreElements, type Observable } from 'rxjs';
import { type ByteSource, readEach } from './read-each.ts';

/** Anything that can be written to with back pressure: a TCP connection, a session's stream. */
export interface ByteSink {
  /** Resolves when more may be written. */
  write(bytes: Uint8Array): Promise<void>;
  /** Half-close. */
  end(): Promise<void>;
}

/**
 * Copies a source to a sink, no faster than the sink takes it, and passes the source's end on as a half-close.
 * Emits the length of each chunk once it is written; errors as `read` and `write` do.
 * `merge(pipeTo(a, b), pipeTo(b, a))` joins two connections.
 */
export function pipeTo(source: ByteSource, sink: ByteSink): Observable<number> {
  const copied$ = readEach(source, async (bytes) => {
    await sink.write(bytes);
    return bytes.length;
  });
  return concat(copied$, defer(() => sink.end()).pipe(ignoreElements()));
}
