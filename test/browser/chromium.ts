import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { describe } from 'vitest';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** Skipped, with the reason in its name, where there is no Chromium. */
export const describeInChromium =
  CHROMIUM === undefined
    ? (name: string, body: () => void) => describe.skip(`${name} (no Chromium here: apt-get install chromium)`, body)
    : describe;

export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] });
}
