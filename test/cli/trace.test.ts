import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/node.ts';
import { decodeTicket } from '../../src/protocol/rendezvous/index.ts';
import { replayTrace, type TraceRecord } from '../../src/trace/index.ts';
import { formsOf } from '../trace/lines.ts';
import { listenJson, run, sallyport } from './sallyport.ts';
import { startTestServer } from './server.ts';

let folder: string;
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-trace-'));
  server = await startTestServer();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** A trace that a command wrote, which must replay to the same states; its records. */
async function replayed(path: string): Promise<readonly TraceRecord[]> {
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const { differs, header } = await replayTrace(lines);
  expect(differs).toBeUndefined();
  expect(header.world).toBe('real');
  return lines.slice(1).map((line) => JSON.parse(line));
}

const kinds = (records: readonly TraceRecord[]): Set<string> => new Set(records.map(({ what }) => what));

/** What every run has. */
const KINDS = [
  'machine',
  'chart',
  'actor',
  'event',
  'path',
  'pairs',
  'candidate',
  'behavior',
  'signal',
  'packet',
  'log',
  'verdict',
  'end',
];

describe('--trace', () => {
  it('writes what happened to a listener and to whoever pings it, and nothing secret', async () => {
    const [there, here] = [join(folder, 'listen.jsonl'), join(folder, 'ping.jsonl')];
    await using listener = await listenJson(server.url, ['--echo', '--trace', there]);
    const { code } = await run(['ping', listener.ticket, '--count', '2', '--interval', '1', '--trace', here]);
    expect(code).toBe(0);
    await listener.event('verdict');
    listener.signal('SIGINT');
    expect((await listener.ended).code).toBe(0);

    const { secret } = decodeTicket(listener.ticket);
    for (const path of [there, here]) {
      const records = await replayed(path);
      for (const kind of KINDS) expect(kinds(records)).toContain(kind);
      const text = await readFile(path, 'utf8');
      expect([listener.ticket, secret].flatMap(formsOf).filter((form) => text.includes(form))).toEqual([]);
    }
    if (process.platform !== 'win32') expect((await stat(here)).mode & 0o777).toBe(0o600);
  });

  it('writes the connection that never was, too', async () => {
    const path = join(folder, 'failed.jsonl');
    const listener = await listenJson(server.url, ['--echo']);
    await listener[Symbol.asyncDispose]();
    const { code } = await run(['connect', listener.ticket, '--message', 'x', '--json', '--trace', path]);
    expect(code).toBe(1);
    const records = await replayed(path);
    expect(records.findLast(({ what }) => what === 'verdict')).toMatchObject({ verdict: { outcome: 'failed' } });
  });

  it('leaves whole lines when the process is killed, and the replay says that the end is missing', async () => {
    const path = join(folder, 'killed.jsonl');
    await using listener = await listenJson(server.url, ['--echo', '--trace', path]);
    listener.signal('SIGKILL');
    await listener.ended;
    const lines = (await readFile(path, 'utf8')).split('\n');
    expect(lines.pop()).toBe('');
    const { records, differs } = await replayTrace(lines);
    expect(records).toBe(lines.length - 1);
    expect(differs).toMatchObject({ line: lines.length + 1, expected: undefined });
  });

  it('is refused where no file can be written, before anything else happens', async () => {
    const { code, stderr } = await run(['listen', '--trace', join(folder, 'none', 'x.jsonl'), '--server', server.url]);
    expect(code).toBe(2);
    expect(stderr).toContain('[ERR_USAGE]');
  });

  it('of the demo stays readable when it is interrupted', async () => {
    const path = join(folder, 'demo.jsonl');
    await using demo = sallyport(['demo', '--trace', path]);
    await demo.line(/dials b/);
    demo.signal('SIGINT');
    const { code, stdout } = await demo.ended;
    // It may have been done already.
    expect([0, 130]).toContain(code);
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    const { differs } = await replayTrace(lines);
    if (code === 0) expect(differs).toBeUndefined();
    else
      expect([differs?.line, differs?.expected, stdout.includes('the oracle')]).toEqual([
        lines.length + 1,
        undefined,
        false,
      ]);
  });
});
