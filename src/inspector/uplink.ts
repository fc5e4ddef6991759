import WebSocket from 'ws';

/** What an uplink tells, and how. */
export interface UplinkSource {
  /** The first frame; absent: none is expected. */
  hello?(): string;
  /** Frames that carry those texts. */
  frames(texts: readonly string[]): readonly string[];
  /** A receiver is there, and knows nothing: writes what it has to know first. */
  begin(): void;
  /** Writes one thing that waits. */
  next(): void;
  /** Things that wait. */
  waiting(): number;
}

/** The way to a hub: opened again whenever it was lost, and never what a process stays alive for. */
export class Uplink {
  readonly #url: string;
  readonly #source: UplinkSource;
  #socket: WebSocket | undefined;
  #isOpen = false;
  #isClosed = false;
  #retryIn = FIRST_RETRY;
  #timer: NodeJS.Timeout | undefined;
  #texts: string[] = [];
  #size = 0;

  constructor(url: string, source: UplinkSource) {
    this.#url = url;
    this.#source = source;
    this.#connect();
  }

  /** Something waits: it is told when what goes on with it, a connection that is made, has had its time. */
  wake(): void {
    this.#tellIn(CALM);
  }

  write(text: string): void {
    this.#texts.push(text);
    this.#size += text.length;
    if (this.#size > MAX_BATCH) this.#flush();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    if (socket === undefined || !this.#isOpen) {
      socket?.terminate();
      return;
    }
    while (this.#source.waiting() > 0) this.#source.next();
    this.#flush();
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.close();
    const tooLate = new Promise<void>((resolve) => setTimeout(resolve, FAREWELL).unref());
    await Promise.race([closed, tooLate]);
    socket.terminate();
  }

  #connect(): void {
    const socket = new WebSocket(this.#url, { perMessageDeflate: false, handshakeTimeout: 5_000 });
    this.#socket = socket;
    // Its data keeps no process alive.
    socket.on('upgrade', ({ socket: carrier }) => carrier.unref());
    socket.on('open', () => this.#begin(socket));
    // `close` follows, and says all that is to be done.
    socket.on('error', () => {});
    socket.on('close', () => this.#retry());
  }

  #begin(socket: WebSocket): void {
    this.#isOpen = true;
    this.#retryIn = FIRST_RETRY;
    this.#texts = [];
    this.#size = 0;
    const hello = this.#source.hello?.();
    if (hello !== undefined) socket.send(hello);
    this.#source.begin();
    this.#flush();
    this.wake();
  }

  #retry(): void {
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#connect();
    }, this.#retryIn).unref();
    this.#retryIn = Math.min(2 * this.#retryIn, LAST_RETRY);
  }

  /** A slice of what waits: little at a time, unless so much waits that it would be lost. */
  #tell(): void {
    this.#timer = undefined;
    if (this.#socket!.bufferedAmount < MAX_BUFFERED) {
      const until = performance.now() + SLICE;
      while (this.#source.waiting() > 0 && (this.#source.waiting() > MANY || performance.now() < until)) {
        this.#source.next();
      }
      this.#flush();
    }
    if (this.#source.waiting() > 0) this.#tellIn(PAUSE);
  }

  #tellIn(delay: number): void {
    if (!this.#isOpen || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#tell(), delay).unref();
  }

  #flush(): void {
    if (this.#texts.length === 0 || !this.#isOpen || this.#socket === undefined) return;
    if (this.#socket.readyState === WebSocket.OPEN) {
      for (const frame of this.#source.frames(this.#texts)) this.#socket.send(frame);
    }
    this.#texts = [];
    this.#size = 0;
  }
}

/** ms before the first slice of work, of one, and between two; above so much that waits, all of it is done. */
const CALM = 100;
const SLICE = 1;
const PAUSE = 25;
const MANY = 2_000;
/** Characters that make a batch. */
const MAX_BATCH = 256 * 2 ** 10;
/** Bytes that wait for the hub. */
const MAX_BUFFERED = 4 * 2 ** 20;
/** ms */
const FIRST_RETRY = 250;
const LAST_RETRY = 5_000;
const FAREWELL = 500;
