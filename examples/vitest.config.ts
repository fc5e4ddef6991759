import { defineConfig } from 'vitest/config';

/** The tests among the examples. Run: `npx vitest run --root examples`. */
export default defineConfig({ test: { include: ['**/*.test.ts'] } });
