import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { TraversalError } from '../../src/core/errors.ts';
import type { SessionStream } from '../../src/core/session.ts';
import { toDuplex, toWeb } from '../../src/streams/session-stream.ts';

/** A stream whose other side is played by the test. */
class PlayedStream implements SessionStream {
  readonly id = 0;
  readonly protocol = 'test';
  readonly finished = Promise.resolve();
  /** What reads give, in turn; when it is empty they wait for `arrive`. */
  readonly chunks: (Uint8Array | null | TraversalError)[] = [];
  readonly written: string[] = [];
  reads = 0;
  ended = false;
  resets = 0;
  /** Writes wait for it. */
  room: Promise<void> = Promise.resolve();
  #waiting: (() => void) | undefined;

  arrive(...chunks: (Uint8Array | null | TraversalError)[]): this {
    this.chunks.push(...chunks);
    this.#waiting?.();
    return this;
  }

  async read(): Promise<Uint8Array | null> {
    this.reads++;
    if (this.chunks.length === 0) await new Promise<void>((resolve) => (this.#waiting = resolve));
    const chunk = this.chunks.shift();
    if (chunk instanceof Error) throw chunk;
    return chunk ?? null;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.room;
    this.written.push(Buffer.from(bytes).toString());
  }

  async end(): Promise<void> {
    this.ended = true;
  }

  reset(): void {
    this.resets++;
    this.arrive(new TraversalError('ERR_STREAM_RESET', 'reset'));
  }
}

const bytes = (content: string) => Buffer.from(content);
const reset = new TraversalError('ERR_STREAM_RESET', 'reset by the other side');

describe('toDuplex', () => {
  it('reads to the end and writes to the end, and resets nothing', async () => {
    const stream = new PlayedStream().arrive(bytes('one '), bytes('two'), null);
    const duplex = toDuplex(stream);
    const received: Buffer[] = [];
    duplex.on('data', (chunk) => received.push(chunk));
    await once(duplex, 'end');
    expect(Buffer.concat(received).toString()).toBe('one two');
    await pipeline(Readable.from(['three']), duplex);
    expect(stream.written.join('')).toBe('three');
    expect(stream).toMatchObject({ ended: true, resets: 0 });
    expect(duplex.destroyed).toBe(true);
  });

  it('half-closes: reading goes on after the end of writing', async () => {
    const stream = new PlayedStream();
    const duplex = toDuplex(stream);
    duplex.end();
    await once(duplex, 'finish');
    stream.arrive(bytes('late'), null);
    expect(await text(duplex)).toBe('late');
    expect(stream.resets).toBe(0);
  });

  it('reads nothing while nobody wants it, and stops when its buffer is full', async () => {
    const stream = new PlayedStream().arrive(...Array.from({ length: 1000 }, () => Buffer.alloc(2 ** 14)));
    const duplex = toDuplex(stream);
    expect(stream.reads).toBe(0);
    await once(duplex, 'readable');
    expect(stream.reads).toBeLessThan(20);
  });

  it('says when to stop writing, and when to go on', async () => {
    const stream = new PlayedStream();
    let makeRoom: () => void = () => {};
    stream.room = new Promise((resolve) => (makeRoom = resolve));
    const duplex = toDuplex(stream);
    let writes = 0;
    while (duplex.write(Buffer.alloc(2 ** 14)) && writes < 100) writes++;
    expect(writes).toBeLessThan(100);
    const drained = once(duplex, 'drain');
    makeRoom();
    await drained;
  });

  it('fails when the stream is reset', async () => {
    const duplex = toDuplex(new PlayedStream().arrive(reset));
    await expect(text(duplex)).rejects.toBe(reset);
  });

  it('resets the stream when it is destroyed early', async () => {
    const stream = new PlayedStream();
    const duplex = toDuplex(stream);
    duplex.destroy();
    await once(duplex, 'close');
    expect(stream.resets).toBe(1);
  });
});

describe('toWeb', () => {
  it('reads to the end and writes to the end', async () => {
    const stream = new PlayedStream().arrive(bytes('one '), bytes('two'), null);
    const { readable, writable } = toWeb(stream);
    expect(await text(readable)).toBe('one two');
    const writer = writable.getWriter();
    await writer.write(bytes('three'));
    await writer.close();
    expect(stream).toMatchObject({ written: ['three'], ended: true, resets: 0 });
  });

  it('reads only what is asked for', async () => {
    const stream = new PlayedStream().arrive(bytes('a'), bytes('b'), bytes('c'));
    const reader = toWeb(stream).readable.getReader();
    expect(stream.reads).toBe(0);
    await reader.read();
    expect(stream.reads).toBe(1);
  });

  it('fails when the stream is reset', async () => {
    await expect(text(toWeb(new PlayedStream().arrive(reset)).readable)).rejects.toBe(reset);
  });

  it('resets the stream when it is cancelled or aborted', async () => {
    const stream = new PlayedStream();
    await toWeb(stream).readable.cancel();
    await toWeb(stream).writable.abort();
    expect(stream.resets).toBe(2);
  });
});
