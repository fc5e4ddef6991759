import { expect, it } from 'vitest';
import { cryptoRandom } from '../../../src/adapters/node/index.ts';

it('cryptoRandom gives as many bytes as asked, fresh ones each time', () => {
  const random = cryptoRandom();
  expect(random.bytes(0)).toHaveLength(0);
  expect(random.bytes(16)).toHaveLength(16);
  expect(random.bytes(16)).not.toEqual(random.bytes(16));
});
