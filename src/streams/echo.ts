import type { Observable } from 'rxjs';
import { type ByteSink, pipeTo } from './pipe-to.ts';
import type { ByteSource } from './read-each.ts';

/** Sends everything back to where it came from (the service of RFC 862); emits the length of each chunk. */
export function echo(connection: ByteSource & ByteSink): Observable<number> {
  return pipeTo(connection, connection);
}
