import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** The system's own, headless. Errors: a rejection that says what to install. */
export async function startChromium(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('there is no Chromium here: apt-get install chromium');
  return await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}
