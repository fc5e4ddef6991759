import { defineConfig } from 'vitest/config';

/** Suites of what is wrong on purpose: faults.test.ts runs them, and expects them to fail. */
export default defineConfig({
  root: import.meta.dirname,
  test: { include: ['*.suite.ts'], testTimeout: 20_000, maxWorkers: 2, reporters: ['json'] },
});
