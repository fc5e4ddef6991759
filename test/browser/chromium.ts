import { describe } from 'vitest';
import { CHROMIUM } from './start-chromium.ts';

/** Skipped, with the reason in its name, where there is no Chromium. */
export const describeInChromium =
  CHROMIUM === undefined
    ? (name: string, body: () => void) => describe.skip(`${name} (no Chromium here: apt-get install chromium)`, body)
    : describe;
