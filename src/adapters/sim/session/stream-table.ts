import { Deferred } from '../../../core/deferred.ts';
import { DecodeError, type TraversalError } from '../../../core/errors.ts';
import type { SessionStream } from '../../../core/session.ts';
import { StreamCode } from '../../../protocol/session/codes.ts';
import type { ControlMessage } from '../../../protocol/session/control.ts';
import { encodePreface } from '../../../protocol/session/preface.ts';
import { ControlStream } from './control-stream.ts';
import type { Delivery } from './delivery.ts';
import { CONNECTION_WINDOW, ReceiveWindow, SendBudget, STREAM_WINDOW } from './flow-control.ts';
import type { Frame, FrameWriter } from './frames.ts';
import { PrefaceReader } from './preface-reader.ts';
import type { Role } from './proof.ts';
import { ReceiveHalf } from './receive-half.ts';
import { SendHalf } from './send-half.ts';
import { SimStream, type StreamOwner } from './stream.ts';
import { MAX_STREAMS, StreamLimit } from './stream-limit.ts';
import { violation } from './violation.ts';
import { WindowUpdates } from './window-updates.ts';

export interface StreamTableOptions {
  readonly role: Role;
  /** Something is to be sent. */
  readonly wake: () => void;
  /** Takes an incoming stream; false when nobody wants it. */
  readonly accept: (stream: SessionStream) => boolean;
  readonly onNote: (bytes: Uint8Array) => void;
}

export type CloseMessage = Extract<ControlMessage, { type: 'close' }>;
type StreamFrame = Extract<Frame, { type: 'stream' | 'reset-stream' }>;

interface Entry {
  readonly send: SendHalf;
  readonly receive: ReceiveHalf;
  /** Until an incoming stream has told its protocol. */
  preface: PrefaceReader | undefined;
  stream: SimStream | undefined;
}

/** The streams of an established session: opens them, announces incoming ones, and fills packets with what they send. */
export class StreamTable implements StreamOwner {
  readonly budget = new SendBudget();
  readonly #options: StreamTableOptions;
  readonly #window = new ReceiveWindow(CONNECTION_WINDOW);
  readonly #updates: WindowUpdates;
  readonly #incoming: StreamLimit;
  readonly #control: ControlStream;
  readonly #entries = new Map<number, Entry>();
  /** Those that have something to send, in turn. */
  readonly #ready = new Set<SendHalf>();
  readonly #waitingForRoom = new Set<SimStream>();
  /** Ids go up in steps of 4 (RFC 9000 section 2.1). */
  #nextId: number;
  /** Streams that this side may open in all. */
  #limit = MAX_STREAMS;
  #opened = 0;
  /** Resolved when more streams may be opened. */
  #credit: Deferred | undefined;
  #ended: TraversalError | undefined;

  constructor(options: StreamTableOptions) {
    this.#options = options;
    this.#nextId = options.role === 'client' ? 0 : 1;
    this.#incoming = new StreamLimit(options.role === 'client' ? 1 : 0);
    this.#updates = new WindowUpdates(this.#window, this.#incoming, options.wake);
    this.#control = new ControlStream(options.role, options.wake);
  }

  /** Waits while the other side allows no more streams. Errors: `ERR_CLOSED`. */
  async open(protocol: string): Promise<SessionStream> {
    const preface = encodePreface(protocol);
    while (this.#ended === undefined && this.#opened >= this.#limit) {
      this.#credit ??= new Deferred();
      await this.#credit.promise;
    }
    if (this.#ended !== undefined) throw this.#ended;
    this.#opened++;
    const entry = this.#add(this.#nextId);
    this.#nextId += 4;
    const stream = new SimStream(protocol, entry.send, entry.receive, this);
    entry.stream = stream;
    await stream.write(preface);
    return stream;
  }

  /** Whether there is something to {@link write}. */
  get hasWork(): boolean {
    return this.#control.send.hasWork || this.#updates.areDue || this.#ready.size > 0;
  }

  /** Fills a packet. What its parts are is added to `deliveries`. */
  write(writer: FrameWriter, deliveries: Delivery[]): void {
    this.#updates.write(writer, deliveries);
    if (this.#control.send.hasWork) push(deliveries, this.#control.send.write(writer));
    for (const half of this.#ready) {
      const delivery = half.hasWork ? half.write(writer) : undefined;
      if (delivery === undefined && half.hasWork) return;
      push(deliveries, delivery);
      // Whoever has more to send goes to the back of the queue.
      this.#ready.delete(half);
      if (half.hasWork) this.#ready.add(half);
    }
  }

  /**
   * A frame has come in. Returns the other side's wish to close, once what came in before it is dealt with. Throws `ERR_PROTOCOL` or
   * {@link DecodeError} when the other side broke a rule.
   */
  receive(frame: Frame): CloseMessage | undefined {
    switch (frame.type) {
      case 'stream':
      case 'reset-stream':
        if (frame.id === this.#control.incomingId) return this.#receiveControl(frame);
        this.#receiveStream(frame);
        this.#control.check();
        break;
      case 'max-data':
        this.budget.raise(frame.limit);
        break;
      case 'max-stream-data':
        this.#entries.get(frame.id)?.send.raise(frame.limit);
        break;
      case 'max-streams':
        this.#limit = Math.max(this.#limit, frame.limit);
        break;
    }
    return undefined;
  }

  /** Room may have come about: writers go on, and whoever waits to open a stream. */
  useRoom(): void {
    // Whoever got some room goes to the back of the queue.
    for (const stream of [...this.#waitingForRoom]) {
      this.#waitingForRoom.delete(stream);
      if (stream.onRoom()) this.#waitingForRoom.add(stream);
    }
    if (this.#opened < this.#limit) {
      this.#credit?.resolve();
      this.#credit = undefined;
    }
  }

  /** Tells the other side that this one wants to close. */
  sendClose(code: number, reason: string): void {
    this.#control.tell({ type: 'close', code, reason });
  }

  /** False when too many wait. */
  note(bytes: Uint8Array): boolean {
    return this.#control.note(bytes);
  }

  /** The session is over; `drain`: bytes that came in may still be read. */
  end(error: TraversalError, drain: boolean): void {
    this.#ended = error;
    this.#credit?.resolve();
    for (const { stream } of [...this.#entries.values()]) stream?.onSessionEnd(error, drain);
    this.#entries.clear();
    this.#ready.clear();
    this.#waitingForRoom.clear();
  }

  onRead(half: ReceiveHalf): void {
    if (this.#ended === undefined) this.#updates.onRead(half);
  }

  waitForRoom(stream: SimStream): void {
    this.#waitingForRoom.add(stream);
  }

  readingOver(stream: SimStream, how: 'finished' | 'abandoned'): void {
    if (this.#ended === undefined) this.#control.tell({ type: how, streamId: stream.id });
  }

  onOver(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.preface !== undefined) return;
    if (!entry.send.isSettled || !entry.receive.isSettled || entry.stream?.isOver === false) return;
    this.#entries.delete(id);
    if (this.#isOwn(id)) return;
    this.#incoming.end(id);
    this.#updates.onStreamOver(entry.receive);
  }

  #add(id: number): Entry {
    const send: SendHalf = new SendHalf({
      id,
      limit: STREAM_WINDOW,
      onWork: () => {
        if (this.#ended !== undefined) return;
        this.#ready.add(send);
        this.#options.wake();
      },
      onSent: (bytes) => this.budget.sent(bytes),
      onSettled: () => this.onOver(id),
    });
    const entry: Entry = { send, receive: new ReceiveHalf(id, this.#window), preface: undefined, stream: undefined };
    this.#entries.set(id, entry);
    return entry;
  }

  #receiveControl(frame: StreamFrame): CloseMessage | undefined {
    if (frame.type === 'reset-stream') throw violation('reset its control stream');
    for (const message of this.#control.receive(frame.offset, frame.bytes, frame.fin)) {
      if (message.type === 'close') return message;
      if (message.type === 'note') this.#options.onNote(message.bytes);
      else if (message.type === 'finished') this.#entries.get(message.streamId)?.stream?.onFinished();
      else this.#entries.get(message.streamId)?.stream?.onAbandoned();
    }
    return undefined;
  }

  #receiveStream(frame: StreamFrame): void {
    const entry = this.#ended === undefined ? this.#entryOf(frame.id) : undefined;
    if (entry === undefined) return;
    if (frame.type === 'stream') {
      entry.receive.receive(frame.offset, frame.bytes, frame.fin);
      if (entry.preface === undefined) entry.stream?.onReadable();
      else this.#arrive(entry, entry.preface);
    } else {
      entry.receive.reset(frame.finalSize);
      if (entry.stream === undefined) this.#refuse(entry, 0);
      else entry.stream.onReset(frame.code);
    }
    this.#updates.onRead(entry.receive);
    this.onOver(frame.id);
  }

  /** `undefined` when the stream is over. Throws `ERR_PROTOCOL` when the other side may not send on it. */
  #entryOf(id: number): Entry | undefined {
    const known = this.#entries.get(id);
    if (known !== undefined) return known;
    if ((id & 2) !== 0) throw violation('opened a unidirectional stream');
    if (this.#isOwn(id)) {
      if (id >= this.#nextId) throw violation('sent on a stream that was not opened');
      return undefined;
    }
    if (this.#incoming.isOver(id)) return undefined;
    const entry = this.#add(id);
    entry.preface = new PrefaceReader(entry.receive);
    return entry;
  }

  #arrive(entry: Entry, preface: PrefaceReader): void {
    let protocol: string | undefined;
    try {
      protocol = preface.read();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#refuse(entry, error.where === 'session/preface/version' ? StreamCode.VERSION : StreamCode.PREFACE);
      return;
    }
    if (protocol === undefined) return;
    entry.preface = undefined;
    entry.stream = new SimStream(protocol, entry.send, entry.receive, this);
    if (!this.#options.accept(entry.stream)) entry.stream.reset(StreamCode.REFUSED);
  }

  /** The preface was none, or the other side reset the stream within it. */
  #refuse(entry: Entry, code: number): void {
    entry.preface = undefined;
    entry.receive.discard();
    entry.send.reset(code);
  }

  #isOwn(id: number): boolean {
    return (id & 1) === (this.#options.role === 'client' ? 0 : 1);
  }
}

function push<T>(list: T[], value: T | undefined): void {
  if (value !== undefined) list.push(value);
}
