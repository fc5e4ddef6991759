import { setImmediate as turn } from 'node:timers/promises';
import { EMPTY, lastValueFrom, merge, NEVER, of, throwError, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { echo, pipeTo, readEach } from '../../src/streams/index.ts';
import { gatedSink, sourceOf } from './memory-pipe.ts';

const a = Uint8Array.of(1);
const b = Uint8Array.of(2, 3);
const c = Uint8Array.of(4, 5, 6);

describe('readEach', () => {
  it('gives the results of all chunks in order and completes at the end', async () => {
    const results$ = readEach(sourceOf(a, b, c), (bytes) => (bytes === b ? EMPTY : of(bytes.length, 'done')));
    expect(await lastValueFrom(results$.pipe(toArray()))).toEqual([1, 'done', 3, 'done']);
  });

  it('reads the next chunk only when the last result has completed', async () => {
    const source = sourceOf(a, b, c);
    const subscription = readEach(source, () => NEVER).subscribe();
    await turn();
    expect(source.taken).toBe(1);
    subscription.unsubscribe();
  });

  it('stops reading when unsubscribed', async () => {
    const source = sourceOf(a, b, c);
    const seen: Uint8Array[] = [];
    const subscription = readEach(source, async (bytes) => {
      subscription.unsubscribe();
      return bytes;
    }).subscribe((bytes) => seen.push(bytes));
    await turn();
    expect(source.taken).toBe(1);
    expect(seen).toEqual([]);
  });

  it.each([
    ['the source', () => readEach({ read: () => Promise.reject(new Error('boom')) }, () => EMPTY)],
    ['a result', () => readEach(sourceOf(a), () => throwError(() => new Error('boom')))],
    [
      'the projection itself',
      () =>
        readEach(sourceOf(a), () => {
          throw new Error('boom');
        }),
    ],
  ])('passes on an error of %s', async (_what, results$) => {
    await expect(lastValueFrom(results$())).rejects.toThrow('boom');
  });

  it('reads a long source without piling up anything', async () => {
    let left = 50_000;
    const source = { read: async () => (left-- > 0 ? a : null) };
    expect(await lastValueFrom(readEach(source, () => of(left)))).toBe(0);
  });
});

describe('pipeTo', () => {
  it('takes a chunk from the source only when the sink has taken the last one', async () => {
    const [source, sink] = [sourceOf(a, b, c), gatedSink()];
    const lengths: number[] = [];
    pipeTo(source, sink).subscribe((length) => lengths.push(length));
    for (let chunk = 1; chunk <= 3; chunk++) {
      await turn();
      expect(source.taken).toBe(chunk);
      expect(sink.written).toHaveLength(chunk - 1);
      sink.letThrough();
    }
    await turn();
    expect(sink.written).toEqual([a, b, c]);
    expect(lengths).toEqual([1, 2, 3]);
    expect(sink.ended).toBe(true);
  });

  it('leaves the sink open when the source fails, so that a broken stream does not look complete', async () => {
    const sink = gatedSink();
    const broken = { read: () => Promise.reject(new Error('reset')) };
    await expect(lastValueFrom(pipeTo(broken, sink))).rejects.toThrow('reset');
    expect(sink.ended).toBe(false);
  });

  it('passes on an error of the sink', async () => {
    const sink = { write: () => Promise.reject(new Error('reset')), end: async () => {} };
    await expect(lastValueFrom(pipeTo(sourceOf(a), sink))).rejects.toThrow('reset');
  });

  it('joins two connections when merged both ways', async () => {
    const sent: string[] = [];
    const side = (name: string, ...chunks: Uint8Array[]) => ({
      ...sourceOf(...chunks),
      write: async (bytes: Uint8Array) => void sent.push(`${bytes.length} to ${name}`),
      end: async () => void sent.push(`end to ${name}`),
    });
    const [left, right] = [side('left', a, b), side('right', c)];
    await lastValueFrom(merge(pipeTo(left, right), pipeTo(right, left)));
    expect(sent.filter((line) => line.endsWith('right'))).toEqual(['1 to right', '2 to right', 'end to right']);
    expect(sent.filter((line) => line.endsWith('left'))).toEqual(['3 to left', 'end to left']);
  });
});

describe('echo', () => {
  it('writes back what it reads, then ends', async () => {
    const sent: (Uint8Array | 'end')[] = [];
    const connection = {
      ...sourceOf(a, b),
      write: async (bytes: Uint8Array) => void sent.push(bytes),
      end: async () => void sent.push('end'),
    };
    expect(await lastValueFrom(echo(connection).pipe(toArray()))).toEqual([1, 2]);
    expect(sent).toEqual([a, b, 'end']);
  });
});
