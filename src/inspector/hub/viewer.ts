import type { WebSocket } from 'ws';
import { type ViewerFrame, WIRE_VERSION } from '../wire.ts';
import type { HubSource } from './hub-source.ts';

/** A page that watches. One that is too slow misses lines, and is told how many before the next that it is sent. */
export class Viewer {
  readonly #socket: WebSocket;
  /** Lines that were left out, by source. */
  readonly #missed = new Map<string, number>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#send({ type: 'hello', version: WIRE_VERSION });
  }

  /** A source and all that is kept of it. */
  show({ id, title, live, header, lines, forgotten }: HubSource): void {
    this.#send({ type: 'source', id, title, live, header });
    if (forgotten > 0) this.#send({ type: 'gap', source: id, records: forgotten });
    // What there is already goes out whole, however much it is: it is bounded.
    for (const batch of batches(lines)) this.#send({ type: 'lines', source: id, lines: batch });
  }

  lines(source: string, lines: readonly string[]): void {
    const missed = this.#missed.get(source) ?? 0;
    if (this.#socket.bufferedAmount > MAX_BUFFERED) {
      this.#missed.set(source, missed + lines.length);
      return;
    }
    if (missed > 0) this.#send({ type: 'gap', source, records: missed });
    this.#missed.delete(source);
    for (const batch of batches(lines)) this.#send({ type: 'lines', source, lines: batch });
  }

  ended(source: string): void {
    this.#send({ type: 'ended', source });
  }

  removed(source: string): void {
    this.#missed.delete(source);
    this.#send({ type: 'removed', source });
  }

  #send(frame: ViewerFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }
}

/** Such that no frame is much above {@link MAX_BATCH}. */
function* batches(lines: readonly string[]): Generator<readonly string[]> {
  let batch: string[] = [];
  let size = 0;
  for (const line of lines) {
    if (size + line.length > MAX_BATCH && batch.length > 0) {
      yield batch;
      batch = [];
      size = 0;
    }
    batch.push(line);
    size += line.length;
  }
  if (batch.length > 0) yield batch;
}

/** Characters of lines in one frame. */
const MAX_BATCH = 512 * 2 ** 10;
/** Bytes that wait for a page. */
const MAX_BUFFERED = 8 * 2 ** 20;
