import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type Hub, startHub } from '../../src/inspector/hub/hub.ts';
import { MAX_FRAME } from '../../src/inspector/wire.ts';
import { WatchingPage } from './watching-page.ts';

let folder: string;
let hub: Hub;
let open: WebSocket[];

beforeEach(async () => {
  open = [];
  folder = await mkdtemp(join(tmpdir(), 'page-'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>page</title>');
  hub = await startHub({ page: folder });
});

afterEach(async () => {
  for (const socket of open) socket.terminate();
  await hub.close();
  await rm(folder, { recursive: true });
});

const HEADER = { format: 'sallyport-trace', version: 1, sallyport: '0.1.0', world: 'real' };
const HELLO = { format: 'sallyport-inspect', version: 1, program: { name: 'test', pid: 7 }, header: HEADER };

function connect(url: string, headers: Record<string, string> = {}): WebSocket {
  const socket = new WebSocket(url, { headers });
  open.push(socket);
  return socket;
}

const port = (): string => new URL(hub.url).port;
const viewUrl = (): string => hub.programUrl.replace('/program', '/view');

async function program(): Promise<WebSocket> {
  const socket = connect(hub.programUrl);
  await once(socket, 'open');
  socket.send(JSON.stringify(HELLO));
  return socket;
}

function page(): WatchingPage {
  const watching = new WatchingPage(hub.url);
  open.push(watching.socket);
  return watching;
}

/** The status that an upgrade is answered with. */
async function refusal(url: string, headers?: Record<string, string>): Promise<number> {
  const [, response] = await once(
    connect(url, headers).on('error', () => {}),
    'unexpected-response',
  );
  return response.statusCode;
}

async function closing(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = await once(socket, 'close');
  return { code, reason: String(reason) };
}

async function get(
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: object; body: string }> {
  const asked = request({ host: '127.0.0.1', port: port(), path, headers });
  asked.end();
  const [response] = await once(asked, 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, headers: response.headers, body };
}

const event = (t: number): string =>
  JSON.stringify({ t, who: 'me', what: 'event', actor: 'lamp', event: { type: 'x' } });

describe('a hub', () => {
  it('shows a page what a program tells, before it came and afterwards', async () => {
    const told = await program();
    told.send(JSON.stringify({ lines: [event(1), event(2)] }));
    const early = page();
    await early.untilFrame(({ type }) => type === 'lines');
    expect(early.frames.slice(0, 3)).toEqual([
      { type: 'hello', version: 1 },
      { type: 'source', id: '1', title: 'test (7)', live: true, header: HEADER },
      { type: 'lines', source: '1', lines: [event(1), event(2)] },
    ]);
    told.send(JSON.stringify({ lines: [event(3)] }));
    await early.untilFrame((frame) => frame.type === 'lines' && frame.lines.includes(event(3)));
    told.close();
    await early.untilFrame(({ type }) => type === 'ended');
    const late = page();
    expect(await late.untilFrame(({ type }) => type === 'source')).toMatchObject({ live: false });
    expect(await late.untilFrame(({ type }) => type === 'lines')).toMatchObject({
      lines: [event(1), event(2), event(3)],
    });
  });

  it('keeps a bounded part of what a program tells, and how its actors began', async () => {
    const told = await program();
    const begin = JSON.stringify({ t: 0, who: 'me', what: 'actor', actor: 'lamp', state: 'dark' });
    told.send(JSON.stringify({ lines: [begin] }));
    for (let i = 0; i < 25; i++) {
      told.send(JSON.stringify({ lines: Array.from({ length: 1_000 }, (_, j) => event(1_000 * i + j)) }));
    }
    told.close();
    const watched = page();
    await watched.untilFrame((frame) => frame.type === 'ended' || (frame.type === 'source' && !frame.live));
    const late = page();
    const gap = await late.untilFrame(({ type }) => type === 'gap');
    await late.untilFrame((frame) => frame.type === 'lines' && frame.lines.includes(event(24_999)));
    const lines = late.frames.flatMap((frame) => (frame.type === 'lines' ? frame.lines : []));
    expect(lines[0]).toBe(begin);
    expect(lines.length).toBeLessThanOrEqual(20_001);
    expect(gap).toMatchObject({ records: 25_001 - (lines.length - 1) });
  });

  it('refuses a wrong token, a page from elsewhere, a program in a browser, another host and other ways', async () => {
    const wrong = (url: string): string => url.replace(/token=.*/, 'token=wrong');
    const origin = `http://127.0.0.1:${port()}`;
    expect(await refusal(wrong(hub.programUrl))).toBe(401);
    expect(await refusal(wrong(viewUrl()), { origin })).toBe(401);
    expect(await refusal(viewUrl(), { origin: 'http://evil.example' })).toBe(403);
    expect(await refusal(viewUrl())).toBe(403);
    expect(await refusal(hub.programUrl, { origin })).toBe(403);
    expect(await refusal(hub.programUrl, { host: 'evil.example' })).toBe(403);
    expect(await refusal(hub.programUrl.replace('/program', '/other'))).toBe(404);
  });

  it.each([
    ['no JSON', '{', 'a frame is no JSON'],
    ['no hello', '{"lines":[]}', 'the first frame is not of the format sallyport-inspect'],
    ['a later version', JSON.stringify({ ...HELLO, version: 2 }), 'the hub speaks version 1, not 2'],
    [
      'a version without end',
      JSON.stringify({ ...HELLO, version: 'é'.repeat(500) }),
      `the hub speaks version 1, not ${'?'.repeat(93)}`,
    ],
    ['no program', JSON.stringify({ ...HELLO, program: {} }), 'it does not say which program it is'],
    ['no header', JSON.stringify({ ...HELLO, header: {} }), 'it has no header of a trace'],
  ])('closes on a program that says %s, and goes on with others', async (_, frame, reason) => {
    const other = await program();
    const socket = connect(hub.programUrl);
    await once(socket, 'open');
    socket.send(frame);
    expect(await closing(socket)).toEqual({ code: 1008, reason });
    other.send(JSON.stringify({ lines: [event(1)] }));
    await page().untilFrame(({ type }) => type === 'lines');
  });

  it('closes on a frame that is too large, and on a page that speaks', async () => {
    const socket = await program();
    socket.send(JSON.stringify({ lines: ['x'.repeat(MAX_FRAME)] }));
    expect((await closing(socket)).code).toBe(1009);
    const watching = page();
    await once(watching.socket, 'open');
    watching.socket.send('{}');
    expect((await closing(watching.socket)).code).toBe(1008);
  });

  it('serves the page and no other file, to no other host', async () => {
    const { status, headers, body } = await get('/');
    expect([status, body]).toEqual([200, '<!doctype html><title>page</title>']);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': expect.stringContaining("default-src 'self'"),
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    await writeFile(join(folder, '.secret.html'), 'hidden');
    for (const path of [
      '/nothing.js',
      '/../secret.html',
      '/%2e%2e/secret.html',
      '/.secret.html',
      '/index.html%00.js',
    ]) {
      expect((await get(path)).status, path).toBe(404);
    }
    expect((await get('/%')).status).toBe(400);
    expect((await get('/', { host: 'evil.example' })).status).toBe(403);
  });

  it('says which port is taken', async () => {
    await expect(startHub({ port: Number(port()), page: folder })).rejects.toMatchObject({
      code: 'ERR_PORT_IN_USE',
      message: expect.stringContaining(port()),
    });
  });
});
