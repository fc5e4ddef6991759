import { expect, it } from 'vitest';
import { cryptoRandom } from '../../../src/adapters/node/index.ts';

it('cryptoRandom gives as many bytes as asked, fresh ones each time', () => {
  const random = cryptoRandom();
  expect(random.bytes(0)).toHaveLength(0);
  expect(random.bytes(16)).toHaveLength(16);
  expect(random.bytes(16)).not.toEqual(random.bytes(16));
});

it('cryptoRandom gives no byte twice, whatever is asked and whatever is done with what it gave', () => {
  const random = cryptoRandom();
  const seen = new Set<string>();
  for (let i = 0; i < 1000; i++) {
    const bytes = random.bytes(8 + (i % 5));
    seen.add(Buffer.from(bytes.subarray(0, 8)).toString('hex'));
    bytes.fill(0);
  }
  expect(seen.size).toBe(1000);
  expect(random.bytes(5000).filter((byte) => byte === 0).length).toBeLessThan(100);
});
