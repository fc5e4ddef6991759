import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeTicket } from '../../src/index.ts';
import type { RunningServer } from '../../src/node.ts';
import { errorCode, listenJson, run } from './sallyport.ts';
import { startTestServer } from './server.ts';
import { unusedPort } from './tcp.ts';

let server: RunningServer;
let folder: string;
beforeAll(async () => {
  server = await startTestServer();
  folder = await mkdtemp(join(tmpdir(), 'sallyport-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const message = ['--json', '--message', 'x'];

describe.concurrent('the ticket', () => {
  it('may be an argument, a file, the first line of stdin or a variable', async () => {
    await using listener = await listenJson(server.url, ['--echo']);
    const { ticket } = listener;
    const file = join(folder, 'ticket');
    await writeFile(file, `${ticket}\n`);
    const ends = await Promise.all([
      run(['connect', ticket], { input: 'argument' }),
      run(['connect', `@${file}`], { input: 'file' }),
      run(['connect', '-'], { input: `${ticket}\nstdin` }),
      run(['connect'], { input: 'variable', env: { SALLYPORT_TICKET: ticket } }),
    ]);
    expect(ends.map(({ code, stdout }) => [code, stdout])).toEqual([
      [0, 'argument'],
      [0, 'file'],
      [0, 'stdin'],
      [0, 'variable'],
    ]);
  });

  it.each([
    ['no ticket', [], 'ERR_USAGE'],
    ['an empty stdin', ['-'], 'ERR_USAGE'],
    ['a file that is not there', ['@/nonexistent/ticket'], 'ERR_USAGE'],
    ['anything else', ['hello'], 'ERR_TICKET_MALFORMED'],
    ['half a ticket', ['sp1AAAA'], 'ERR_TICKET_MALFORMED'],
  ])('is wrong use when it is %s', async (_, args, code) => {
    const end = await run(['connect', ...args, '--json'], { env: { SALLYPORT_TICKET: '' } });
    expect([end.code, errorCode(end)]).toEqual([2, code]);
  });

  it('of a later version is no connection', async () => {
    const end = await run(['connect', 'sp2AAAA', '--json']);
    expect([end.code, errorCode(end)]).toEqual([1, 'ERR_VERSION']);
  });

  it('that has expired gives a verdict', async () => {
    await using listener = await listenJson(server.url, ['--echo', '--ttl', '1ms']);
    expectNoConnection(await run(['connect', listener.ticket, ...message]), 'ERR_TICKET_EXPIRED');
    expectNoConnection(await run(['ping', listener.ticket, '--json']), 'ERR_TICKET_EXPIRED');
  });

  it('of a listener that has ended, or that is at another server, gives a verdict', async () => {
    await using other = await startTestServer();
    await using listener = await listenJson(server.url, ['--echo']);
    const elsewhere = await run(['connect', listener.ticket, '--server', other.url, ...message]);
    expectNoConnection(elsewhere, 'ERR_PEER_UNKNOWN');
    listener.signal('SIGINT');
    await listener.ended;
    expectNoConnection(await run(['connect', listener.ticket, ...message]), 'ERR_PEER_UNKNOWN');
  });

  it('of a server that cannot be reached gives a verdict', async () => {
    await using listener = await listenJson(server.url, ['--echo']);
    const nowhere = `ws://127.0.0.1:${await unusedPort()}`;
    const end = await run(['connect', listener.ticket, '--server', nowhere, ...message]);
    expectNoConnection(end, 'ERR_SERVER_UNREACHABLE');
    const listening = await run(['listen', '--server', nowhere, '--json']);
    expect([listening.code, errorCode(listening)]).toEqual([1, 'ERR_SERVER_UNREACHABLE']);
  });
});

it('a TURN server that is none is refused, and its password told nobody', async () => {
  await using listener = await listenJson(server.url, ['--echo']);
  for (const command of ['connect', 'ping']) {
    const end = await run([command, listener.ticket, '--json', '--turn', 'turn:user:wonderland@192.0.2.1:port']);
    expect([end.code, errorCode(end)]).toEqual([2, 'ERR_USAGE']);
    expect(end.events).toMatchObject([{ event: 'error', message: expect.stringContaining('TURN server') }]);
    expect(end.stdout + end.stderr).not.toContain('wonderland');
  }
});

describe.concurrent('--identity', () => {
  it('makes a private file, and keeps the key of the ticket from one run to the next', async () => {
    const file = join(folder, 'keys', 'me');
    const keys: Uint8Array[] = [];
    for (let i = 0; i < 2; i++) {
      await using listener = await listenJson(server.url, ['--echo', '--identity', file]);
      keys.push(decodeTicket(listener.ticket).key);
    }
    expect(keys[1]).toEqual(keys[0]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'keys'))).mode & 0o777).toBe(0o700);
  });

  it('is another key without a file', async () => {
    await using one = await listenJson(server.url, ['--echo']);
    await using two = await listenJson(server.url, ['--echo']);
    expect(decodeTicket(one.ticket).key).not.toEqual(decodeTicket(two.ticket).key);
  });

  it('refuses a file that others may read, and one that holds no key', async () => {
    const file = join(folder, 'shared');
    await writeFile(file, 'not a key', { mode: 0o600 });
    const garbage = await run(['listen', '--server', server.url, '--json', '--identity', file]);
    expect([garbage.code, errorCode(garbage)]).toEqual([2, 'ERR_IDENTITY_FILE']);
    await chmod(file, 0o644);
    const shared = await run(['connect', 'sp1', '--identity', file]);
    expect(shared.code).toBe(2);
  });

  it('does not revive tickets of an earlier run', async () => {
    const file = join(folder, 'restarted');
    await using earlier = await listenJson(server.url, ['--echo', '--identity', file]);
    earlier.signal('SIGTERM');
    await earlier.ended;
    await using _later = await listenJson(server.url, ['--echo', '--identity', file]);
    expectNoConnection(await run(['connect', earlier.ticket, ...message]), 'ERR_TICKET_REJECTED');
  });

  it('belongs to one process at a time: the later one takes over', async () => {
    const file = join(folder, 'twice');
    await using first = await listenJson(server.url, ['--echo', '--identity', file]);
    await using second = await listenJson(server.url, ['--echo', '--identity', file]);
    const end = await first.ended;
    expect([end.code, errorCode(end)]).toEqual([1, 'ERR_REGISTRATION_REPLACED']);
    expect(await run(['connect', second.ticket], { input: 'hi' })).toMatchObject({ code: 0, stdout: 'hi' });
  });
});

describe.concurrent('--token', () => {
  it.each([
    ['no', []],
    ['another', ['--token', 'wrong']],
  ])('with %s token the server turns everyone away', async (_, args) => {
    await using guarded = await startTestServer({ token: 'open-sesame' });
    await using listener = await listenJson(guarded.url, ['--echo', '--token', 'open-sesame']);
    const listening = await run(['listen', '--server', guarded.url, '--json', ...args]);
    expect([listening.code, errorCode(listening)]).toEqual([1, 'ERR_TOKEN']);
    expectNoConnection(await run(['connect', listener.ticket, ...message, ...args]), 'ERR_TOKEN');
    const end = await run(['connect', listener.ticket, '--token', 'open-sesame'], { input: 'hi' });
    expect(end).toMatchObject({ code: 0, stdout: 'hi' });
  });
});

/** Exit code 1, one verdict and then the error, both with this code. */
function expectNoConnection(end: Awaited<ReturnType<typeof run>>, code: string): void {
  const told = end.events.filter(({ event }) => event === 'verdict' || event === 'error');
  expect(told).toMatchObject([
    { event: 'verdict', outcome: 'failed', code },
    { event: 'error', code },
  ]);
  expect(end.code).toBe(1);
}
