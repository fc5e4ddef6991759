import { describe, expect, it } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import { type HostPlan, type InternetPlan, internet } from '../../src/sim/index.ts';
import { addressOf, bytes, drops, hearing, reflector, trace } from './datagrams.ts';

/** A host on the internet. */
function on(name: string): HostPlan {
  return { name, interfaces: [{ network: 'internet' }] };
}

describe('a simulated internet', () => {
  it('joins two hosts, by the delay of both links', async () => {
    const world = internet({ seed: 1 });
    const [a, b] = [world.host('a'), world.host('b', { link: { latency: 30 } })];
    const { at } = reflector(b, 7);
    const { socket, heard } = hearing(a, 5000);
    const lines = trace(world);
    expect(socket.send(bytes('hi'), at)).toBe(true);
    await world.clock.run();
    expect(heard).toEqual(['203.0.113.1:5000']);
    expect(lines).toEqual([
      '0.000 a sent udp 203.0.113.1:5000 > 203.0.113.2:7 2 B',
      '50.000 b sent udp 203.0.113.2:7 > 203.0.113.1:5000 16 B',
      '50.000 b delivered udp 203.0.113.1:5000 > 203.0.113.2:7 2 B',
      '100.000 a delivered udp 203.0.113.2:7 > 203.0.113.1:5000 16 B',
    ]);
  });

  it('lets private addresses be used again behind each NAT', async () => {
    const world = internet({ seed: 1 });
    const { seen, at } = reflector(world.host('server'), 7);
    const homes = ['one', 'two'].map((name) => world.nat(name, { portAllocation: 'preserve' }));
    const hosts = homes.map((home, i) => home.host(`host ${i}`));
    expect(hosts.map((host) => addressOf(host))).toEqual(['192.168.1.100', '192.168.1.100']);
    const ears = hosts.map((host) => hearing(host, 5000));
    for (const { socket } of ears) socket.send(bytes('hi'), at);
    await world.clock.run();
    const external = homes.map((home) => `${home.external[0]}:5000`);
    expect(new Set(external).size).toBe(2);
    expect(seen).toEqual(external);
    expect(ears.map(({ heard }) => heard)).toEqual(external.map((one) => [one]));
  });

  it('chains NATs: a home behind a carrier', async () => {
    const world = internet({ seed: 1 });
    const { seen, at } = reflector(world.host('server'), 7);
    const carrier = world.nat('carrier', { portAllocation: 'preserve' }, { ipv4: '100.64.0.0/10' });
    const home = carrier.nat('home', { portAllocation: 'preserve' });
    const { socket, heard } = hearing(home.host('alice'), 5000);
    const lines = trace(world, ({ fate }) => fate === 'translated');
    socket.send(bytes('hi'), at);
    await world.clock.run();
    expect(home.external).toEqual(['100.64.0.100']);
    expect(seen).toEqual([`${carrier.external[0]}:5000`]);
    expect(heard).toEqual(seen);
    expect(lines.map((line) => line.split(' ')[1])).toEqual(['home', 'carrier', 'carrier', 'home']);
  });

  it('gives a NAT below another a block that does not overlap', () => {
    const world = internet({ seed: 1 });
    const inner = world.nat('outer').nat('middle').nat('inner');
    expect(addressOf(inner.host('deep'))).toBe('192.168.3.100');
  });

  it('reaches hosts behind plain routers by their own addresses, at any depth', async () => {
    const world = internet({ seed: 1 });
    const campus = world.lan('campus', { ipv6: true });
    const lab = campus.lan('lab', { ipv6: true });
    const deep = lab.host('deep');
    const far = world.host('far');
    for (const family of [4, 6] as const) {
      const { at } = reflector(deep, 7, family);
      const { socket, heard } = hearing(far, 5000, family);
      socket.send(bytes('hi'), at);
      await world.clock.run();
      expect(heard).toEqual([`${addressOf(far, family)}:5000`]);
    }
    expect(addressOf(deep)).toBe('198.19.1.100');
    expect(addressOf(deep, 6)).toBe('2001:db8:1:1::64');
  });

  it('gives IPv6 without translation to what is behind an IPv4 NAT, guarded by a firewall', async () => {
    const world = internet({ seed: 1 });
    const home = world.nat('home', {}, { ipv6: true, firewall: { families: [6] } });
    const [alice, server] = [home.host('alice'), world.host('server')];
    const { seen, at } = reflector(server, 7, 6);
    const { socket, heard } = hearing(alice, 5000, 6);
    const reasons = drops(world);
    const [outside] = [server.udp.bind({ family: 6 })];
    outside.send(bytes('knock'), endpoint(addressOf(alice, 6), 5000));
    await world.clock.run();
    expect(heard).toEqual([]);
    expect(reasons).toHaveLength(1);
    socket.send(bytes('hi'), at);
    await world.clock.run();
    expect(seen).toEqual([`${addressOf(alice, 6)}:5000`]);
    expect(heard).toHaveLength(1);
  });

  it('sends by the interface whose address a socket has, else by the preferred one', async () => {
    const world = internet({ seed: 1 });
    const { seen, at } = reflector(world.host('server'), 7);
    const nat = { portAllocation: 'preserve' } as const;
    const [cable, mobile] = [world.nat('cable', nat), world.nat('mobile', nat, { ipv4: '10.5.0.0/16' })];
    const host = world.addHost({ name: 'alice', interfaces: [{ network: 'cable' }, { network: 'mobile' }] });
    const [any, second] = [
      host.udp.bind({ family: 4, port: 5000 }),
      host.udp.bind({ family: 4, port: 6000, address: '10.5.0.100' }),
    ];
    any.send(bytes('x'), at);
    second.send(bytes('x'), at);
    await world.clock.run();
    expect(seen.sort()).toEqual([`${cable.external[0]}:5000`, `${mobile.external[0]}:6000`].sort());
  });

  it('keeps hosts of an isolated network apart, and lets them out', async () => {
    const world = internet({ seed: 1 });
    const hotel = world.nat('hotel', {}, { isolated: true });
    const { at } = reflector(world.host('server'), 7);
    const [guest, other] = [hearing(hotel.host('guest'), 1), hearing(hotel.host('other'), 2)];
    const reasons = drops(world);
    guest.socket.send(bytes('x'), endpoint('192.168.1.101', 2));
    guest.socket.send(bytes('x'), at);
    await world.clock.run();
    expect(other.heard).toEqual([]);
    expect(guest.heard).toHaveLength(1);
    expect(reasons).toEqual(['hotel: isolated']);
  });

  it('has nobody at most addresses', async () => {
    const world = internet({ seed: 1 });
    const alice = world.nat('home').host('alice');
    const reasons = drops(world);
    const { socket } = hearing(alice);
    for (const address of ['192.168.1.250', '203.0.113.250']) socket.send(bytes('x'), endpoint(address, 1));
    await world.clock.run();
    expect(reasons).toEqual(['home: nobody has that address', 'internet: no route']);
  });

  it('takes multicast to the members of a group in the local network, and no further', async () => {
    const world = internet({ seed: 1 });
    const home = world.nat('home');
    const [a, b, c] = ['a', 'b', 'c'].map((name) => home.host(name));
    const neighbours = world.nat('neighbours').host('stranger');
    const group = '239.255.255.250';
    const members = [a!, b!, home.router, neighbours].map((host) => {
      const member = host.udp.bind({ family: 4, port: 1900, shared: true });
      const address = host === home.router ? '192.168.1.1' : addressOf(host);
      member.joinGroup(group, address);
      const heard: string[] = [];
      member.onDatagram = (data, from) => heard.push(`${Buffer.from(data)} of ${from.address}`);
      return heard;
    });
    const silent = hearing(c!, 1900);
    const sender = a!.udp.bind({ family: 4, address: addressOf(a!) });
    expect(sender.send(bytes('search'), endpoint(group, 1900))).toBe(true);
    await world.clock.run();
    const once = ['search of 192.168.1.100'];
    expect(members).toEqual([once, once, once, []]);
    expect(silent.heard).toEqual([]);
  });

  it('resolves names in upper and lower case alike, as URLs have them in lower case (RFC 4343)', () => {
    const world = internet({ seed: 1 });
    const meet = world.host('Meet', { aliases: ['Stun.Example.org'], addresses: ['203.0.113.9'] });
    const resolved = ['meet', 'MEET', 'stun.example.ORG'].map((name) => meet.resolve(name));
    expect(resolved).toEqual(Array(3).fill([addressOf(meet)]));
    expect(meet.resolve('LocalHost')).toEqual(['127.0.0.1', '::1']);
  });

  it.each<[string, Omit<InternetPlan, 'seed'>]>([
    ['hosts[1].aliases[0]', { hosts: [on('meet'), { ...on('mallory'), aliases: ['meet'] }] }],
    [
      'hosts[1].aliases[1]',
      {
        hosts: [
          { ...on('a'), aliases: ['Meet'] },
          { ...on('b'), aliases: ['c', 'mEET'] },
        ],
      },
    ],
    ['hosts[1].name', { hosts: [{ ...on('a'), aliases: ['meet'] }, on('meet')] }],
    ['hosts[1].name', { hosts: [on('Meet'), on('meet')] }],
    ['hosts[0].aliases[0]', { networks: [{ name: 'home' }], hosts: [{ ...on('a'), aliases: ['home'] }] }],
  ])('refuses, at %s, a name that is somebody’s already', (path, plan) => {
    expect(() => internet({ seed: 1, ...plan })).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringMatching(/ already$/) }),
    );
    expect(() => internet({ seed: 1, ...plan })).toThrow(`${path}: `);
  });

  it('resolves the names of those who have public addresses', () => {
    const world = internet({ seed: 1 });
    const server = world.host('server', { aliases: ['stun.example.org'] });
    const home = world.nat('home', {}, { ipv6: true });
    const [alice, old] = [home.host('alice'), world.nat('old').host('bob')];
    const [ipv4, ipv6] = [addressOf(server, 4), addressOf(server, 6)];
    expect(alice.resolve('stun.example.org')).toEqual([ipv6, ipv4]);
    expect(old.resolve('server')).toEqual([ipv4, ipv6]);
    expect(old.resolve('alice')).toEqual([addressOf(alice, 6)]);
    expect(old.resolve('bob')).toEqual([]);
    expect(old.resolve('nobody')).toEqual([]);
    expect(old.resolve('localhost')).toEqual(['127.0.0.1', '::1']);
  });

  it('has room for many', () => {
    const world = internet({ seed: 1 });
    const hosts = Array.from({ length: 1_000 }, (_, i) => world.nat(`home ${i}`).host(`host ${i}`));
    const external = world.networks.map((network) => network.external[0]);
    expect(new Set(external).size).toBe(1_000);
    expect(hosts.every((host) => addressOf(host) === '192.168.1.100')).toBe(true);
  });
});
