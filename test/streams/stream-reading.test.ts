import { describe, expect, it } from 'vitest';
import { StreamResetError } from '../../src/core/errors.ts';
import { StreamReading, type Taken } from '../../src/streams/stream-reading.ts';

/** A reading side and what it has to give, in order. */
function open(...given: Taken[]) {
  const reading: StreamReading = new StreamReading(() => {
    const next = given.shift();
    if (next === null) reading.end();
    return next instanceof Error ? reading.fail(next) : next;
  });
  return { reading, given };
}

const reset = new StreamResetError('reset');

describe('the reading side of a stream', () => {
  it('gives what is there at once, then the end for ever', async () => {
    const { reading } = open(Uint8Array.of(1), null);
    expect(await reading.read()).toEqual(Uint8Array.of(1));
    expect(reading.isOver).toBe(false);
    expect([await reading.read(), await reading.read()]).toEqual([null, null]);
    expect(reading.isOver).toBe(true);
  });

  it('waits for what comes, one read at a time', async () => {
    const { reading, given } = open();
    const waiting = reading.read();
    await expect(reading.read()).rejects.toMatchObject({ code: 'ERR_USAGE' });
    reading.onReadable();
    given.push(Uint8Array.of(2));
    reading.onReadable();
    expect(await waiting).toEqual(Uint8Array.of(2));
  });

  it('fails who waits and who comes later, by the first error', async () => {
    const { reading } = open();
    const waiting = reading.read();
    reading.fail(reset);
    reading.fail(new StreamResetError('another'));
    await expect(waiting).rejects.toBe(reset);
    await expect(reading.read()).rejects.toBe(reset);
  });

  it('stays at its end when it fails afterwards', async () => {
    const { reading } = open(null);
    expect(await reading.read()).toBeNull();
    reading.fail(reset);
    expect(await reading.read()).toBeNull();
  });
});
