import { describe, expect, it } from 'vitest';
import { type GuideName, guideBlocks, guideCode, LONGEST, runProgram, runTests } from './guide.ts';
import { README, readmeCode } from './readme.ts';

describe('the program of', () => {
  it.each<GuideName>(['composing-a-flow', 'writing-a-strategy'])(
    '%s prints what the guide says',
    async (name) => {
      expect(await runProgram(guideCode(name))).toBe(guideBlocks(name, 'text').join(''));
    },
    LONGEST,
  );

  it.each(README.filter(({ run }) => run === 'program'))(
    'the README: $name',
    async (program) => {
      expect(await runProgram(readmeCode(program))).toBe(program.prints);
    },
    LONGEST,
  );
});

describe('the tests of', () => {
  it.each<GuideName>(['testing-with-the-model', 'writing-an-adapter'])(
    '%s pass',
    async (name) => {
      expect(await runTests(guideCode(name))).toMatch(/Tests +\d+ passed/);
    },
    LONGEST,
  );

  it.each(README.filter(({ run }) => run === 'tests'))(
    'the README: $name',
    async (program) => {
      expect(await runTests(readmeCode(program))).toMatch(/Tests +\d+ passed/);
    },
    LONGEST,
  );
});
