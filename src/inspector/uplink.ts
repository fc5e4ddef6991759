import WebSocket from 'ws';
import { TraversalError } from '../core/errors.ts';
import { TRACE_FORMAT, TRACE_VERSION, type TraceRecord } from '../trace/trace-format.ts';
import { SALLYPORT_VERSION } from '../trace/version.ts';
import { WIRE_FORMAT, WIRE_VERSION } from './wire.ts';

/** What an uplink tells. */
export interface UplinkSource {
  /** Wall time in ms at which `t` is 0. */
  readonly began: number;
  /** A hub is there, and knows nothing: writes what it has to know first. */
  begin(): void;
  /** Writes one thing that waits. */
  next(): void;
  /** Things that wait. */
  waiting(): number;
}

/** The way to a hub: opened again whenever it was lost, and never what a process stays alive for. */
export class Uplink {
  readonly #url: string;
  readonly #name: string;
  readonly #source: UplinkSource;
  #socket: WebSocket | undefined;
  #isOpen = false;
  #isClosed = false;
  #retryIn = FIRST_RETRY;
  #timer: NodeJS.Timeout | undefined;
  #lines: string[] = [];
  #size = 0;

  /** Errors: `ERR_USAGE`. */
  constructor(url: string, name: string, source: UplinkSource) {
    this.#url = checkUrl(url);
    this.#name = name;
    this.#source = source;
    this.#connect();
  }

  /** Something waits. */
  wake(): void {
    if (!this.#isOpen || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#tell(), PAUSE).unref();
  }

  write(record: TraceRecord): void {
    const line = JSON.stringify(record);
    const shown = line.length > MAX_LINE ? tooLong(record, line.length) : line;
    this.#lines.push(shown);
    this.#size += shown.length;
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
    this.#lines = [];
    this.#size = 0;
    const { began } = this.#source;
    const header = { format: TRACE_FORMAT, version: TRACE_VERSION, sallyport: SALLYPORT_VERSION, world: 'real', began };
    const program = { name: this.#name, pid: process.pid };
    socket.send(JSON.stringify({ format: WIRE_FORMAT, version: WIRE_VERSION, program, header }));
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
    if (this.#source.waiting() > 0) this.wake();
  }

  #flush(): void {
    if (this.#lines.length === 0 || !this.#isOpen || this.#socket === undefined) return;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ lines: this.#lines }));
    this.#lines = [];
    this.#size = 0;
  }
}

function checkUrl(url: string): string {
  const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '' };
  if (protocol === 'ws:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) return url;
  throw new TraversalError(
    'ERR_USAGE',
    `${url.replace(/token=[^&]*/, 'token=..')} is no inspector of this machine: it is ws://127.0.0.1:port/program?token=..`,
  );
}

function tooLong(record: TraceRecord, length: number): string {
  const who = 'who' in record ? record.who : '';
  const fields = { what: record.what, length };
  return JSON.stringify({ t: record.t, who, what: 'log', event: 'inspector.record-too-long', fields });
}

/** ms of work in one slice, and between two of them; above so much that waits, all of it is done. */
const SLICE = 1;
const PAUSE = 25;
const MANY = 2_000;
/** Characters of a record, and of the lines of a frame. */
const MAX_LINE = 64 * 2 ** 10;
const MAX_BATCH = 256 * 2 ** 10;
/** Bytes that wait for the hub. */
const MAX_BUFFERED = 4 * 2 ** 20;
/** ms */
const FIRST_RETRY = 250;
const LAST_RETRY = 5_000;
const FAREWELL = 500;
