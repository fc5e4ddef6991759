import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import { internet } from '../../../src/sim/index.ts';
import { tcpPacket } from '../../../src/sim/packet.ts';
import { addressOf } from '../datagrams.ts';
import { TcpPair } from './pair.ts';

describe('the handshake of TCP', () => {
  it('takes three segments and one round trip', async () => {
    const pair = new TcpPair();
    const segments = pair.segments();
    const { client, server } = await pair.connected();
    expect(segments).toEqual(['0 client SYN', '20 server SYN-ACK', '40 client ACK']);
    expect([client.connection.state, server.connection.state]).toEqual(['established', 'established']);
    expect([client.remote, server.remote]).toEqual([server.local, client.local]);
  });

  it('is refused by RST where nobody listens', async () => {
    const pair = new TcpPair();
    const segments = pair.segments();
    await expect(pair.world.clock.runUntil(pair.dial())).rejects.toMatchObject({ code: 'ERR_CONNECTION_REFUSED' });
    expect(segments).toEqual(['0 client SYN', '20 server RST-ACK']);
    expect(pair.client.tcp.size).toBe(0);
  });

  it('is tried for 127 s where nobody answers, after 1, 3, 7, 15, 31 and 63 s again', async () => {
    const world = internet({ seed: 1 });
    const [client, silent] = [world.host('client'), world.host('server', { stealth: true })];
    const at: number[] = [];
    world.watch(({ fate, at: time }) => fate === 'sent' && at.push(time / 1_000));
    const dialled = client.tcp.connect({ remote: endpoint(addressOf(silent), 80) });
    await expect(world.clock.runUntil(dialled)).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(at).toEqual([0, 1, 3, 7, 15, 31, 63]);
    expect(world.clock.now()).toBe(127_000);
  });

  it.each(['SYN', 'SYN-ACK', 'ACK'])('survives the loss of its %s', async (lost) => {
    const pair = new TcpPair();
    let losses = 0;
    const once = (fits: boolean): boolean => fits && losses++ === 0;
    pair.swallow(pair.server, ({ protocol, ...packet }) => {
      if (protocol !== 'tcp' || !('segment' in packet)) return false;
      return once(lost === 'SYN' ? packet.segment.syn : lost === 'ACK' && !packet.segment.syn);
    });
    pair.swallow(pair.client, (packet) => once(lost === 'SYN-ACK' && packet.protocol === 'tcp'));
    const { client, server } = await pair.connected();
    expect(losses).toBeGreaterThan(0);
    expect([client.connection.state, server.connection.state]).toEqual(['established', 'established']);
  });

  it('opens from both sides at once (RFC 9293 section 3.5)', async () => {
    const pair = new TcpPair();
    const segments = pair.segments();
    const [a, b] = [endpoint(addressOf(pair.client), 1000), endpoint(addressOf(pair.server), 2000)];
    const both = Promise.all([
      pair.client.tcp.connect({ remote: b, localPort: 1000 }),
      pair.server.tcp.connect({ remote: a, localPort: 2000 }),
    ]);
    const [client, server] = await pair.world.clock.runUntil(both);
    expect(segments.slice(0, 4)).toEqual(['0 client SYN', '0 server SYN', '20 server SYN-ACK', '20 client SYN-ACK']);
    await client.write(Uint8Array.of(1));
    await server.write(Uint8Array.of(2));
    const read = Promise.all([client.read(), server.read()]);
    expect((await pair.world.clock.runUntil(read)).map((chunk) => [...chunk!])).toEqual([[2], [1]]);
  });

  it('opens from both sides through two NATs that drop what they did not ask for', async () => {
    const world = internet({ seed: 1 });
    const nat = { portAllocation: 'preserve', tcp: { unsolicitedSyn: 'drop' } } as const;
    const [one, two] = [world.nat('one', nat), world.nat('two', nat)];
    const [a, b] = [one.host('a'), two.host('b')];
    const [toA, toB] = [endpoint(one.external[0]!, 5000), endpoint(two.external[0]!, 5000)];
    const first = a.tcp.connect({ remote: toB, localPort: 5000 });
    await world.clock.advance(500);
    const second = b.tcp.connect({ remote: toA, localPort: 5000 });
    const [socket] = await world.clock.runUntil(Promise.all([first, second]));
    expect(socket.remote).toEqual(toB);
    expect(world.clock.now()).toBeLessThan(1_200);
  });

  it.each([
    ['its caller does not want it any more', (controller: AbortController) => controller.abort(), 'ERR_ABORTED'],
    ['it was not wanted before it began', () => {}, 'ERR_ABORTED'],
  ])('ends when %s', async (_what, act, code) => {
    const pair = new TcpPair();
    const controller = new AbortController();
    if (act.length === 0) controller.abort();
    const remote = endpoint(addressOf(pair.server), 80);
    const dialled = pair.client.tcp.connect({ remote, signal: controller.signal });
    dialled.catch(() => {});
    await pair.world.clock.advance(10);
    act(controller);
    await expect(dialled).rejects.toMatchObject({ code });
    expect(pair.client.tcp.size).toBe(0);
    await pair.world.clock.run();
  });

  it('ends at once where the network says that nothing leads there', async () => {
    const pair = new TcpPair();
    const dialled = pair.client.tcp.connect({ remote: endpoint('192.0.2.99', 80) });
    await expect(pair.world.clock.runUntil(dialled)).rejects.toMatchObject({ code: 'ERR_NETWORK' });
    expect(pair.world.clock.now()).toBe(20);
    const offline = pair.client.tcp.connect({ remote: endpoint('2001:db8::99', 80) });
    await expect(pair.world.clock.runUntil(offline)).rejects.toMatchObject({ code: 'ERR_NETWORK' });
  });

  it('gives a local port to as many connections as there are others', async () => {
    const pair = new TcpPair();
    for (const port of [80, 81]) pair.server.tcp.listen({ port }, () => {});
    const sockets = await pair.world.clock.runUntil(Promise.all([pair.dial(80, 5000), pair.dial(81, 5000)]));
    expect(sockets.map(({ local }) => local.port)).toEqual([5000, 5000]);
    await expect(pair.dial(80, 5000)).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE' });
    pair.client.tcp.listen({ port: 6000 }, () => {});
    await expect(pair.dial(80, 6000)).rejects.toMatchObject({ code: 'ERR_PORT_IN_USE' });
    await expect(pair.dial(0)).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });

  it('takes the same pair of ports again after the end, although late segments are waited for', async () => {
    const pair = new TcpPair();
    const { client, server } = await pair.connected();
    await server.end();
    await pair.world.clock.advance(100);
    await client.end();
    await pair.world.clock.advance(100);
    expect(server.connection.state).toBe('time-wait');
    expect(pair.client.tcp.size).toBe(0);
    await pair.world.clock.runUntil(pair.dial(80, client.local.port));
    expect(pair.server.tcp.size).toBe(1);
  });

  it('keeps a bounded number of half-open connections', async () => {
    const pair = new TcpPair();
    pair.server.tcp.listen({ port: 80 }, () => {});
    pair.swallow(pair.client, () => true);
    const [from, to] = [addressOf(pair.client), endpoint(addressOf(pair.server), 80)];
    for (let port = 1; port <= 2_000; port++) {
      pair.client.send(tcpPacket(endpoint(from, port), to, { syn: true, sequence: port }));
    }
    await pair.world.clock.advance(100);
    expect(pair.server.tcp.size).toBe(1_024);
    await pair.world.clock.advance(130_000);
    expect(pair.server.tcp.size).toBe(0);
  });

  it('has one listener for each address and port', () => {
    const { server } = new TcpPair();
    const inUse = expect.objectContaining({ code: 'ERR_PORT_IN_USE' });
    const own = server.tcp.listen({ port: 80, address: addressOf(server) }, () => {});
    const loop = server.tcp.listen({ port: 80, address: '127.0.0.1' }, () => {});
    server.tcp.listen({ port: 80, address: '::' }, () => {});
    expect(() => server.tcp.listen({ port: 80, address: '0.0.0.0' }, () => {})).toThrow(inUse);
    expect(() => server.tcp.listen({ port: 80 }, () => {})).toThrow(inUse);
    expect(() => server.tcp.listen({ port: 81, address: '192.0.2.9' }, () => {})).toThrow(
      expect.objectContaining({ code: 'ERR_NETWORK' }),
    );
    own.close();
    own.close();
    loop.close();
    server.tcp.listen({ port: 80, address: '0.0.0.0' }, () => {});
  });
});
