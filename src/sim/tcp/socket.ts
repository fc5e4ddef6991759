import { ByteQueue } from '../../core/byte-queue.ts';
import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { TraversalError } from '../../core/errors.ts';
import type { TcpSegment } from '../packet.ts';
import { TcpConnection, type TcpConnectionOptions } from './connection.ts';

/** What a socket needs of the stack, and tells it. */
export interface TcpSocketHooks {
  readonly transmit: (segment: Partial<TcpSegment>) => void;
  readonly onOpen: () => void;
  /** Broken, before or after it was open. */
  readonly onBroken: (error: TraversalError) => void;
  readonly onGone: () => void;
}

/** A TCP connection with promises: all of `ByteSocket` but `bytes$`. */
export class TcpSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Fulfils when both directions have ended, however they did. */
  readonly closed: Promise<void>;
  /** The connection below, for the stack. */
  readonly connection: TcpConnection;
  readonly #incoming = new ByteQueue(() => this.#consumed());
  /** Lengths of the chunks in `#incoming`. */
  readonly #unread: number[] = [];
  readonly #writes: Write[] = [];
  #open = true;
  #otherEnded = false;
  #failure: TraversalError | undefined;
  #ending: Promise<void> | undefined;
  #handedOver: () => void = () => {};
  #close: () => void = () => {};

  constructor(options: TcpConnectionOptions, hooks: TcpSocketHooks) {
    this.local = options.local;
    this.remote = options.remote;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    this.connection = new TcpConnection(options, {
      transmit: hooks.transmit,
      onOpen: hooks.onOpen,
      onData: (bytes) => {
        this.#unread.push(bytes.length);
        this.#incoming.push(bytes);
      },
      onEnd: () => {
        this.#otherEnded = true;
        this.#incoming.end();
        this.#closeWhenEnded();
      },
      onRoom: () => this.#flush(),
      onBroken: (error) => {
        this.#fail(error);
        hooks.onBroken(error);
      },
      onGone: hooks.onGone,
    });
  }

  /** Bytes given to `write` that the connection has not taken yet. */
  get queued(): number {
    return this.#writes.reduce((sum, { bytes, taken }) => sum + bytes.length - taken, 0);
  }

  /** Next chunk, or `null` at the other side's end. Errors: those of `ByteSocket.read`. */
  read(): Promise<Uint8Array | null> {
    return this.#incoming.read();
  }

  /** Resolves when the connection has taken all of `bytes`. Errors: those of `ByteSocket.write`. */
  write(bytes: Uint8Array): Promise<void> {
    if (!this.#open || this.#ending !== undefined) return Promise.reject(this.#failure ?? this.#closedError());
    return new Promise((resolve, reject) => {
      this.#writes.push({ bytes, taken: 0, resolve, reject });
      this.#flush();
    });
  }

  /** Half-close. Resolves when all that was written is handed over, or the socket is gone. */
  end(): Promise<void> {
    if (this.#ending === undefined) {
      this.#ending = new Promise((resolve) => {
        this.#handedOver = resolve;
      });
      if (this.#open) this.#endWhenFlushed();
      else this.#handedOver();
    }
    return this.#ending;
  }

  /** Ends both directions at once; the other side is told by FIN, or by RST where something was not read. */
  destroy(): void {
    if (!this.#open) return;
    const error = this.#closedError();
    const unread = this.#unread.length > 0;
    this.#settle(error);
    this.#incoming.abandon(error);
    if (unread || this.connection.state === 'syn-sent' || this.connection.state === 'syn-received')
      this.connection.abort();
    else this.connection.leave();
  }

  #flush(): void {
    for (let write = this.#writes[0]; write !== undefined; write = this.#writes[0]) {
      write.taken += this.connection.write(write.bytes.subarray(write.taken));
      if (write.taken < write.bytes.length) return;
      this.#writes.shift();
      write.resolve();
    }
    this.#endWhenFlushed();
  }

  #endWhenFlushed(): void {
    if (this.#ending === undefined || this.#writes.length > 0) return;
    this.connection.end();
    this.#handedOver();
    this.#closeWhenEnded();
  }

  #closeWhenEnded(): void {
    if (this.#otherEnded && this.#ending !== undefined && this.#writes.length === 0) this.#settle(undefined);
  }

  #consumed(): void {
    const bytes = this.#unread.shift();
    if (bytes !== undefined) this.connection.read(bytes);
  }

  #fail(error: TraversalError): void {
    if (!this.#open) return;
    this.#settle(error);
    this.#incoming.fail(error);
  }

  /** The socket is over for its user. */
  #settle(failure: TraversalError | undefined): void {
    this.#open = false;
    this.#failure = failure;
    for (const { reject } of this.#writes.splice(0)) reject(failure ?? this.#closedError());
    this.#handedOver();
    this.#close();
  }

  #closedError(): TraversalError {
    return new TraversalError('ERR_CLOSED', `TCP connection with ${formatEndpoint(this.remote)}: closed on this side`);
  }
}

interface Write {
  readonly bytes: Uint8Array;
  taken: number;
  readonly resolve: () => void;
  readonly reject: (error: TraversalError) => void;
}
