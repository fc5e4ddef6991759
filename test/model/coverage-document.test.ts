import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { coverageDocument } from './coverage-document.ts';
import { DOCS, readResults, reportOf } from './coverage-files.ts';
import { surprises, UNREACHED } from './unreached.ts';

const AGAIN = 'run npm run model';

describe('docs/model-coverage.md', () => {
  const results = readResults();

  test('is of the charts as they are', () => {
    expect(() => reportOf(results), AGAIN).not.toThrow();
  });

  test('says what was found, and so do its pictures', () => {
    for (const [name, text] of coverageDocument(reportOf(results), results))
      expect(readFileSync(resolve(DOCS, name), 'utf8'), `${name}: ${AGAIN}`).toBe(text);
  });

  test('has every state and every transition reached, and explains what guards never did', () => {
    const { charts, missing } = reportOf(results);
    const hits = charts.flatMap(({ states, transitions }) => [...states, ...transitions].map((part) => part.hits));
    expect(Math.min(...hits)).toBeGreaterThan(0);
    expect(surprises({ missing }), AGAIN).toEqual([]);
  });
});

test('an explanation of nothing is a surprise, and so is what is not explained', () => {
  const [first = '', ...others] = Object.keys(UNREACHED);
  expect(surprises({ missing: Object.keys(UNREACHED) })).toEqual([]);
  expect(surprises({ missing: [...others, 'peer: never in peer.closed'] })).toEqual([
    'peer: never in peer.closed',
    `stated in test/model/unreached.ts, and not so: ${first}`,
  ]);
});
