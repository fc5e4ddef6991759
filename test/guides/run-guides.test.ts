import { describe, expect, it } from 'vitest';
import { type GuideName, guideBlocks, runGuide, testGuide } from './guide.ts';

describe('the program of', () => {
  it.each<GuideName>(['composing-a-flow', 'writing-a-strategy'])(
    '%s prints what the guide says',
    async (name) => {
      expect(await runGuide(name)).toBe(guideBlocks(name, 'text').join(''));
    },
    120_000,
  );
});

describe('the tests of', () => {
  it.each<GuideName>(['testing-with-the-model', 'writing-an-adapter'])(
    '%s pass',
    async (name) => {
      expect(await testGuide(name)).toMatch(/Tests +\d+ passed/);
    },
    120_000,
  );
});
