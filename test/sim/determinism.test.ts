import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import { formatPacketRecord, type InternetPlan, internet } from '../../src/sim/index.ts';
import { addressOf, bytes } from './datagrams.ts';

/** Two homes, bad links, a NAT that forgets: chance has a part in everything. */
const PLAN: Omit<InternetPlan, 'seed'> = {
  networks: [
    { name: 'home', nat: {}, uplink: { latency: 15, jitter: 10, loss: 0.05, duplicate: 0.02 } },
    {
      name: 'cafe',
      nat: { mapping: 'address-and-port-dependent' },
      ipv6: true,
      uplink: {
        latency: 25,
        burstLoss: { begin: 0.02, end: 0.3 },
        reorder: { share: 0.1, delay: 40 },
        rate: 1_000_000,
      },
    },
  ],
  hosts: [
    { name: 'server', interfaces: [{ network: 'internet' }] },
    { name: 'alice', interfaces: [{ network: 'home' }] },
    { name: 'bob', interfaces: [{ network: 'cafe', link: { jitter: 2 } }] },
  ],
  events: [
    { at: 300, type: 'rebind', network: 'home' },
    { at: 400, type: 'churn', network: 'cafe', rate: 100, lasts: 100 },
  ],
};

/** Everything that becomes of packets in a second of talk over UDP and TCP, by code that is built on promises. */
async function run(seed: number): Promise<string[]> {
  const world = internet({ seed, ...PLAN });
  const lines: string[] = [];
  world.watch((record) => lines.push(formatPacketRecord(record)));
  const server = world.hostNamed('server');
  server.tcp.listen({ port: 80 }, async (socket) => {
    for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) await socket.write(chunk);
    await socket.end();
  });
  const echo = server.udp.bind({ family: 4, port: 7 });
  echo.onDatagram = (data, from) => echo.send(data, from);
  for (const name of ['alice', 'bob']) void talk(name);
  await world.clock.advance(1_000);
  return lines;

  async function talk(name: string): Promise<void> {
    const host = world.hostNamed(name);
    const at = addressOf(server);
    const udp = host.udp.bind({ family: 4 });
    for (let i = 0; i < 20; i++) world.clock.setTimeout(() => udp.send(bytes(`${name} ${i}`), endpoint(at, 7)), 25 * i);
    const socket = await host.tcp.connect({ remote: endpoint(at, 80) });
    await socket.write(world.random.stream(name).bytes(20_000));
    await socket.end();
    while ((await socket.read()) !== null);
  }
}

describe('the same seed', () => {
  it('gives the same trace, byte for byte, for 200 seeds', { timeout: 120_000 }, async () => {
    const traces = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const first = (await run(seed)).join('\n');
      expect((await run(seed)).join('\n')).toBe(first);
      traces.add(first);
    }
    expect(traces.size).toBe(200);
  });

  it('gives this trace on every machine', async () => {
    const lines = await run(1);
    expect(lines.slice(0, 4)).toMatchInlineSnapshot(`
      [
        "0.000 alice sent tcp 192.168.1.100:61114 > 203.0.113.3:80 syn seq 2121417509 ack 0 0 B",
        "0.000 bob sent tcp 192.168.1.100:65357 > 203.0.113.3:80 syn seq 1157644595 ack 0 0 B",
        "0.000 alice sent udp 192.168.1.100:52660 > 203.0.113.3:7 7 B",
        "0.000 home translated tcp 192.168.1.100:61114 > 203.0.113.3:80 syn seq 2121417509 ack 0 0 B => tcp 203.0.113.1:54896 > 203.0.113.3:80 syn seq 2121417509 ack 0 0 B",
      ]
    `);
    expect(createHash('sha256').update(lines.join('\n')).digest('hex')).toMatchInlineSnapshot(
      `"c09b6db53575e20b67f718dc7eee90a6dd3a342087081730a03cc7fc905fce42"`,
    );
  });

  it('gives a host the same chance whoever else is there', async () => {
    const draws = [false, true].map((crowded) => {
      const world = internet({ seed: 5 });
      if (crowded) world.nat('others').host('stranger').udp.bind({ family: 4 });
      const alice = world.nat('home').host('alice');
      return [alice.udp.bind({ family: 4 }).local.port, alice.udp.bind({ family: 4 }).local.port];
    });
    expect(draws[0]).toEqual(draws[1]);
  });
});
