import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/node.ts';
import { errorCode, listenJson, run, sallyport } from '../cli/sallyport.ts';
import { startTestServer } from '../cli/server.ts';
import { freeze } from './processes.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** ms: more than the second that a side without an answer waits for. */
const PROMPT = 2_500;
/** ms in which nothing is waited for. */
const AT_ONCE = 900;

/** More than any pipe holds, and less than the flow control of a stream. */
const FLOOD = Buffer.alloc(6 * 2 ** 20, 'y\n');

/** A `connect` whose stdout is full: what it has sent comes back, and nobody reads. */
async function stalled() {
  const listener = await listenJson(server.url, ['--echo']);
  const command = sallyport(['connect', listener.ticket, '--verbose'], { unread: true });
  await command.line(/connected/);
  await new Promise<void>((resolve) => command.stdin.write(FLOOD, () => resolve()));
  // Some of it has come back, and the rest is at its heels.
  await once(command.stdout, 'readable');
  return { command, listener };
}

describe('a reader of stdout', () => {
  it('that goes away ends connect, whatever stdin does', async () => {
    await using listener = await listenJson(server.url, ['--echo']);
    await using command = sallyport(['connect', listener.ticket]);
    command.stdin.write('one\n');
    await command.line(/^one$/);
    command.stdout.destroy();
    command.stdin.write('two\n');
    expect((await command.ended).code).toBe(1);
  });

  it('that has gone does not keep ping from its end', async () => {
    await using listener = await listenJson(server.url, ['--echo']);
    await using command = sallyport(['ping', listener.ticket, '--interval', '1', '--count', '50']);
    await command.line(/^pong 1 /);
    command.stdout.destroy();
    const end = await command.ended;
    expect([end.code, end.stderr]).toEqual([0, '']);
  });

  it('that has stalled does not hold up an interrupt', async () => {
    const { command, listener } = await stalled();
    await using _ = command;
    await using __ = listener;
    const begunAt = performance.now();
    command.signal('SIGTERM');
    expect((await command.ended).code).toBe(143);
    expect(performance.now() - begunAt).toBeLessThan(PROMPT);
  });

  it('that has stalled does not hold up the end of listen', async () => {
    await using listener = sallyport(['listen', '--server', server.url], { unread: true });
    const [ticket] = await listener.line(/^sp1\S+/);
    await using dialer = sallyport(['connect', ticket]);
    await new Promise<void>((resolve) => dialer.stdin.write(FLOOD, () => resolve()));
    listener.signal('SIGINT');
    expect((await listener.ended).code).toBe(0);
  });
});

describe('stdin', () => {
  it('that is closed early ends what is sent, and no more', async () => {
    await using listener = await listenJson(server.url, ['--echo']);
    expect(await run(['connect', listener.ticket])).toMatchObject({ code: 0, stdout: '', stderr: '' });
    const unfinished = await run(['connect', listener.ticket], { input: 'no end of line' });
    expect(unfinished).toMatchObject({ code: 0, stdout: 'no end of line' });
  });

  it('that ends before the ticket is wrong use', async () => {
    const end = await run(['connect', '-', '--json']);
    expect([end.code, errorCode(end)]).toEqual([2, 'ERR_USAGE']);
  });
});

describe.skipIf(process.platform !== 'linux')('a second interrupt ends at once', () => {
  // Two of the same kind may be delivered as one.
  const interruptTwice = (command: { signal(signal: NodeJS.Signals): void }): void => {
    command.signal('SIGINT');
    command.signal('SIGTERM');
  };

  it('a connection whose other side does not answer', async () => {
    await using listener = await listenJson(server.url, ['--echo']);
    await using command = sallyport(['ping', listener.ticket, '--json', '--interval', '3600000']);
    await command.event('pong');
    await freeze(listener.pid);
    const begunAt = performance.now();
    interruptTwice(command);
    const end = await command.ended;
    expect(performance.now() - begunAt).toBeLessThan(AT_ONCE);
    expect(end.code).toBeNull();
    expect(end.stdout).toMatch(/\n$/);
  });

  it('a connect whose stdout has stalled', async () => {
    const { command, listener } = await stalled();
    await using _ = command;
    await using __ = listener;
    const begunAt = performance.now();
    interruptTwice(command);
    expect((await command.ended).code).toBeNull();
    expect(performance.now() - begunAt).toBeLessThan(AT_ONCE);
  });
});

it.skipIf(process.platform !== 'linux')(
  'a service that never takes the connection does not hold up listen',
  async () => {
    const service = spawn(process.execPath, ['-e', FULL_SERVICE], { stdio: ['ignore', 'pipe', 'inherit'] });
    const port = Number(String((await once(service.stdout!, 'data'))[0]));
    await freeze(service.pid!);
    // The first few fill the queue of connections that were not accepted; the rest has to wait, as on a network that drops.
    const fillers = Array.from({ length: 6 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    try {
      await expect.poll(() => connecting(port), { timeout: 5_000 }).toBeGreaterThan(0);
      const before = await connecting(port);
      await using listener = await listenJson(server.url, ['--forward', String(port)]);
      await using dialer = sallyport(['connect', listener.ticket]);
      dialer.stdin.write('hello\n');
      await expect.poll(() => connecting(port), { timeout: 5_000 }).toBeGreaterThan(before);
      const begunAt = performance.now();
      listener.signal('SIGINT');
      expect((await listener.ended).code).toBe(0);
      expect(performance.now() - begunAt).toBeLessThan(PROMPT);
      expect((await dialer.ended).code).toBe(1);
    } finally {
      for (const filler of fillers) filler.destroy();
      service.kill('SIGKILL');
    }
  },
);

const FULL_SERVICE = `
  const server = require('node:net').createServer();
  server.listen(0, '127.0.0.1', 1, () => console.log(server.address().port));
`;

/** TCP connections to this port of loopback that were asked for and not answered (proc(5): state 02 is SYN_SENT). */
async function connecting(port: number): Promise<number> {
  const wanted = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} 02 `, 'g');
  return (await readFile('/proc/net/tcp', 'utf8')).match(wanted)?.length ?? 0;
}

it('lines for a reader that is slow come whole and in order, and hold nothing up', async () => {
  const script = fileURLToPath(new URL('fixtures/many-lines.ts', import.meta.url));
  const child = execFile(process.execPath, ['--import', 'tsx', script], { maxBuffer: 2 ** 24 });
  child.stdout!.pause();
  await once(child.stderr!, 'data');
  let text = '';
  child.stdout!.on('data', (chunk: string) => {
    text += chunk;
  });
  child.stdout!.resume();
  expect(await once(child, 'close')).toEqual([0, null]);
  const lines = text.split('\n');
  expect(lines.pop()).toBe('');
  expect(lines.length).toBeGreaterThan(500);
  expect(lines.every((line, i) => line === `${i} `.padEnd(1000, '.'))).toBe(true);
});
