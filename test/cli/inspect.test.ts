import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { homes } from '../../src/sim.ts';
import { recordTrace } from '../../src/trace/index.ts';
import { WatchingPage } from '../inspector/watching-page.ts';
import { errorCode, listenJson, run, sallyport } from './sallyport.ts';
import { startTestServer } from './server.ts';

let folder: string;
let trace: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-inspect-'));
  trace = join(folder, 'homes.jsonl');
  const lines: string[] = [];
  await recordTrace(homes({ a: 'home-router', b: 'linux' }), (line) => void lines.push(line));
  await writeFile(trace, lines.join('\n'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('sallyport inspect', () => {
  it('shows traces, says where, and ends with 0 by Ctrl-C', async () => {
    await using inspect = sallyport(['inspect', trace, '--port', '0', '--json']);
    const { url, programs } = await inspect.event('inspector');
    expect(programs).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/program\?token=/);
    using page = new WatchingPage(String(url));
    await page.untilFrame(({ type }) => type === 'lines');
    expect(page.frames).toMatchObject([{ type: 'hello' }, { type: 'source', title: 'homes.jsonl', live: false }, {}]);
    inspect.signal('SIGINT');
    expect(await inspect.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('refuses what is no trace, by its name', async () => {
    const wrong = join(folder, 'wrong.txt');
    await writeFile(wrong, 'not a trace');
    for (const path of [wrong, join(folder, 'nowhere')]) {
      const end = await run(['inspect', trace, path, '--port', '0', '--json']);
      expect([end.code, errorCode(end)]).toEqual([2, 'ERR_USAGE']);
      expect(end.stdout).toContain(path);
    }
  });

  it('says that its port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const end = await run(['inspect', '--port', String(port), '--json']);
    expect([end.code, errorCode(end)]).toEqual([2, 'ERR_PORT_IN_USE']);
    taken.close();
  });
});

describe('--inspect', () => {
  it('lets a hub that runs watch a listener, by option or environment', async () => {
    await using server = await startTestServer();
    await using inspect = sallyport(['inspect', '--port', '0', '--json']);
    const { url, programs } = await inspect.event('inspector');
    await using one = await listenJson(server.url, ['--echo', '--inspect', String(programs)]);
    await using other = await listenJson(server.url, ['--echo'], { env: { SALLYPORT_INSPECT: String(programs) } });
    const titles = new Set<string>();
    using page = new WatchingPage(String(url));
    await page.untilFrame((frame) => frame.type === 'source' && titles.add(frame.title).size === 2);
    expect([...titles].sort()).toEqual([one, other].map(({ pid }) => `listener (${pid})`).sort());
  });

  it('serves a page of the command’s own without a URL, and ends it with the command', async () => {
    await using server = await startTestServer();
    await using listener = sallyport(['listen', '--server', server.url, '--echo', '--inspect']);
    const [, url] = await listener.line(/inspector {2}(http:\S+)/);
    using page = new WatchingPage(url!);
    await page.untilFrame(({ type }) => type === 'lines');
    expect(page.frames).toMatchObject([{ type: 'hello' }, { type: 'source', live: true }, {}]);
    listener.signal('SIGINT');
    expect((await listener.ended).code).toBe(0);
  });

  it('refuses a URL that leads to no hub of this machine', async () => {
    const end = await run(['listen', '--json', '--echo', '--inspect', 'ws://192.0.2.1:8791/program?token=x']);
    expect([end.code, errorCode(end)]).toEqual([2, 'ERR_USAGE']);
  });

  it('shows a simulated run of the demo until Ctrl-C', async () => {
    await using demo = sallyport(['demo', '--inspect']);
    const [, url] = await demo.line(/inspector {2}(http:\S+)/);
    using page = new WatchingPage(url!);
    await page.untilFrame(({ type }) => type === 'lines');
    expect(page.frames[1]).toMatchObject({ type: 'source', title: 'demo', header: { world: 'simulated' } });
    demo.signal('SIGINT');
    expect((await demo.ended).code).toBe(0);
  });
});
