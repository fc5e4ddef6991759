import { describe, expect, test } from 'vitest';
import { testPaths } from '../../src/testing/index.ts';
import { comebacks } from './comebacks.ts';
import { deadlines } from './deadlines.ts';

describe.each([...comebacks(), ...deadlines()])('$title:', ({ model, paths, invariants }) => {
  test('there are paths', () => {
    expect(paths).not.toEqual([]);
  });

  testPaths(model, { test, paths, invariants });
});
