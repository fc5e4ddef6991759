import { connect as connectTcp } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
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
  it('is not there unless it is asked for', async () => {
    const server = await serve();
    expect(server.metricsAt).toBeUndefined();
    expect(await askForMetrics(portOf(server))).toMatch(/^HTTP\/1\.1 426 /);
  });

  it('has a port of its own, with nothing else on it, and is not on the main one', async () => {
    const server = await serve({ metrics: { host: 'localhost', port: 0 } });
    const { port } = server.metricsAt!;
    expect(samplesOf((await askForMetrics(port, [])).split('\r\n\r\n')[1]!).get('sallyport_clients')).toBe(0);
    expect(await askForMetrics(portOf(server))).toMatch(/^HTTP\/1\.1 426 /);
    const raw = follow(connectTcp({ port, host: '127.0.0.1' }));
    raw.socket.write('GET /healthz HTTP/1.1\r\n\r\n');
    expect(await raw.ended).toMatch(/^HTTP\/1\.1 404 /);
    await server.close();
    await expect(serve({ metrics: { host: '127.0.0.1', port: portOf(await serve()) } })).rejects.toMatchObject({
      code: 'ERR_PORT_IN_USE',
    });
  });

  it('says that the bytes of STUN are payload', async () => {
    const { metrics } = await serve();
    const help = metrics()
      .split('\n')
      .filter((line) => /^# HELP sallyport_stun_\w+_bytes_total /.test(line));
    expect(help.map((line) => line.includes('UDP payload'))).toEqual([true, true]);
  });
});
