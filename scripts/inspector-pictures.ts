/** Takes the pictures of docs/inspector.md from the real page: `npm run pictures:inspector`. Needs Debian's chromium and a build. */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { startHub } from '../src/inspector/index.ts';
import { homes } from '../src/sim.ts';
import { recordTrace } from '../src/trace/index.ts';
import { startChromium } from '../test/browser/start-chromium.ts';

const folder = fileURLToPath(new URL('../docs/inspector', import.meta.url));
await mkdir(folder, { recursive: true });

const lines: string[] = [];
await recordTrace(homes({ a: 'home-router', b: 'carrier' }), (line) => void lines.push(line));
const hub = await startHub({ page: fileURLToPath(new URL('../dist/inspector/page', import.meta.url)) });
hub.show('homes.jsonl', lines);

/** Name of the picture, view, ms of the run, light or dark. */
const PICTURES = [
  ['charts', 'charts', 2_100, 'light'],
  ['charts-dark', 'charts', 2_130, 'dark'],
  ['sequence', 'sequence', 150, 'light'],
  ['network', 'network', 2_500, 'light'],
  ['verdict', 'verdict', 1e9, 'light'],
] as const;

const browser = await startChromium();
try {
  for (const [name, view, at, colorScheme] of PICTURES) {
    const page = await browser.newPage({ viewport: { width: 1440, height: 860 }, colorScheme });
    await page.goto(`${hub.url}#view=${view}${at === 1e9 ? '' : `&at=${at}`}`);
    await page.locator('.panel').first().waitFor();
    await page.waitForTimeout(1_000);
    await page.screenshot({ path: `${folder}/${name}.png` });
    await page.close();
  }
} finally {
  await browser.close();
  await hub.close();
}
