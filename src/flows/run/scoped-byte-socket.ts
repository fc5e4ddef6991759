import type { Observable } from 'rxjs';
import type { Endpoint } from '../../core/endpoint.ts';
import type { ByteSocket } from '../../core/network.ts';

/** A TCP connection of one run of a strategy. Once it is destroyed it is not open any more, though the system takes its time to close it. */
export class ScopedByteSocket implements ByteSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly bytes$: Observable<Uint8Array>;
  readonly closed: Promise<void>;
  readonly #socket: ByteSocket;
  readonly #onEnd: (socket: ByteSocket) => void;

  /** `onEnd` is told when it is destroyed or closed, at least once. */
  constructor(socket: ByteSocket, onEnd: (socket: ByteSocket) => void) {
    this.local = socket.local;
    this.remote = socket.remote;
    this.bytes$ = socket.bytes$;
    this.closed = socket.closed;
    this.#socket = socket;
    this.#onEnd = onEnd;
    void socket.closed.then(() => onEnd(this));
  }

  get queued(): number {
    return this.#socket.queued;
  }

  read(): Promise<Uint8Array | null> {
    return this.#socket.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#socket.write(bytes);
  }

  end(): Promise<void> {
    return this.#socket.end();
  }

  destroy(): void {
    this.#onEnd(this);
    this.#socket.destroy();
  }
}
