import { expect, it } from 'vitest';
import { run } from './sallyport.ts';

it('the demo on real sockets starts over a relay, ends up on a direct path, loses no byte and ends by itself', async () => {
  const { code, stdout, stderr } = await run(['demo', '--real']);
  expect([code, stderr]).toEqual([0, '']);
  const steps = [
    /relayed path/,
    /session established/,
    /every byte came back/,
    /direct path; the relay/,
    /everything is closed/,
  ];
  const found = steps.map((step) => stdout.search(step));
  expect(found.every((at) => at >= 0)).toBe(true);
  expect(found).toEqual([...found].sort((a, b) => a - b));
});
