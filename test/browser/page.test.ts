import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createWebSocketInspector } from '@statelyai/inspect';
import type { Browser, Download, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type AnyStateMachine, createActor, createMachine } from 'xstate';
import { type Hub, startHub } from '../../src/inspector/hub/hub.ts';
import { observe } from '../../src/inspector/observe.ts';
import { describeInChromium } from './chromium.ts';
import { startChromium } from './start-chromium.ts';

const PAGE = fileURLToPath(new URL('../../dist/inspector/page', import.meta.url));
const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

let browser: Browser;
let folder: string;
/** A whole run of the demo. */
let trace: string;
let hub: Hub;
let page: Page;
/** What the page complained of, and whatever it asked of others than the hub. */
let complaints: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inspector-'));
  trace = join(folder, 'demo.jsonl');
  await promisify(execFile)(process.execPath, [CLI, 'demo', '--trace', trace]);
});
afterAll(() => rm(folder, { recursive: true }));

/** The page of a hub, as its user opens it. */
async function open(url = hub.url): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== new URL(hub.url).origin && protocol !== 'data:' && protocol !== 'blob:')
      complaints.push(request.url());
  });
  await page.goto(url);
}

const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });
const tab = (name: string) => page.getByRole('tab', { name });
const panel = (who: string) => page.getByRole('region', { name: new RegExp(`^chart of ${who},`) });
const actor = (name: string) => page.getByRole('navigation', { name: 'actors' }).getByRole('button', { name });
const count = async (): Promise<number> =>
  Number(/^(\d+) of/.exec((await page.locator('output .count').textContent())!)![1]);

async function saved(click: () => Promise<void>): Promise<{ download: Download; text: string }> {
  const [download] = await Promise.all([page.waitForEvent('download'), click()]);
  return { download, text: await readFile(await download.path(), 'utf8') };
}

describeInChromium('the page of the inspector', () => {
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    complaints = [];
    hub = await startHub({ page: PAGE });
  });
  afterEach(async () => {
    await page.context().close();
    await hub.close();
    expect(complaints).toEqual([]);
  });

  async function openTrace(): Promise<void> {
    hub.show('demo.jsonl', (await readFile(trace, 'utf8')).split('\n'));
    await open();
    await panel('a').waitFor();
  }

  it('says what to do while there is nothing to see', async () => {
    await open();
    await page.getByText('connected', { exact: true }).waitFor();
    expect(await page.getByRole('main').textContent()).toContain('--inspect');
  });

  it('shows the charts of both peers side by side, with the states that are active and the edges that were taken', async () => {
    await openTrace();
    for (const who of ['a', 'b']) {
      expect(
        await panel(who)
          .locator('.state.active')
          .evaluateAll((all) => all.map((it) => it.getAttribute('data-state'))),
      ).toEqual(['', 'closed']);
      expect(await panel(who).locator('g.hot').count()).toBe(1);
    }
  });

  it('shows another actor when it is chosen, one peer alone, and finds actors by name and state', async () => {
    await openTrace();
    await actor('lease-1').first().click();
    await page.getByRole('region', { name: 'chart of a, lease-1' }).waitFor();
    await actor('b demo.jsonl').click();
    await panel('b').waitFor({ state: 'detached' });
    await page.keyboard.press('/');
    await page.keyboard.type('race');
    await actor('lease-1').first().waitFor({ state: 'detached' });
    expect(await actor('race').count()).toBeGreaterThan(0);
  });

  it('tells what a state is, by pointer and by keyboard', async () => {
    await openTrace();
    await panel('a').getByRole('button', { name: 'Fit' }).click();
    const state = panel('a').locator('[data-state="connected.path.relayed"]');
    await state.focus();
    await page.keyboard.press('Enter');
    const details = panel('a').getByRole('complementary');
    expect(await details.textContent()).toContain('connected.path.relayed');
    await details.getByRole('button', { name: 'close' }).click();
    await details.waitFor({ state: 'detached' });
    await panel('a').locator('[data-state="closed"]').click();
    expect(await details.textContent()).toContain('final, active');
  });

  it('zooms, follows and fits a chart', async () => {
    await openTrace();
    const box = () => panel('a').locator('.canvas > svg').getAttribute('viewBox');
    const followed = await box();
    await panel('a').getByRole('button', { name: 'Fit' }).click();
    const whole = await box();
    expect(whole).not.toBe(followed);
    await panel('a').getByRole('button', { name: 'zoom in' }).click();
    expect(Number((await box())!.split(' ')[2]) * 1.25).toBeCloseTo(Number(whole!.split(' ')[2]), 3);
    await panel('a').getByRole('button', { name: 'zoom out' }).click();
    await panel('a').getByRole('button', { name: 'Follow' }).click();
    expect(await box()).not.toBe(whole);
  });

  it('gives a chart as SVG and as mermaid', async () => {
    await openTrace();
    const svg = await saved(() => panel('a').getByRole('button', { name: 'SVG' }).click());
    expect(svg.text).toMatch(/^<svg xmlns/);
    expect(svg.text).toContain('relayed');
    const mermaid = await saved(() => panel('a').getByRole('button', { name: 'Mermaid' }).click());
    expect(mermaid.text).toMatch(/^stateDiagram-v2\n/);
  });

  it('goes back in time: by the axis, in steps, and playing', async () => {
    await openTrace();
    const whole = await count();
    await button('step back').click();
    await expect.poll(count).toBe(whole - 1);
    await page.getByRole('slider', { name: 'moment' }).fill('2100');
    await expect.poll(() => panel('a').locator('[data-state="connected.path.relayed"].active').count()).toBe(1);
    const there = await count();
    await page.keyboard.press('ArrowRight');
    await expect.poll(count).toBe(there + 1);
    await page.getByLabel('speed').selectOption('10');
    await button('play').click();
    await expect.poll(() => panel('a').locator('[data-state="connected.path.direct"].active').count()).toBe(1);
    await button('pause').click();
    const paused = await count();
    expect(paused).toBeLessThan(whole);
    await page.waitForTimeout(300);
    expect(await count()).toBe(paused);
    await button('Live').click();
    await expect.poll(count).toBe(whole);
  });

  it('leads back to a moment by its link', async () => {
    await openTrace();
    await tab('log').click();
    await page.getByRole('slider', { name: 'moment' }).fill('2100');
    await button('Link').click();
    const there = await count();
    await page.reload();
    await expect.poll(count).toBe(there);
    expect(await tab('log').getAttribute('aria-selected')).toBe('true');
  });

  it('shows what was said as a sequence, folded or not', async () => {
    await openTrace();
    await tab('sequence').click();
    const rows = page.locator('.sequence .time');
    const all = await count();
    await page.getByRole('slider', { name: 'moment' }).fill('2100');
    await expect.poll(count).toBeLessThan(all);
    await expect.poll(() => rows.count()).toBeGreaterThan(10);
    const folded = await rows.count();
    const view = page.getByRole('region', { name: 'sequence' });
    expect(await view.locator('.signal').count()).toBeGreaterThan(2);
    expect(await view.textContent()).toMatch(/×\d/);
    await button('Fold repeats').click();
    await expect.poll(() => rows.count()).toBeGreaterThan(folded);
  });

  it('shows candidates, pairs and paths', async () => {
    await openTrace();
    await page.keyboard.press('3');
    const network = page.getByRole('region', { name: 'network of a' });
    const text = await network.textContent();
    for (const part of ['srflx', 'relayed, websocket', 'direct, udp', 'succeeded', 'mapping endpoint-independent']) {
      expect(text).toContain(part);
    }
  });

  it('shows the tables of simulated NATs', async () => {
    await openTrace();
    await tab('NATs').click();
    await page.getByRole('slider', { name: 'moment' }).fill('8000');
    await expect
      .poll(() => page.getByRole('region', { name: 'NAT a-home' }).textContent())
      .toMatch(/192\.168\.1\.100:\d+/);
  });

  it('says why a connection ended as it did, and what was tried', async () => {
    await openTrace();
    await tab('verdict').click();
    const verdict = page.getByRole('region', { name: 'verdicts of a' });
    expect(await verdict.textContent()).toMatch(/direct\s+connected directly over udp[\s\S]*checks[\s\S]*relay/);
  });

  it('searches the log, and goes to the moment of a line', async () => {
    await openTrace();
    await tab('log').click();
    await page.getByRole('searchbox').fill('verdict');
    const rows = page.locator('.log tr');
    await expect.poll(() => rows.count()).toBeLessThan(20);
    const last = await count();
    await rows.last().getByRole('button').click();
    await expect.poll(count).toBeLessThan(last);
  });

  it('opens a trace, refuses what is none, and saves one that can be opened again', async () => {
    await open();
    await page.locator('input[type=file]').setInputFiles(trace);
    await panel('a').waitFor();
    const whole = await count();
    const { text, download } = await saved(() => button('Save').click());
    expect(download.suggestedFilename()).toBe('demo.jsonl');
    const again = join(folder, 'again.jsonl');
    await writeFile(again, text);
    await open();
    await page.locator('input[type=file]').setInputFiles(again);
    await expect.poll(count).toBe(whole);
    const wrong = join(folder, 'wrong.txt');
    await writeFile(wrong, 'no trace');
    await page.locator('input[type=file]').setInputFiles(wrong);
    expect(await page.getByRole('alert').textContent()).toContain('wrong.txt: This is no trace');
    await button('dismiss').click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
  });

  it('shows what it can of a trace that is damaged, and says what it left out', async () => {
    const lines = (await readFile(trace, 'utf8')).split('\n');
    hub.show('damaged.jsonl', lines.with(100, '{"t":'));
    await open();
    await panel('a').waitFor();
    expect(await page.getByRole('alert').textContent()).toContain('damaged.jsonl: 1 lines are no records');
  });

  it('takes a trace that is dropped on it', async () => {
    await open();
    const text = await readFile(trace, 'utf8');
    const data = await page.evaluateHandle((content) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([content], 'dropped.jsonl'));
      return transfer;
    }, text);
    await page.dispatchEvent('.app', 'drop', { dataTransfer: data });
    await panel('a').waitFor();
  });

  it('is light or dark, and helps', async () => {
    await openTrace();
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    await button('light or dark').click();
    expect(await background()).not.toBe(light);
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  it('watches two real programs as they connect', async () => {
    await open();
    const demo = spawn(process.execPath, [CLI, 'demo', '--real'], {
      env: { ...process.env, SALLYPORT_INSPECT: hub.programUrl },
      stdio: 'ignore',
    });
    await panel('dialer').waitFor({ timeout: 20_000 });
    await panel('listener').waitFor();
    expect((await once(demo, 'exit'))[0]).toBe(0);
    await tab('verdict').click();
    await expect.poll(() => page.getByRole('region', { name: 'verdicts of dialer' }).textContent()).toContain('direct');
    await tab('sequence').click();
    await expect.poll(() => page.locator('.sequence .signal').count()).toBeGreaterThan(2);
  });

  it('shows what a stock client of @statelyai/inspect tells', async () => {
    await open();
    const client = createWebSocketInspector({ url: hub.programUrl });
    const lamp = createActor(
      createMachine({
        id: 'lamp',
        initial: 'dark',
        states: { dark: { on: { press: 'lit' } }, lit: { on: { press: 'dark' } } },
      }),
      { id: 'desk', inspect: client.inspect },
    ).start();
    lamp.send({ type: 'press' });
    const lit = page.getByRole('region', { name: 'chart of program 1, desk' }).locator('[data-state="lit"].active');
    await lit.waitFor();
    lamp.stop();
    client.stop();
    await page.getByRole('navigation', { name: 'actors' }).getByText('@statelyai/inspect').waitFor();
  });

  it('draws a chart of a hundred states such that it can be read, and goes on meanwhile', async () => {
    await open();
    await page.evaluate(() => {
      let last = performance.now();
      const longest = { frame: 0 };
      Object.assign(window, { longest });
      requestAnimationFrame(function frame(now) {
        longest.frame = Math.max(longest.frame, now - last);
        last = now;
        requestAnimationFrame(frame);
      });
    });
    const inspector = observe({ url: hub.programUrl, name: 'large' });
    const actor = createActor(tenByTen(), { inspect: inspector.inspect }).start();
    for (let i = 0; i < 34; i++) actor.send({ type: 'next' });
    const large = panel('large');
    await large.locator('[data-state="room3.seat4"].active').waitFor({ timeout: 20_000 });
    expect(await large.locator('.state').count()).toBe(111);
    // Its layout is made elsewhere: no frame takes as long.
    expect(await page.evaluate(() => (window as unknown as { longest: { frame: number } }).longest.frame)).toBeLessThan(
      500,
    );
    const canvas = (await large.locator('.canvas').boundingBox())!;
    const active = (await large.locator('[data-state="room3.seat4"] rect').first().boundingBox())!;
    expect(isWithin(active, canvas)).toBe(true);
    const letters = (await large.locator('[data-state="room3.seat4"] text').first().boundingBox())!;
    expect(letters.height).toBeGreaterThan(9);
    await large.getByRole('button', { name: 'Fit' }).click();
    const boxes = await large
      .locator('.state')
      .evaluateAll((all) =>
        all.map((it) => [it.getAttribute('data-state')!, it.querySelector('rect')!.getBoundingClientRect()] as const),
      );
    for (const [id, box] of boxes) {
      expect(isWithin(box, canvas), id).toBe(true);
      for (const [other, otherBox] of boxes) {
        if (other > id && parentOf(other) === parentOf(id)) expect(isApart(box, otherBox), `${id} ${other}`).toBe(true);
      }
    }
    actor.stop();
    await inspector.close();
  });

  it.each([
    [1280, 800, 14],
    [3840, 2160, 18],
  ])('fits a screen of %i by %i', async (width, height, letters) => {
    await openTrace();
    await page.setViewportSize({ width, height });
    for (const view of ['charts', 'sequence', 'network', 'NATs', 'verdict', 'log']) {
      await tab(view).click();
      const needed = await page.evaluate(() => {
        const { scrollWidth, scrollHeight } = document.documentElement;
        return [scrollWidth, scrollHeight];
      });
      expect(needed, view).toEqual([width, height]);
      const main = (await page.getByRole('main').boundingBox())!;
      expect(main.width, view).toBeGreaterThan(0.7 * width);
      expect(main.height, view).toBeGreaterThan(0.7 * height);
    }
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize)).toBe(`${letters}px`);
  });

  it('finds its hub again after it was gone', async () => {
    await openTrace();
    const { port } = new URL(hub.url);
    await hub.close();
    await page.getByText('hub lost').waitFor();
    expect(await panel('a').isVisible()).toBe(true);
    hub = await startHub({ page: PAGE, port: Number(port) });
    // Another hub has another token.
    await open();
    await page.getByText('connected', { exact: true }).waitFor();
  });

  it('learns nothing by a wrong token, nor as a page of another origin', async () => {
    await openTrace();
    await page.context().close();
    await open(hub.url.replace(/token=.{4}/, 'token=AAAA'));
    await page.getByText('hub lost').waitFor();
    expect(await page.getByRole('main').textContent()).toContain('Nothing to see yet');
    const foreign = createServer((_, response) => response.end('<title>foreign</title>')).listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    try {
      await page.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`);
      complaints = [];
      const url = hub.programUrl.replace('/program', '/view');
      const outcome = await page.evaluate(
        (target) =>
          new Promise((resolve) => {
            const socket = new WebSocket(target);
            socket.onmessage = () => resolve('told');
            socket.onclose = () => resolve('refused');
          }),
        url,
      );
      expect(outcome).toBe('refused');
    } finally {
      foreign.close();
      complaints = [];
    }
  });
});

/** A hundred states, ten in each of ten, one after another. */
function tenByTen(): AnyStateMachine {
  const rooms = Array.from({ length: 10 }, (_, room) => {
    const seats = Array.from({ length: 10 }, (_, seat) => {
      const target = seat < 9 ? `seat${seat + 1}` : `#room${(room + 1) % 10}`;
      return [`seat${seat}`, { on: { next: target, ...(seat > 0 && { back: `seat${seat - 1}` }) } }] as const;
    });
    return [`room${room}`, { id: `room${room}`, initial: 'seat0', states: Object.fromEntries(seats) }] as const;
  });
  return createMachine({ id: 'theatre', initial: 'room0', states: Object.fromEntries(rooms) });
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function isWithin(inner: Box, outer: Box): boolean {
  const { x, y, width, height } = outer;
  return inner.x >= x && inner.y >= y && inner.x + inner.width <= x + width && inner.y + inner.height <= y + height;
}

function isApart(a: Box, b: Box): boolean {
  return a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
}

function parentOf(state: string): string | undefined {
  if (state === '') return undefined;
  return state.includes('.') ? state.slice(0, state.lastIndexOf('.')) : '';
}
