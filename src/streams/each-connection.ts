import { catchError, defer, EMPTY, finalize, mergeMap, type ObservableInput, type OperatorFunction } from 'rxjs';
import type { ByteSocket } from '../core/network.ts';

/**
 * Serves each connection by `handler`, all at once, and destroys a connection when its handler has ended.
 * An error of one connection goes to `onError` and touches neither the others nor the server.
 */
export function eachConnection<R>(
  handler: (socket: ByteSocket) => ObservableInput<R>,
  onError: (error: unknown, socket: ByteSocket) => void,
): OperatorFunction<ByteSocket, R> {
  return mergeMap((socket) =>
    defer(() => handler(socket)).pipe(
      catchError((error) => {
        onError(error, socket);
        return EMPTY;
      }),
      finalize(() => socket.destroy()),
    ),
  );
}
