import { Deferred } from '../../../core/deferred.ts';
import { StreamResetError, TraversalError } from '../../../core/errors.ts';
import type { SessionStream } from '../../../core/session.ts';
import { checkCode } from '../../../protocol/session/codes.ts';
import { StreamReading, type Taken } from '../../../streams/stream-reading.ts';
import type { SendBudget } from './flow-control.ts';
import type { ReceiveHalf } from './receive-half.ts';
import type { SendHalf } from './send-half.ts';

/** What a stream needs of its session. */
export interface StreamOwner {
  readonly budget: SendBudget;
  /** Bytes were read: the other side may have to be told that there is room. */
  onRead(half: ReceiveHalf): void;
  /** The stream waits for room; {@link SimStream.onRoom} is called while it says true. */
  waitForRoom(stream: SimStream): void;
  /** Reading is over: everything was read, or this side gave up. */
  readingOver(stream: SimStream, how: 'finished' | 'abandoned'): void;
  /** Both directions may be over. */
  onOver(id: number): void;
}

/** One bidirectional stream, as its user has it. */
export class SimStream implements SessionStream {
  readonly id: number;
  readonly protocol: string;
  readonly finished: Promise<void>;
  readonly #owner: StreamOwner;
  readonly #send: SendHalf;
  readonly #receive: ReceiveHalf;
  readonly #reading = new StreamReading(() => this.#take());
  readonly #finish = new Deferred();
  /** Writes that found no room, in order. */
  readonly #writes: PendingWrite[] = [];
  /** How writing is over: `ending` from `end()` on, `finished` once the other side has read it all. */
  #writeOver: 'ending' | 'finished' | TraversalError | undefined;
  /** The session is over: what follows the last bytes that came in. */
  #sessionEnd: TraversalError | undefined;

  constructor(protocol: string, send: SendHalf, receive: ReceiveHalf, owner: StreamOwner) {
    this.id = send.id;
    this.protocol = protocol;
    this.#send = send;
    this.#receive = receive;
    this.#owner = owner;
    this.finished = this.#finish.promise;
  }

  /** Neither direction is of use any more. */
  get isOver(): boolean {
    return this.#reading.isOver && this.#writeOver !== undefined && this.#writeOver !== 'ending';
  }

  read(): Promise<Uint8Array | null> {
    return this.#reading.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#writeOver !== undefined) return Promise.reject(this.#whyNotWritten());
    const taken = this.#writes.length > 0 ? 0 : this.#offer(bytes);
    if (taken === bytes.length) return Promise.resolve();
    const done = new Deferred();
    this.#writes.push({ bytes: bytes.subarray(taken), done });
    this.#owner.waitForRoom(this);
    return done.promise;
  }

  end(): Promise<void> {
    if (this.#writeOver === 'ending' || this.#writeOver === 'finished') return Promise.resolve();
    if (this.#writeOver !== undefined) return Promise.reject(this.#writeOver);
    this.#writeOver = 'ending';
    const last = this.#writes.at(-1);
    if (last !== undefined) return last.done.promise;
    this.#send.finish();
    return Promise.resolve();
  }

  reset(code = 0): void {
    checkCode(code);
    // A reset of our direction says that both are given up; where that is over, the other side has to be told.
    if (!this.#reading.isOver && this.#send.isSettled) this.#owner.readingOver(this, 'abandoned');
    this.#fail(new StreamResetError(`stream reset by this side with code ${code}`, code), code);
  }

  /** Bytes or an end have come in. */
  onReadable(): void {
    this.#reading.onReadable();
  }

  /** There may be room: writes on. True while there was too little. */
  onRoom(): boolean {
    for (let write = this.#writes[0]; write !== undefined; write = this.#writes[0]) {
      const taken = this.#offer(write.bytes);
      if (taken < write.bytes.length) {
        write.bytes = write.bytes.subarray(taken);
        return true;
      }
      this.#writes.shift();
      if (this.#writes.length === 0 && this.#writeOver === 'ending') this.#send.finish();
      write.done.resolve();
    }
    return false;
  }

  /** The other side says that it has read everything. */
  onFinished(): void {
    if (this.#writeOver !== 'ending') return;
    this.#writeOver = 'finished';
    this.#finish.resolve();
    this.#owner.onOver(this.id);
  }

  /** The other side has given up both directions. */
  onReset(code: number): void {
    this.#fail(new StreamResetError(`stream reset by the other side with code ${code}`, code), 0);
  }

  /** The other side, which has sent everything, has given up reading. */
  onAbandoned(): void {
    this.#failWriting(new StreamResetError('stream reset by the other side'));
    this.#owner.budget.giveBack(this.#send.reset(0));
    this.#owner.onOver(this.id);
  }

  /** The session is over. `drain`: what has come in may still be read. */
  onSessionEnd(error: TraversalError, drain: boolean): void {
    this.#sessionEnd = error;
    this.#failWriting(error);
    if (drain) this.onReadable();
    else this.#reading.fail(error);
  }

  #take(): Taken {
    const got = this.#receive.read(MAX_CHUNK);
    if (got === undefined) return this.#sessionEnd === undefined ? undefined : this.#reading.fail(this.#sessionEnd);
    if (got !== null) {
      this.#owner.onRead(this.#receive);
      return got;
    }
    this.#reading.end();
    this.#owner.readingOver(this, 'finished');
    this.#owner.onOver(this.id);
    return null;
  }

  /** How many of the bytes were taken. */
  #offer(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.#send.credit, this.#owner.budget.room);
    if (taken === 0) return 0;
    this.#owner.budget.take(taken);
    this.#send.take(bytes.subarray(0, taken));
    return taken;
  }

  #whyNotWritten(): TraversalError {
    const over = this.#writeOver;
    return over instanceof TraversalError ? over : new TraversalError('ERR_CLOSED', 'written after the end');
  }

  #fail(error: TraversalError, code: number): void {
    this.#receive.discard();
    this.#owner.onRead(this.#receive);
    this.#owner.budget.giveBack(this.#send.reset(code));
    this.#reading.fail(error);
    this.#failWriting(error);
    this.#owner.onOver(this.id);
  }

  #failWriting(error: TraversalError): void {
    if (this.#writeOver === 'finished' || this.#writeOver instanceof TraversalError) return;
    this.#writeOver = error;
    this.#finish.reject(error);
    for (const write of this.#writes.splice(0)) write.done.reject(error);
  }
}

interface PendingWrite {
  bytes: Uint8Array;
  readonly done: Deferred;
}

/** Bytes that one `read` gives at most. */
const MAX_CHUNK = 2 ** 16;
