/**
 * The inspector's page while it watches 200 actors that take 1,000 events a second, in headless Chromium: how long frames take, and what the page
 * and the program with the hub hold. `npx tsx bench/inspector-load.ts [seconds]`, 60 by default; needs Debian's chromium and a build.
 */
import { fileURLToPath } from 'node:url';
import { createActor, createMachine } from 'xstate';
import { observe, startHub } from '../src/inspector/index.ts';
import { startChromium } from '../test/browser/start-chromium.ts';

const seconds = Number(process.argv[2] ?? 60);
const ACTORS = 200;
const RATE = 1_000;

const machine = createMachine({
  id: 'light',
  initial: 'red',
  states: { red: { on: { go: 'green' } }, green: { on: { slow: 'amber' } }, amber: { on: { stop: 'red' } } },
});
const EVENTS = ['go', 'slow', 'stop'] as const;

/** A program for the page, as text: what compiles this file must not touch it. */
const framesFor = (ms: number): string => `new Promise((resolve) => {
  const frames = [];
  const began = performance.now();
  let last = began;
  requestAnimationFrame(function frame(now) {
    frames.push(now - last);
    last = now;
    if (now - began < ${ms}) requestAnimationFrame(frame);
    else resolve(frames.slice(1));
  });
})`;

const hub = await startHub({ page: fileURLToPath(new URL('../dist/inspector/page', import.meta.url)) });
const inspector = observe({ url: hub.programUrl, name: 'load' });
const actors = Array.from({ length: ACTORS }, (_, i) =>
  createActor(machine, { id: `light-${i}`, inspect: inspector.inspect }).start(),
);
const browser = await startChromium();
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(hub.url);
  await page.locator('.state').first().waitFor();
  const measured = page.evaluate<readonly number[]>(framesFor(seconds * 1_000));
  const [began, heaps, residents] = [performance.now(), [] as number[], [] as number[]];
  const devtools = await page.context().newCDPSession(page);
  let sent = 0;
  let sampledAt = began;
  while (performance.now() - began < seconds * 1_000) {
    for (const due = ((performance.now() - began) / 1_000) * RATE; sent < due; sent++) {
      actors[sent % ACTORS]!.send({ type: EVENTS[Math.floor(sent / ACTORS) % EVENTS.length]! });
    }
    if (performance.now() - sampledAt > 5_000) {
      sampledAt = performance.now();
      heaps.push((await devtools.send('Runtime.getHeapUsage')).usedSize / 2 ** 20);
      residents.push(process.memoryUsage.rss() / 2 ** 20);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const frames = [...(await measured)].sort((a, b) => a - b);
  const at = (share: number): string => frames[Math.floor(frames.length * share)]!.toFixed(1);
  const list = (values: readonly number[]): string => values.map((value) => value.toFixed(0)).join(' ');
  console.log(`${ACTORS} actors, ${sent} events in ${seconds} s, ${frames.length} frames`);
  console.log(`frames, ms: median ${at(0.5)}, 95 % ${at(0.95)}, 99 % ${at(0.99)}, longest ${at(1 - 1e-9)}`);
  console.log(`page, MiB of heap every 5 s: ${list(heaps)}`);
  console.log(`program and hub, MiB resident every 5 s: ${list(residents)}`);
  console.log((await page.locator('output').textContent())!);
} finally {
  await browser.close();
  await inspector.close();
  await hub.close();
}
