import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SALLYPORT_VERSION } from '../../src/trace/version.ts';

it('traces name the version of the package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(SALLYPORT_VERSION).toBe(version);
});
