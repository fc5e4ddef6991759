import { describe, expect, it } from 'vitest';
import { ByteQueue } from '../../src/core/byte-queue.ts';
import { TraversalError } from '../../src/core/errors.ts';

const a = Uint8Array.of(1);
const b = Uint8Array.of(2, 3);
const reset = new TraversalError('ERR_CONNECTION_RESET', 'reset');
const closed = new TraversalError('ERR_CLOSED', 'closed');

describe('ByteQueue', () => {
  it('gives chunks in order, then the end for ever', async () => {
    const queue = new ByteQueue();
    queue.push(a);
    queue.push(b);
    queue.end();
    expect(await queue.read()).toBe(a);
    expect(await queue.read()).toBe(b);
    expect(await queue.read()).toBeNull();
    expect(await queue.read()).toBeNull();
  });

  it('serves a reader that came first', async () => {
    const queue = new ByteQueue();
    const chunk = queue.read();
    queue.push(a);
    expect(await chunk).toBe(a);
    const end = queue.read();
    queue.end();
    expect(await end).toBeNull();
  });

  it('refuses a second reader and still serves the first', async () => {
    const queue = new ByteQueue();
    const first = queue.read();
    await expect(queue.read()).rejects.toMatchObject({ code: 'ERR_BUSY' });
    queue.push(a);
    expect(await first).toBe(a);
  });

  it('gives what came before a failure, then the failure', async () => {
    const queue = new ByteQueue();
    queue.push(a);
    queue.fail(reset);
    queue.push(b);
    expect(await queue.read()).toBe(a);
    await expect(queue.read()).rejects.toBe(reset);
    await expect(queue.read()).rejects.toBe(reset);
  });

  it('keeps a good end when the producer fails afterwards', async () => {
    const queue = new ByteQueue();
    queue.end();
    queue.fail(reset);
    expect(await queue.read()).toBeNull();
  });

  it('drops everything when abandoned, and never calls that a good end', async () => {
    const queue = new ByteQueue();
    queue.push(a);
    queue.end();
    queue.abandon(closed);
    expect(queue.full).toBe(false);
    await expect(queue.read()).rejects.toBe(closed);
  });

  it('fails a waiting reader when abandoned', async () => {
    const queue = new ByteQueue();
    const chunk = queue.read();
    queue.abandon(closed);
    await expect(chunk).rejects.toBe(closed);
  });

  it('is full at 1 MiB, and tells when a chunk left', async () => {
    let left = 0;
    const queue = new ByteQueue(() => left++);
    queue.push(new Uint8Array(2 ** 20 - 1));
    expect(queue.full).toBe(false);
    queue.push(a);
    expect(queue.full).toBe(true);
    await queue.read();
    expect(queue.full).toBe(false);
    expect(left).toBe(1);
  });

  it('is full at 1024 chunks, however small', () => {
    const queue = new ByteQueue();
    for (let i = 0; i < 1023; i++) queue.push(a);
    expect(queue.full).toBe(false);
    queue.push(a);
    expect(queue.full).toBe(true);
  });
});
