import { Duplex } from 'node:stream';
import { ReadableStream, WritableStream } from 'node:stream/web';
import type { SessionStream } from '../core/session.ts';

/**
 * The stream as Node's Duplex: back pressure both ways, half-close (`end()` leaves reading open), and `destroy()`
 * before both sides ended resets it. `finish` comes when the end was handed over; await `stream.finished` for its
 * arrival.
 */
export function toDuplex(stream: SessionStream): Duplex {
  return new Duplex({
    allowHalfOpen: true,
    read() {
      stream.read().then(
        (chunk) => this.push(chunk),
        (error) => this.destroy(error),
      );
    },
    write(chunk: Uint8Array, _encoding, done) {
      stream.write(chunk).then(() => done(), done);
    },
    writev(chunks, done) {
      stream.write(Buffer.concat(chunks.map(({ chunk }) => chunk as Uint8Array))).then(() => done(), done);
    },
    final(done) {
      stream.end().then(() => done(), done);
    },
    destroy(error, done) {
      if (!(this.readableEnded && this.writableFinished)) stream.reset();
      done(error);
    },
  });
}

/**
 * The stream as a pair of web streams. Cancelling or aborting one of them resets the whole stream, as QUIC's reset
 * does.
 */
export function toWeb(stream: SessionStream): {
  readable: ReadableStream<Uint8Array>;
  writable: WritableStream<Uint8Array>;
} {
  const readable = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = await stream.read();
        if (chunk === null) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: () => stream.reset(),
    },
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<Uint8Array>({
    write: (chunk) => stream.write(chunk),
    close: () => stream.end(),
    abort: () => stream.reset(),
  });
  return { readable, writable };
}
