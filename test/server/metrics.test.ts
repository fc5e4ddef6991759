import { connect as connectTcp } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { RunningServer, ServerOptions } from '../../src/server/index.ts';
import { join, portOf, releaseAll, serve } from './raw-client.ts';
import { follow } from './raw-frames.ts';

afterEach(releaseAll);

/** The whole answer to a GET of `/metrics`. */
function askForMetrics(port: number, fields: readonly string[] = ['Host: localhost']): Promise<string> {
  const raw = follow(connectTcp({ port, host: '127.0.0.1' }));
  raw.socket.write(`${['GET /metrics HTTP/1.1', ...fields].join('\r\n')}\r\n\r\n`);
  return raw.ended;
}

/** Name and labels to value, each line checked against the format. */
function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.trimEnd().split('\n')) {
    const [, type] = /^# TYPE ([a-z_]+) (?:counter|gauge)$/.exec(line) ?? [];
    if (type !== undefined) types.set(type, line);
    if (line.startsWith('# ')) {
      expect(line).toMatch(/^# (HELP [a-z_]+ .+|TYPE [a-z_]+ (counter|gauge))$/);
      continue;
    }
    const [, name, labels, value] = /^([a-z_]+)(\{reason="[a-z-]+"\})? (\d+(?:\.\d+)?)$/.exec(line) ?? [];
    expect(types.has(name ?? line)).toBe(true);
    expect(types.get(name!)!.endsWith('counter')).toBe(name!.endsWith('_total'));
    samples.set(`${name}${labels ?? ''}`, Number(value));
  }
  return samples;
}

describe('the metrics', () => {
  it('tell what there is and what has been', async () => {
    const server = await serve();
    const { dialer } = await join(server);
    dialer.socket.send('nonsense');
    await dialer.next();
    const samples = samplesOf(server.metrics());
    expect(Object.fromEntries(samples)).toMatchObject({
      sallyport_clients: 2,
      sallyport_registrations: 1,
      sallyport_sessions: 1,
      sallyport_half_open_connections: 0,
      sallyport_sources: 1,
      sallyport_offers_total: 1,
      sallyport_envelopes_total: 1,
      sallyport_malformed_frames_total: 1,
      'sallyport_dropped_datagrams_total{reason="slow"}': 0,
      'sallyport_dropped_datagrams_total{reason="rate"}': 0,
      'sallyport_refused_total{reason="source-full"}': 0,
      'sallyport_disconnected_total{reason="refusals"}': 0,
      'sallyport_rejected_connections_total{reason="late"}': 0,
      'sallyport_stun_requests_total{reason="limited"}': 0,
    });
    expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(2 ** 20);
    expect(samples.get('process_cpu_seconds_total')).toBeGreaterThan(0);
  });

  it('leave out what is switched off', async () => {
    const server = await serve({ stun: false });
    expect(server.metrics()).not.toContain('stun');
  });
});

describe('/metrics', () => {
  const isServed = async (server: RunningServer, fields?: readonly string[]): Promise<boolean> => {
    const answer = await askForMetrics(portOf(server), fields);
    expect(answer).toMatch(/^HTTP\/1\.1 (200|426) /);
    expect(answer.includes('sallyport_clients')).toBe(answer.startsWith('HTTP/1.1 200 '));
    return answer.includes('sallyport_clients');
  };

  it.each(['localhost', 'localhost:8790', '127.0.0.1:8790', '[::1]:8790'])(
    'is there for programs on this machine that ask %s',
    async (host) => {
      expect(await isServed(await serve(), [`Host: ${host}`])).toBe(true);
    },
  );

  it.each<[string, readonly string[]]>([
    ['a page in a browser, by another name', ['Host: attacker.example']],
    ['nobody in particular', []],
    ...['X-Forwarded-For: 203.0.113.1', 'Forwarded: for=203.0.113.1', 'Via: 1.1 proxy', 'X-Real-IP: 203.0.113.1'].map(
      (field): [string, readonly string[]] => [`a proxy (${field})`, ['Host: localhost', field]],
    ),
  ])('is not there for %s', async (_name, fields) => {
    expect(await isServed(await serve(), fields)).toBe(false);
  });

  it.each<[string, ServerOptions]>([
    ['behind a trusted proxy', { trustProxy: true }],
    ['where it has a port of its own', { metrics: { host: '127.0.0.1', port: 0 } }],
  ])('is not on the main port %s', async (_name, options) => {
    expect(await isServed(await serve(options))).toBe(false);
  });

  it('has a port of its own where that is wanted, with nothing else on it', async () => {
    const server = await serve({ metrics: { host: 'localhost', port: 0 }, trustProxy: true });
    const { port } = server.metricsAt!;
    expect(samplesOf((await askForMetrics(port, [])).split('\r\n\r\n')[1]!).get('sallyport_clients')).toBe(0);
    const raw = follow(connectTcp({ port, host: '127.0.0.1' }));
    raw.socket.write('GET /healthz HTTP/1.1\r\n\r\n');
    expect(await raw.ended).toMatch(/^HTTP\/1\.1 404 /);
    await server.close();
    await expect(serve({ metrics: { host: '127.0.0.1', port: portOf(await serve()) } })).rejects.toMatchObject({
      code: 'ERR_PORT_IN_USE',
    });
  });
});
