import { Observable } from 'rxjs';
import type { ByteSocket } from '../core/network.ts';

/** {@link ByteSocket.bytes$} of a socket that has `read`: what it reads, pushed. */
export function pushedBytes({ read, destroy }: Pick<ByteSocket, 'read' | 'destroy'>): ByteSocket['bytes$'] {
  return new Observable((subscriber) => {
    let ended = false;
    const pump = async (): Promise<void> => {
      for (let chunk = await read(); chunk !== null; chunk = await read()) subscriber.next(chunk);
    };
    pump()
      .finally(() => {
        ended = true;
      })
      .then(
        () => subscriber.complete(),
        (error) => subscriber.error(error),
      );
    return () => {
      if (!ended) destroy();
    };
  });
}
