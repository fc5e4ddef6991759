import type { Clock, TimerHandle } from '../../core/clock.ts';
import { DecodeError, TraversalError } from '../../core/errors.ts';
import { encodeFrame, type Frame, FrameDecoder, type Role } from './frame.ts';
import type { ByteStream } from './upgrade.ts';

/** Whom a connection tells. */
export interface WebSocketEvents {
  readonly onMessage: (message: string | Uint8Array) => void;
  readonly onControl: (type: 'ping' | 'pong') => void;
  /** It is over, however it ended; comes once and last. `code`: RFC 6455 section 7.4.1, 1006 where the other side sent none. */
  readonly onEnd: (code: number, reason: string) => void;
}

export interface WebSocketOptions {
  /** A TCP connection, after the upgrade; it belongs to the WebSocket from now on. */
  readonly stream: ByteStream;
  /** Which end this one is. */
  readonly role: Role;
  readonly clock: Clock;
  /** What has come after the upgrade already. */
  readonly rest: Uint8Array;
}

/** One end of a WebSocket (RFC 6455) over simulated TCP. Answers pings by itself. What cannot be decoded ends it. */
export class WebSocketConnection {
  readonly #stream: ByteStream;
  readonly #role: Role;
  readonly #clock: Clock;
  readonly #events: WebSocketEvents;
  readonly #decoder: FrameDecoder;
  #state: 'open' | 'closing' | 'ended' = 'open';
  /** What the other side closed with. */
  #close: { readonly code: number; readonly reason: string } | undefined;
  #grace: TimerHandle | undefined;
  /** What is read waits for it. */
  #hold: Promise<void> | undefined;

  constructor({ stream, role, clock, rest }: WebSocketOptions, events: WebSocketEvents) {
    this.#stream = stream;
    this.#role = role;
    this.#clock = clock;
    this.#events = events;
    this.#decoder = new FrameDecoder(role === 'client' ? 'server' : 'client');
    void this.#run(rest);
  }

  /** Bytes that TCP has not taken yet. */
  get queued(): number {
    return this.#stream.queued;
  }

  /** Dropped once either side has closed. */
  send(message: string | Uint8Array): void {
    this.#send(typeof message === 'string' ? { type: 'text', text: message } : { type: 'binary', bytes: message });
  }

  ping(): void {
    this.#send({ type: 'ping' });
  }

  /** Nothing more is read until the function that it gives is called: so the other side is slowed down by TCP. */
  hold(): () => void {
    let goOn = (): void => {};
    this.#hold = new Promise((resolve) => {
      goOn = resolve;
    });
    return goOn;
  }

  /** Says that this side closes; the connection is over once the other side has confirmed it, or after 1 s. */
  close(code: number, reason: string): void {
    this.#send({ type: 'close', code, reason });
    this.#limitEnd();
  }

  /** Ends at once. */
  terminate(): void {
    this.#finish(CLOSE_ABNORMAL, '');
  }

  /** Forgets a connection whose host has gone down: nobody is told. */
  abandon(): void {
    this.#state = 'ended';
    this.#clock.clearTimeout(this.#grace);
  }

  /** Nobody is told anything before the constructor has returned. */
  async #run(rest: Uint8Array): Promise<void> {
    let chunk = await Promise.resolve<Uint8Array | null>(rest);
    for (; chunk !== null; chunk = await this.#read()) for (const frame of this.#decode(chunk)) this.#handle(frame);
  }

  /** The next chunk, when nobody holds it back; `null` when the connection is over. */
  async #read(): Promise<Uint8Array | null> {
    if (this.#state === 'ended') return null;
    try {
      const chunk = await this.#stream.read();
      await this.#hold;
      if (chunk === null) this.#finish(CLOSE_ABNORMAL, '');
      return chunk;
    } catch (error) {
      if (!(error instanceof TraversalError)) throw error;
      this.#finish(CLOSE_ABNORMAL, error.message);
      return null;
    }
  }

  #decode(chunk: Uint8Array): readonly Frame[] {
    try {
      return this.#decoder.decode(chunk);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#finish(CLOSE_ABNORMAL, error.message);
      return [];
    }
  }

  #handle(frame: Frame): void {
    if (this.#state === 'ended' || (this.#state === 'closing' && frame.type !== 'close')) return;
    switch (frame.type) {
      case 'close':
        this.#confirm(frame.code, frame.reason);
        break;
      case 'text':
        this.#events.onMessage(frame.text);
        break;
      case 'binary':
        this.#events.onMessage(frame.bytes);
        break;
      case 'ping':
        this.#send({ type: 'pong' });
        this.#events.onControl('ping');
        break;
      case 'pong':
        this.#events.onControl('pong');
    }
  }

  /** The other side closes, or has confirmed that this one does. */
  #confirm(code: number, reason: string): void {
    this.#send({ type: 'close', code, reason: '' });
    this.#limitEnd();
    this.#close = { code, reason };
    void this.#stream.end().then(() => this.#finish(code, reason));
  }

  /** From now on the end is near, whatever the other side does. */
  #limitEnd(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#grace = this.#clock.setTimeout(() => this.terminate(), CLOSE_GRACE);
  }

  #send(frame: Frame): void {
    if (this.#state !== 'open') return;
    // What breaks a write breaks the reading too, which tells of it.
    this.#stream.write(encodeFrame(frame, this.#role)).catch(() => {});
  }

  #finish(code: number, reason: string): void {
    if (this.#state === 'ended') return;
    this.abandon();
    this.#stream.destroy();
    this.#events.onEnd(this.#close?.code ?? code, this.#close?.reason ?? reason);
  }
}

/** ms that the other side has for confirming the end. */
const CLOSE_GRACE = 1_000;
/** RFC 6455 section 7.4.1: there was no close frame. */
const CLOSE_ABNORMAL = 1006;
