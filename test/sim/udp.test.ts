import { describe, expect, it } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import { internet } from '../../src/sim/index.ts';
import { addressOf, bytes, hearing, trace } from './datagrams.ts';

function twoHosts() {
  const world = internet({ seed: 1 });
  const home = world.lan('home', { ipv4: '192.168.1.0/24', ipv6: '2001:db8:1:1::/64' });
  return { world, a: home.host('a'), b: home.host('b', { stealth: true }) };
}

describe('UDP on a simulated host', () => {
  it('gives an address and port to one socket, unless all share it', () => {
    const { a } = twoHosts();
    const inUse = expect.objectContaining({ code: 'ERR_PORT_IN_USE' });
    a.udp.bind({ family: 4, port: 7, address: '192.168.1.100' });
    a.udp.bind({ family: 4, port: 7, address: '127.0.0.1' });
    a.udp.bind({ family: 6, port: 7 });
    expect(() => a.udp.bind({ family: 4, port: 7 })).toThrow(inUse);
    expect(() => a.udp.bind({ family: 4, port: 7, shared: true })).toThrow(inUse);
    a.udp.bind({ family: 4, port: 8, shared: true });
    a.udp.bind({ family: 4, port: 8, shared: true, address: '192.168.1.100' });
    expect(() => a.udp.bind({ family: 4, port: 8, address: '192.168.1.100' })).toThrow(inUse);
    expect(a.udp.size).toBe(5);
  });

  it.each([
    ['an address of another host', { family: 4, address: '192.168.1.101' }, 'ERR_NETWORK'],
    ['a port that is none', { family: 4, port: 65_536 }, 'ERR_USAGE'],
    ['a part of a port', { family: 4, port: 1.5 }, 'ERR_USAGE'],
  ] as const)('refuses %s', (_what, options, code) => {
    expect(() => twoHosts().a.udp.bind(options)).toThrow(expect.objectContaining({ code }));
  });

  it('gives free ports of 49152 and up, until none is left', () => {
    const { a } = twoHosts();
    const ports = Array.from({ length: 16_384 }, () => a.udp.bind({ family: 4 }).local.port);
    expect(new Set(ports).size).toBe(16_384);
    expect(Math.min(...ports)).toBe(49_152);
    expect(() => a.udp.bind({ family: 4 })).toThrow(expect.objectContaining({ code: 'ERR_NETWORK' }));
    expect(a.udp.bind({ family: 6 }).local.port).toBeGreaterThanOrEqual(49_152);
  });

  it('hands a datagram to the socket bound the closest', async () => {
    const { world, a, b } = twoHosts();
    const all = hearing(b, 7);
    const own: string[] = [];
    const sender = a.udp.bind({ family: 4 });
    sender.send(bytes('first'), endpoint('192.168.1.101', 7));
    await world.clock.run();
    all.socket.close();
    b.udp.bind({ family: 4, port: 7, shared: true });
    b.udp.bind({ family: 4, port: 7, address: '192.168.1.101', shared: true }).onDatagram = (data) =>
      own.push(Buffer.from(data).toString());
    sender.send(bytes('second'), endpoint('192.168.1.101', 7));
    await world.clock.run();
    expect([all.heard, own]).toEqual([['first'], ['second']]);
  });

  it('keeps what is sent apart from what the sender and other receivers do with their bytes', async () => {
    const { world, a } = twoHosts();
    const texts: string[] = [];
    const group = '239.1.2.3';
    for (const _ of [1, 2]) {
      const socket = a.udp.bind({ family: 4, port: 7, shared: true });
      socket.joinGroup(group, addressOf(a));
      socket.onDatagram = (data) => {
        texts.push(Buffer.from(data).toString());
        data.fill(0);
      };
    }
    const data = Buffer.from('hello');
    a.udp.bind({ family: 4 }).send(data, endpoint(group, 7));
    data.fill(0);
    await world.clock.run();
    expect(texts).toEqual(['hello', 'hello']);
  });

  it('answers a closed port by ICMP, unless it is told to be silent', async () => {
    const { world, a, b } = twoHosts();
    const errors = trace(world, ({ packet, fate }) => packet.protocol === 'icmp' && fate === 'delivered');
    hearing(a).socket.send(bytes('x'), endpoint(addressOf(b), 9));
    hearing(b, 50).socket.send(bytes('x'), endpoint(addressOf(a), 9));
    await world.clock.run();
    expect(errors).toEqual([
      '0.000 b delivered icmp 192.168.1.100 > 192.168.1.101 port-unreachable (udp 192.168.1.101:50 > 192.168.1.100:9)',
    ]);
  });

  it('drops at once what cannot go anywhere', () => {
    const { a } = twoHosts();
    const socket = a.udp.bind({ family: 4 });
    const loop = a.udp.bind({ family: 4, address: '127.0.0.1' });
    const anywhere = endpoint('192.0.2.77', 9);
    expect(socket.send(bytes('x'), endpoint('::1', 9))).toBe(false);
    expect(socket.send(bytes('x'), endpoint('192.168.1.101', 0))).toBe(false);
    expect(socket.send(bytes('x'), endpoint('255.255.255.255', 9))).toBe(false);
    expect(socket.send(new Uint8Array(65_508), anywhere)).toBe(false);
    expect(socket.send(new Uint8Array(1_473), anywhere)).toBe(false);
    expect(socket.send(new Uint8Array(1_472), anywhere)).toBe(true);
    expect(loop.send(bytes('x'), anywhere)).toBe(false);
    socket.close();
    expect(socket.send(bytes('x'), anywhere)).toBe(false);
  });

  it('speaks to itself by loopback and by its own addresses', async () => {
    const { world, a } = twoHosts();
    for (const [family, ...addresses] of [
      [4, '127.0.0.1', '127.1.2.3', '192.168.1.100'],
      [6, '::1', '2001:db8:1:1::64'],
    ] as const) {
      const { socket, heard } = hearing(a, 7, family);
      for (const address of addresses) socket.send(bytes(address), endpoint(address, 7));
      expect(heard).toEqual([]);
      await world.clock.run();
      expect(heard).toEqual(addresses);
    }
  });

  it('joins groups on its own interfaces only, and none after its end', () => {
    const { a } = twoHosts();
    const socket = a.udp.bind({ family: 4 });
    const network = expect.objectContaining({ code: 'ERR_NETWORK' });
    expect(() => socket.joinGroup('239.1.2.3', '192.168.1.101')).toThrow(network);
    expect(() => socket.joinGroup('192.168.1.101', '192.168.1.100')).toThrow(network);
    socket.close();
    expect(() => socket.joinGroup('239.1.2.3', '192.168.1.100')).toThrow(
      expect.objectContaining({ code: 'ERR_CLOSED' }),
    );
  });

  it('loses its way with its address', () => {
    const world = internet({ seed: 1 });
    const host = world.host('a');
    const [bound, any] = [host.udp.bind({ family: 4, address: addressOf(host) }), host.udp.bind({ family: 4 })];
    world.lan('ipv6 only', { ipv4: false, ipv6: true });
    world.happen({ type: 'roam', host: 'a', from: 'internet', to: 'ipv6 only' });
    expect(bound.send(bytes('x'), endpoint('192.0.2.5', 9))).toBe(false);
    expect(any.send(bytes('x'), endpoint('192.0.2.5', 9))).toBe(false);
  });
});
