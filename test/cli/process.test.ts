import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/node.ts';
import { errorCode, listenJson, type RunningCommand, run, sallyport } from './sallyport.ts';
import { startTestServer } from './server.ts';
import { listening, portOf } from './tcp.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const serveArgs = ['serve', '--port', '0', '--stun-port', '0'];

/** A server that takes connections and never says a word. */
async function muteServer() {
  const mute = createServer(() => {});
  const url = `ws://127.0.0.1:${portOf(await listening(mute))}`;
  return { url, [Symbol.asyncDispose]: async () => void mute.close() };
}

async function whenServing(command: RunningCommand): Promise<string> {
  const [, url] = await command.line(/^rendezvous (ws:\S+)$/);
  await command.line(/^relay o/);
  return url!;
}

describe.concurrent('an interrupt', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('is the regular end of serve and listen (%s)', async (signal) => {
    await using serving = sallyport(serveArgs);
    const url = await whenServing(serving);
    await using listener = await listenJson(url, ['--echo']);
    listener.signal(signal);
    expect(await listener.ended).toMatchObject({ code: 0, stderr: '' });
    serving.signal(signal);
    expect(await serving.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('ends serve also while clients are connected, and their ports are free', async () => {
    await using serving = sallyport(serveArgs);
    const url = await whenServing(serving);
    await using listener = await listenJson(url, ['--echo']);
    serving.signal('SIGINT');
    expect((await serving.ended).code).toBe(0);
    const { port } = new URL(url);
    (await listening(createServer(), Number(port))).close();
    listener.signal('SIGINT');
    expect((await listener.ended).code).toBe(0);
  });

  it('ends listen with a connection open, which the other side is told', async () => {
    await using listener = await listenJson(server.url, ['--echo']);
    await using dialer = sallyport(['connect', listener.ticket, '--json']);
    await dialer.event('connected');
    await listener.event('connected');
    listener.signal('SIGINT');
    const end = await listener.ended;
    expect(end.code).toBe(0);
    expect(end.events.slice(-2).map(({ event }) => event)).toEqual(['closed', 'verdict']);
    const other = await dialer.ended;
    expect([other.code, errorCode(other)]).toEqual([1, 'ERR_CLOSED']);
  });

  it('is the regular end of an idle connect --json', async () => {
    await using listener = await listenJson(server.url, ['--echo']);
    await using dialer = sallyport(['connect', listener.ticket, '--json']);
    await dialer.event('connected');
    dialer.signal('SIGINT');
    expect((await dialer.ended).code).toBe(0);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('cuts a waiting connect short (%s: exit code %i)', async (signal, code) => {
    await using mute = await muteServer();
    await using listener = await listenJson(server.url, ['--echo']);
    await using dialer = sallyport(['connect', listener.ticket, '--json', '--server', mute.url]);
    await dialer.event('state');
    dialer.signal(signal);
    const end = await dialer.ended;
    expect(end.code).toBe(code);
    expect(errorCode(end)).toBeUndefined();
    expect(end.events.at(-1)).toMatchObject({ event: 'verdict', outcome: 'failed', code: 'ERR_ABORTED' });
  });

  it('cuts a listener short that has not reached its server', async () => {
    await using mute = await muteServer();
    await using listener = sallyport(['listen', '--server', mute.url, '--json', '--echo']);
    await listener.event('candidate');
    listener.signal('SIGINT');
    expect(await listener.ended).toMatchObject({ code: 0, stderr: '' });
  });
});

describe.concurrent('serve', () => {
  it('says where it listens, and works', async () => {
    await using serving = sallyport(serveArgs);
    const url = await whenServing(serving);
    const [, stun] = await serving.line(/^stun (127\.0\.0\.1:\d+)$/);
    expect(stun).toBeDefined();
    await using listener = await listenJson(url, ['--echo']);
    expect(await run(['connect', listener.ticket], { input: 'hi\n' })).toMatchObject({ code: 0, stdout: 'hi\n' });
  });

  it('says what it does not do', async () => {
    await using serving = sallyport([...serveArgs, '--no-relay', '--no-stun']);
    await serving.line(/^relay off$/);
    serving.signal('SIGINT');
    expect((await serving.ended).stdout).toMatch(/^rendezvous ws:\/\/127\.0\.0\.1:\d+\nrelay off\n$/);
  });

  it.runIf(process.platform !== 'win32')('writes its counters to stderr on SIGUSR2, and goes on', async () => {
    await using serving = sallyport(serveArgs);
    const url = await whenServing(serving);
    serving.signal('SIGUSR2');
    await serving.line(/^sallyport_clients 0$/);
    await using listener = await listenJson(url, ['--echo']);
    serving.signal('SIGUSR2');
    await serving.line(/^sallyport_registrations 1$/);
    listener.signal('SIGINT');
    serving.signal('SIGINT');
    expect(await serving.ended).toMatchObject({ code: 0, stdout: expect.not.stringContaining('sallyport_') });
  });

  it('serves its counters where it was told to, and nowhere else', async () => {
    const other = createServer();
    const port = portOf(await listening(other));
    await new Promise((resolve) => other.close(resolve));
    await using watched = sallyport([...serveArgs, '--metrics', String(port)]);
    const [, at] = await watched.line(/^metrics (http:\S+)$/);
    expect(at).toBe(`http://127.0.0.1:${port}/metrics`);
    expect(await (await fetch(at!)).text()).toContain('sallyport_clients 0\n');
    expect((await fetch(`${(await whenServing(watched)).replace('ws', 'http')}/metrics`)).status).toBe(426);
  });

  it.each([
    ['a port that is taken', () => ['--port', new URL(server.url).port], 'ERR_PORT_IN_USE'],
    ['a STUN port that is taken', () => ['--stun-port', String(server.stun[0]!.port)], 'ERR_PORT_IN_USE'],
    ['an address that others can reach, without a token', () => ['--host', '0.0.0.0'], 'ERR_USAGE'],
    ['a certificate without a key', () => ['--tls-cert', 'cert.pem'], 'ERR_USAGE'],
    ['a certificate that is not there', () => ['--tls-cert', '/none', '--tls-key', '/none'], 'ERR_USAGE'],
    ['a port that is none', () => ['--port', '70000'], 'ERR_USAGE'],
    ['NATS', () => ['--nats', 'nats://127.0.0.1'], 'ERR_NOT_AVAILABLE'],
  ])('is wrong use with %s', async (_, args, code) => {
    const end = await run([...serveArgs, ...args()]);
    expect(end).toMatchObject({ code: 2, stdout: '' });
    expect(end.stderr).toContain(code);
  });
});

describe.concurrent('wrong use', () => {
  it.each([
    ['an unknown command', ['dance'], 'ERR_USAGE'],
    ['an unknown option', ['connect', '--dance'], 'ERR_USAGE'],
    ['TURN over TLS', ['listen', '--turn', 'turns:u:p@192.0.2.1:5349'], 'ERR_NOT_AVAILABLE'],
    ['a TURN server that is none', ['listen', '--turn', 'turn:192.0.2.1:3478'], 'ERR_USAGE'],
    ['a TURN server in no file', ['listen', '--turn', '@/nowhere/turn'], 'ERR_USAGE'],
    ['--forward and --message', ['connect', 'sp1AA', '--forward', '0', '--message', 'x', '--json'], 'ERR_USAGE'],
    ['--message without --json', ['connect', 'sp1AA', '--message', 'x'], 'ERR_USAGE'],
    ['a service that is no host and port', ['listen', '--forward', 'nowhere'], 'ERR_USAGE'],
    ['a ticket’s life that is none', ['listen', '--ttl', 'long'], 'ERR_USAGE'],
    ['a server that is no URL', ['listen', '--server', 'example.org'], 'ERR_USAGE'],
    ['a STUN server without a port', ['listen', '--stun', 'stun.example.org'], 'ERR_USAGE'],
  ])('of %s has exit code 2', async (_, args, code) => {
    const end = await run(args);
    expect(end.code).toBe(2);
    expect(end.stdout + end.stderr).toContain(code);
  });
});

describe.concurrent('--help', () => {
  const peerOptions = ['--server', '--token', '--stun', '--turn', '--identity', '--policy', '--json', '--verbose'];
  it.each([
    ['serve', ['--host', '--port', '--stun-port', '--stun-alternate', '--token', '--open', '--no-relay', '--no-stun']],
    ['listen', [...peerOptions, '--ttl', '--once', '--echo', '--forward', '--message', '--keep']],
    ['connect', [...peerOptions, '--forward', '--message']],
    ['ping', [...peerOptions, '--count', '--interval', '--until-direct']],
    ['demo', ['--real', '--verbose']],
  ])('of %s names its options', async (command, options) => {
    const { code, stdout } = await run([command, '--help']);
    expect(code).toBe(0);
    for (const option of options) expect(stdout).toMatch(new RegExp(`^ +${option}\\b`, 'm'));
  });

  it('names the commands, and --version the version', async () => {
    const { stdout } = await run(['--help']);
    for (const command of ['serve', 'listen', 'connect', 'ping', 'demo']) {
      expect(stdout).toMatch(new RegExp(`^ +${command}\\b`, 'm'));
    }
    expect((await run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
