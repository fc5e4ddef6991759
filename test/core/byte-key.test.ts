import { expect, it } from 'vitest';
import { byteKey } from '../../src/core/byte-key.ts';

it('gives the same key for the same bytes, wherever they lie, and another for each other value', () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  expect(new Set(Array.from(all, (_, i) => byteKey(all.subarray(i, i + 1)))).size).toBe(256);
  expect(byteKey(all.subarray(40, 56))).toBe(byteKey(all.slice(40, 56)));
  expect(byteKey(all)).toHaveLength(256);
});
