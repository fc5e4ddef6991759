import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/node.ts';
import { buildCommandLine } from './build.ts';
import { errorCode, listenJson, run } from './sallyport.ts';
import { startTestServer } from './server.ts';

let folder: string;
let server: RunningServer;
let library: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-flow-'));
  server = await startTestServer();
  library = pathToFileURL(join(await buildCommandLine(), '../../index.js')).href;
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** A module that the commands can load. */
async function moduleOf(name: string, code: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `import { defaultFlow, defineFlow, relay } from ${JSON.stringify(library)};\n${code}\n`);
  return path;
}

describe('--flow', () => {
  it('runs the flow of a module, by its policy', async () => {
    const path = await moduleOf(
      'relayed.mjs',
      "export default defineFlow({ ...defaultFlow.spec, policy: 'relay-only' });",
    );
    await using listener = await listenJson(server.url, ['--echo', '--flow', path]);
    const ping = ['ping', listener.ticket, '--count', '2', '--interval', '1', '--json'];
    const dialled = await run([...ping, '--flow', path]);
    expect(dialled.events.filter(({ event }) => event === 'verdict')).toMatchObject([{ outcome: 'relayed' }]);
    expect(dialled.events.filter(({ event }) => event === 'candidate')).toEqual([]);
  });

  it('leaves the policy to --policy', async () => {
    const path = await moduleOf(
      'direct.mjs',
      "export default defineFlow({ ...defaultFlow.spec, policy: 'direct-only' });",
    );
    await using listener = await listenJson(server.url, ['--echo', '--flow', path, '--policy', 'relay-only']);
    const ping = ['ping', listener.ticket, '--count', '1', '--json', '--flow', path, '--policy', 'relay-only'];
    const { events } = await run(ping);
    expect(events.filter(({ event }) => event === 'verdict')).toMatchObject([{ outcome: 'relayed' }]);
  });

  it.each([
    ['is not there', 'nowhere.mjs', undefined],
    ['breaks', 'broken.mjs', "throw new Error('not today');"],
    ['has no default export', 'empty.mjs', 'export const flow = defaultFlow;'],
    ['has something else', 'strategy.mjs', 'export default relay();'],
  ])('is refused where the module %s', async (_, name, code) => {
    const path = code === undefined ? join(folder, name) : await moduleOf(name, code);
    const refused = await run(['listen', '--json', '--server', server.url, '--flow', path]);
    expect(refused.code).toBe(2);
    expect(errorCode(refused)).toBe('ERR_USAGE');
    expect(refused.events.at(-1)?.message).toContain(`--flow ${path}: `);
  });
});
