import type { Connection } from '@matrixai/quic/native/types.js';
import { Deferred } from '../../../core/deferred.ts';
import { StreamResetError, TraversalError } from '../../../core/errors.ts';
import type { SessionStream } from '../../../core/session.ts';
import { checkCode, MAX_CODE, StreamCode } from '../../../protocol/session/codes.ts';
import { StreamReading, type Taken } from '../../../streams/stream-reading.ts';
import { shutdownStream } from './shutdown.ts';

/** What a stream needs of its session. */
export interface StreamOwner {
  readonly connection: Connection;
  /** Something is to be sent. */
  wake(): void;
  /** The stream waits for room; {@link QuicStream.onWritable} is called every turn while it says true. */
  waitForRoom(stream: QuicStream): void;
  /** Reading is over: everything was read, or this side gave up. */
  readingOver(stream: QuicStream, how: 'finished' | 'abandoned'): void;
  /** Both directions are over. */
  release(stream: QuicStream): void;
}

/**
 * One bidirectional QUIC stream.
 *
 * The end is a byte of its own, 0x00, written together with FIN and taken off by the reader. quiche 0.18 forgets an
 * empty FIN when it was lost, or not yet sent, while everything else was acknowledged (cloudflare/quiche#2570); a byte
 * it cannot forget.
 */
export class QuicStream implements SessionStream {
  readonly id: number;
  readonly protocol: string;
  readonly finished: Promise<void>;
  readonly #owner: StreamOwner;
  readonly #reading = new StreamReading(() => this.#take());
  readonly #finish = new Deferred();
  /** Writes that found no room, in order. */
  readonly #writes: PendingWrite[] = [];
  /** How writing is over: `ending` from `end()` on, `finished` once the other side has read it all. */
  #writeOver: 'ending' | 'finished' | TraversalError | undefined;
  /** The session is over: what follows the last bytes that came in. */
  #sessionEnd: TraversalError | undefined;

  constructor(id: number, protocol: string, owner: StreamOwner) {
    this.id = id;
    this.protocol = protocol;
    this.#owner = owner;
    this.finished = this.#finish.promise;
  }

  read(): Promise<Uint8Array | null> {
    return this.#reading.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    return bytes.length === 0 && this.#writeOver === undefined ? Promise.resolve() : this.#send(bytes, false);
  }

  end(): Promise<void> {
    if (this.#writeOver === 'ending' || this.#writeOver === 'finished') return Promise.resolve();
    const sent = this.#send(END_MARK, true);
    this.#writeOver ??= 'ending';
    return sent;
  }

  reset(code = 0): void {
    checkCode(code);
    if (!this.#reading.isOver) this.#owner.readingOver(this, 'abandoned');
    shutdownStream(this.#owner.connection, this.id, code);
    this.#owner.wake();
    const error = new StreamResetError(`stream reset by this side with code ${code}`, code);
    this.#failReading(error);
    this.#failWriting(error);
  }

  /** Bytes, an end or a reset have come in. */
  onReadable(): void {
    this.#reading.onReadable();
  }

  /** There may be room: writes on. True while there was too little. */
  onWritable(): boolean {
    for (let write = this.#writes[0]; write !== undefined; write = this.#writes[0]) {
      const sent = this.#offer(write.bytes, write.end);
      if (sent instanceof TraversalError) {
        this.#failWriting(sent);
        return false;
      }
      if (sent < write.bytes.length) {
        write.bytes = write.bytes.subarray(sent);
        return true;
      }
      this.#writes.shift();
      write.done.resolve();
    }
    return false;
  }

  /** The other side says that it has read everything. */
  onFinished(): void {
    if (this.#writeOver !== 'ending') return;
    this.#writeOver = 'finished';
    this.#finish.resolve();
    this.#releaseWhenOver();
  }

  /** The other side has given up reading; of writes under way quiche tells itself, with the code. */
  onAbandoned(): void {
    if (this.#writeOver !== 'ending') return;
    this.#failWriting(new StreamResetError('stream reset by the other side'));
  }

  /** The session is over. `drain`: what has come in may still be read. */
  onSessionEnd(error: TraversalError, drain: boolean): void {
    this.#sessionEnd = error;
    this.#failWriting(error);
    if (drain) this.onReadable();
    else this.#failReading(error);
  }

  #take(): Taken {
    let received: [number, boolean] | null;
    try {
      received = this.#owner.connection.streamRecv(this.id, scratch);
    } catch (error) {
      return this.#failReading(resetByPeer(error));
    }
    if (received === null) return this.#sessionEnd === undefined ? undefined : this.#failReading(this.#sessionEnd);
    this.#owner.wake(); // the window has moved
    const [length, fin] = received;
    if (!fin) return Buffer.from(scratch.subarray(0, length));
    if (length === 0) {
      const error = this.#failReading(new TraversalError('ERR_PROTOCOL', 'stream ended without an end mark'));
      this.reset(StreamCode.END_MARK);
      return error;
    }
    this.#reading.end();
    this.#owner.readingOver(this, 'finished');
    this.#releaseWhenOver();
    return length === 1 ? null : Buffer.from(scratch.subarray(0, length - 1));
  }

  #send(bytes: Uint8Array, end: boolean): Promise<void> {
    if (this.#writeOver instanceof TraversalError) return Promise.reject(this.#writeOver);
    if (this.#writeOver !== undefined) return Promise.reject(new TraversalError('ERR_CLOSED', 'written after the end'));
    const sent = this.#writes.length > 0 ? 0 : this.#offer(bytes, end);
    if (sent instanceof TraversalError) {
      this.#failWriting(sent);
      return Promise.reject(sent);
    }
    if (sent === bytes.length) return Promise.resolve();
    const done = new Deferred();
    this.#writes.push({ bytes: bytes.subarray(sent), end, done });
    this.#owner.waitForRoom(this);
    return done.promise;
  }

  /** How many of the bytes quiche took. */
  #offer(bytes: Uint8Array, end: boolean): number | TraversalError {
    const { connection } = this.#owner;
    let sent: number | null;
    try {
      sent = connection.streamSend(this.id, bytes, end);
      if (sent === null) connection.streamCapacity(this.id); // throws when it is not room that is missing
    } catch (error) {
      return resetByPeer(error);
    }
    if (sent === null) return 0;
    this.#owner.wake();
    return sent;
  }

  #failReading(error: TraversalError): TraversalError {
    this.#reading.fail(error);
    this.#releaseWhenOver();
    return error;
  }

  #failWriting(error: TraversalError): void {
    if (this.#writeOver === 'finished') return;
    this.#writeOver = error;
    this.#finish.reject(error);
    for (const write of this.#writes.splice(0)) write.done.reject(error);
    this.#releaseWhenOver();
  }

  #releaseWhenOver(): void {
    if (this.#reading.isOver && this.#writeOver !== undefined && this.#writeOver !== 'ending') {
      this.#owner.release(this);
    }
  }
}

interface PendingWrite {
  bytes: Uint8Array;
  /** Whether these bytes are the end mark. */
  readonly end: boolean;
  readonly done: Deferred;
}

/** quiche's words: `StreamReset(code)`, `StreamStopped(code)`; a stream that it forgot was reset both ways. */
function resetByPeer(error: unknown): TraversalError {
  const code = error instanceof Error ? /^Stream(?:Reset|Stopped)\((\d+)\)$/.exec(error.message)?.[1] : undefined;
  if (code === undefined) return new StreamResetError('stream reset by the other side', undefined, { cause: error });
  const message = `stream reset by the other side with code ${code}`;
  return new StreamResetError(message, Math.min(Number(code), MAX_CODE), { cause: error });
}

const END_MARK = Buffer.of(0);
/** quiche copies what it hands over, and so does a read: one buffer serves all streams. */
const scratch = Buffer.allocUnsafeSlow(2 ** 16);
