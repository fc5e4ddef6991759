import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/node.ts';
import { numberedBytes } from '../peer/transfer.ts';
import { errorCode, listenJson, run, sallyport } from './sallyport.ts';
import { startTestServer } from './server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** A listener that joins its stdin and stdout to the first stream; its ticket is on stderr. */
async function listenPiped(args: readonly string[] = [], options: { input?: string } = {}) {
  const listener = sallyport(['listen', '--server', server.url, ...args], options);
  const [ticket] = await listener.line(/^sp1\S+/);
  return { listener, ticket };
}

describe.concurrent('connect', () => {
  it('sends stdin and prints what comes back', async () => {
    await using listener = await listenJson(server.url, ['--echo']);
    expect(await run(['connect', listener.ticket], { input: 'hi\n' })).toMatchObject({
      code: 0,
      stdout: 'hi\n',
      stderr: '',
    });
  });

  it('carries a megabyte through the echo unharmed', async () => {
    await using listener = await listenJson(server.url, ['--echo']);
    const text = numberedBytes(2 ** 20).toString('base64');
    const { code, stdout } = await run(['connect', listener.ticket], { input: text });
    expect(code).toBe(0);
    expect(stdout === text).toBe(true);
  });

  it('exchanges one line with --message, in events only', async () => {
    await using listener = await listenJson(server.url, ['--message', 'welcome']);
    const dialer = await run(['connect', listener.ticket, '--json', '--message', 'good day']);
    expect(dialer.code).toBe(0);
    expect(dialer.events).toContainEqual({ event: 'message', text: 'welcome' });
    const end = await listener.ended;
    expect(end.code).toBe(0);
    expect(end.events).toContainEqual({ event: 'message', text: 'good day' });
  });

  it('is told why by a listener that takes no data', async () => {
    await using listener = await listenJson(server.url, []);
    const end = await run(['connect', listener.ticket], { input: 'hi\n' });
    expect(end).toMatchObject({ code: 1, stdout: '' });
    expect(end.stderr).toContain('ERR_STREAM_RESET');
  });
});

describe.concurrent('listen', () => {
  it('joins its stdin and stdout to the first stream and ends with it', async () => {
    const { listener, ticket } = await listenPiped([], { input: 'from the listener\n' });
    await using _ = listener;
    const dialer = await run(['connect', ticket], { input: 'from the dialer\n' });
    expect(dialer).toMatchObject({ code: 0, stdout: 'from the listener\n' });
    expect(await listener.ended).toMatchObject({ code: 0, stdout: 'from the dialer\n' });
  });

  it('goes on with --keep', async () => {
    const { listener, ticket } = await listenPiped(['--keep'], { input: 'one\n' });
    await using _ = listener;
    expect(await run(['connect', ticket], { input: 'two\n' })).toMatchObject({ code: 0, stdout: 'one\n' });
    expect(await run(['ping', ticket, '--count', '1'])).toMatchObject({ code: 0 });
  });

  it('tells a second stream that it is busy, and still answers pings', async () => {
    const { listener, ticket } = await listenPiped();
    await using _ = listener;
    await using first = sallyport(['connect', ticket]);
    first.stdin.write('first\n');
    await listener.line(/^first$/);
    const second = await run(['connect', ticket], { input: 'second\n' });
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toContain('ERR_BUSY');
    expect((await run(['ping', ticket, '--count', '1'])).stdout).toMatch(/^pong 1 {2}/);
    listener.stdin.end('goodbye\n');
    first.stdin.end();
    expect(await first.ended).toMatchObject({ code: 0, stdout: 'goodbye\n' });
    expect(await listener.ended).toMatchObject({ code: 0, stdout: 'first\n' });
  });

  it('lets one in with --once', async () => {
    await using listener = await listenJson(server.url, ['--echo', '--once']);
    expect(await run(['connect', listener.ticket], { input: 'hi\n' })).toMatchObject({ code: 0, stdout: 'hi\n' });
    const second = await run(['connect', listener.ticket, '--json']);
    expect([second.code, errorCode(second)]).toEqual([1, 'ERR_TICKET_REJECTED']);
  });

  it('prints the bare ticket on stdout where that carries no data', async () => {
    await using listener = sallyport(['listen', '--server', server.url, '--echo'], { input: '' });
    await listener.line(/^sp1\S+$/);
    listener.signal('SIGINT');
    expect((await listener.ended).stdout).toMatch(/^sp1[A-Za-z0-9_-]+\n$/);
  });
});
