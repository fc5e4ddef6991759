import { describe, expect, it } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import { type Internet, internet, type PlannedEvent, type WorldEvent } from '../../src/sim/index.ts';
import { addressOf, bytes, drops, hearing, reflector } from './datagrams.ts';

/** Alice behind a NAT with random ports, and a server that tells her how it sees her. */
function home(nat: object = {}) {
  const world = internet({ seed: 1 });
  const network = world.nat('home', nat);
  const alice = network.host('alice');
  const { seen, at } = reflector(world.host('server'), 7);
  const { socket, heard } = hearing(alice, 5000);
  /** Sends, and waits for what comes back. */
  const ask = async (): Promise<string | undefined> => {
    const before = heard.length;
    socket.send(bytes('?'), at);
    await world.clock.advance(200);
    return heard[before];
  };
  return { world, network, alice, socket, heard, seen, at, ask };
}

describe('events of a world', () => {
  it('rebind: flows get new external ports, explicit mappings stay', async () => {
    const { world, network, ask } = home();
    const before = await ask();
    expect(await ask()).toBe(before);
    world.happen({ type: 'rebind', network: 'home' });
    const after = await ask();
    expect(after).not.toBe(before);
    expect(after?.split(':')[0]).toBe(network.external[0]);
  });

  it('reboot: the router is away for a while, and its NAT has forgotten everything', async () => {
    const { world, ask } = home();
    const reasons = drops(world);
    const before = await ask();
    world.happen({ type: 'reboot', network: 'home', downFor: 1_000 });
    expect(await ask()).toBeUndefined();
    expect(reasons).toEqual(['home: no power']);
    await world.clock.advance(1_000);
    expect(await ask()).not.toBe(before);
    world.happen({ type: 'reboot', network: 'home' });
    expect(await ask()).toBeDefined();
  });

  it('readdress: the NAT translates to the new address, and the old one leads nowhere', async () => {
    const { world, network, ask, heard, at } = home();
    const [address, port] = (await ask())!.split(':');
    world.happen({ type: 'readdress', network: 'home' });
    expect(network.external).not.toContain(address);
    expect(await ask()).toMatch(`${network.external[0]}:`);
    world.happen({ type: 'readdress', network: 'home', external: ['198.51.100.77'] });
    expect(await ask()).toMatch('198.51.100.77:');
    const reasons = drops(world);
    const { length } = heard;
    const server = world.hostNamed('server');
    server.udp.bind({ family: 4 }).send(bytes('late'), endpoint(address!, Number(port)));
    await world.clock.advance(200);
    expect(heard).toHaveLength(length);
    expect(reasons).toEqual(['internet: no route']);
    expect(at.port).toBe(7);
  });

  it('readdress: networks below keep being reached', async () => {
    const world = internet({ seed: 1 });
    const lab = world.lan('campus', { ipv6: true }).lan('lab', { ipv6: true });
    const deep = lab.host('deep');
    world.happen({ type: 'readdress', network: 'campus' });
    world.happen({ type: 'readdress', network: 'lab' });
    for (const family of [4, 6] as const) {
      const { at } = reflector(deep, 7, family);
      const { socket, heard } = hearing(world.host(`far ${family}`), 1, family);
      socket.send(bytes('?'), at);
      await world.clock.run();
      expect(heard).toHaveLength(1);
    }
  });

  it('roam: the host has another address, and a socket bound to all goes with it', async () => {
    const { world, alice, ask } = home();
    const mobile = world.nat('mobile', {}, { ipv4: '10.9.0.0/16' });
    const before = await ask();
    world.happen({ type: 'roam', host: 'alice', from: 'home', to: 'mobile' });
    expect(alice.interfaces.map((one) => one.addressOf(4))).toEqual(['10.9.0.100']);
    const after = await ask();
    expect(after).toMatch(`${mobile.external[0]}:`);
    expect(after).not.toBe(before);
    world.happen({ type: 'roam', host: 'alice', from: 'mobile', to: 'home', addresses: ['192.168.1.7'] });
    expect(addressOf(alice)).toBe('192.168.1.7');
    expect(await ask()).toBeDefined();
  });

  it('roam: who comes back to a network meets other losses than before', async () => {
    const world = internet({ seed: 1 });
    world.nat('home').host('alice', { link: { loss: 0.5 } });
    const { at } = reflector(world.host('server'), 7);
    const { socket } = hearing(world.hostNamed('alice'), 5000);
    const lost = async (): Promise<string> => {
      const reasons: string[] = [];
      const end = world.watch(({ place, fate }) => {
        if (place === 'alice@home up') reasons.push(fate);
      });
      let fates = '';
      for (let i = 0; i < 32; i++) {
        const { length } = reasons;
        socket.send(bytes('?'), at);
        await world.clock.advance(200);
        fates += reasons.length > length ? 'x' : '.';
      }
      end();
      return fates;
    };
    const first = await lost();
    expect(first).toMatch(/x.*\.|\..*x/);
    world.happen({ type: 'roam', host: 'alice', from: 'home', to: 'internet' });
    world.happen({ type: 'roam', host: 'alice', from: 'internet', to: 'home', link: { loss: 0.5 } });
    expect(await lost()).not.toBe(first);
  });

  it('link: what is cut off hears nothing, until the link is back', async () => {
    const { world, alice, ask, socket, at } = home();
    world.happen({ type: 'link', state: 'down', network: 'home' });
    expect(await ask()).toBeUndefined();
    expect(alice.interfaces.every((one) => one.up)).toBe(true);
    world.happen({ type: 'link', state: 'up', network: 'home' });
    expect(await ask()).toBeDefined();
    world.happen({ type: 'link', state: 'down', network: 'home', host: 'alice' });
    expect(alice.interfaces.every((one) => one.up)).toBe(false);
    expect(socket.send(bytes('?'), at)).toBe(false);
    world.happen({ type: 'link', state: 'up', network: 'home', host: 'alice' });
    expect(await ask()).toBeDefined();
  });

  it('link: a host with two ways takes the other one', async () => {
    const { world, alice, network, ask } = home();
    const spare = world.nat('spare', {}, { ipv4: '10.9.0.0/16' });
    world.attach(alice, { network: 'spare' });
    expect(await ask()).toMatch(`${network.external[0]}:`);
    world.happen({ type: 'link', state: 'down', network: 'home', host: 'alice' });
    expect(await ask()).toMatch(`${spare.external[0]}:`);
  });

  it('restart: the host loses its sockets, and its services start anew', async () => {
    const world = internet({ seed: 1 });
    const server = world.host('server');
    let starts = 0;
    let closed = 0;
    server.serve(() => {
      starts++;
      const socket = server.udp.bind({ family: 4, port: 7 });
      socket.onDatagram = (data, from) => socket.send(data, from);
      socket.onClosed = () => {
        closed++;
      };
    });
    const { socket, heard } = hearing(world.host('client'));
    const ask = async (text: string): Promise<void> => {
      socket.send(bytes(text), endpoint(addressOf(server), 7));
      await world.clock.advance(200);
    };
    await ask('before');
    world.happen({ type: 'restart', host: 'server', downFor: 1_000 });
    expect(server.udp.size).toBe(0);
    await ask('meanwhile');
    await world.clock.advance(1_000);
    await ask('after');
    expect(heard).toEqual(['before', 'after']);
    expect([starts, closed]).toEqual([2, 1]);
  });

  it('churn: others open mappings, which a sequential NAT counts', async () => {
    const { world, network, ask } = home({ mapping: 'address-and-port-dependent', portAllocation: { sequential: 1 } });
    const port = async (): Promise<number> => Number((await ask())?.split(':')[1]);
    const first = await port();
    world.happen({ type: 'churn', network: 'home', rate: 50, lasts: 1_000 });
    await world.clock.advance(2_000);
    const mappings = network.translator!.mappings(world.clock.now());
    expect(mappings.filter(({ internal }) => internal.address === '192.168.1.5')).toHaveLength(50);
    expect(mappings.at(-1)?.external.port).toBe(first + 50);
  });

  it('comes from a script in the plan, at its time', async () => {
    const world = internet({
      seed: 1,
      networks: [{ name: 'home', nat: {} }],
      hosts: [{ name: 'alice', interfaces: [{ network: 'home' }] }],
      events: [
        { at: 2_000, type: 'link', state: 'up', network: 'home', host: 'alice' },
        { at: 1_000, type: 'link', state: 'down', network: 'home', host: 'alice' },
      ],
    });
    const isUp = (): boolean => world.hostNamed('alice').interfaces[0]!.up;
    const states: boolean[] = [];
    for (let i = 0; i < 3; i++) {
      states.push(isUp());
      await world.clock.advance(1_000);
    }
    expect(states).toEqual([true, false, true]);
  });

  it.each<[string, (world: Internet) => void]>([
    ['of a network that is not there', (world) => world.happen({ type: 'rebind', network: 'nowhere' })],
    ['of a host that is not there', (world) => world.happen({ type: 'restart', host: 'nobody' })],
    [
      'of a host that is not in the network',
      (world) => world.happen({ type: 'roam', host: 'alice', from: 'internet', to: 'home' }),
    ],
    ['of no kind', (world) => world.happen({ type: 'earthquake' } as never)],
  ])('refuses an event %s', (_what, happen) => {
    expect(() => happen(home().world)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });

  const PLACES = {
    seed: 1,
    networks: [{ name: 'home', nat: {} }, { name: 'office' }, { name: 'modern', ipv4: false, ipv6: true }],
    hosts: [{ name: 'alice', interfaces: [{ network: 'home' }, { network: 'office' }] }],
  } as const;
  const first: PlannedEvent = { at: 1_000, type: 'rebind', network: 'home' };

  it.each<[string, WorldEvent]>([
    ['events[1].network', { type: 'reboot', network: 'internet' }],
    ['events[1].network', { type: 'readdress', network: 'internet' }],
    ['events[1].network', { type: 'rebind', network: 'internet' }],
    ['events[1].network', { type: 'churn', network: 'internet', rate: 1, lasts: 1 }],
    ['events[1].network', { type: 'link', state: 'down', network: 'internet' }],
    ['events[1].network', { type: 'rebind', network: 'office' }],
    ['events[1].network', { type: 'churn', network: 'modern', rate: 1, lasts: 1 }],
    ['events[1].host', { type: 'roam', host: 'bob', from: 'home', to: 'internet' }],
    ['events[1].to', { type: 'roam', host: 'alice', from: 'home', to: 'nowhere' }],
  ])('finds before it runs, at %s, that this cannot happen: %j', (path, event) => {
    expect(() => internet({ ...PLACES, events: [first, { at: 5_000, ...event }] })).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(`${path}: `) }),
    );
  });

  it.each<[string, WorldEvent]>([
    ['events[1].from', { type: 'roam', host: 'alice', from: 'internet', to: 'modern' }],
    ['events[1].to', { type: 'roam', host: 'alice', from: 'home', to: 'office' }],
    ['events[1].network', { type: 'link', state: 'down', network: 'internet', host: 'alice' }],
    ['events[1].addresses[0]', { type: 'roam', host: 'alice', from: 'home', to: 'internet', addresses: ['10.0.0.1'] }],
    ['events[1].external[0]', { type: 'readdress', network: 'home', external: ['10.0.0.1'] }],
  ])('names the event, at %s, when it comes out only then that it cannot happen: %j', async (path, event) => {
    const world = internet({ ...PLACES, events: [first, { at: 5_000, ...event }] });
    await expect(world.clock.run()).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: expect.stringContaining(`${path}: `),
    });
    expect(world.clock.now()).toBe(5_000);
  });

  it('is not in the plan when its time was refused', () => {
    const { world } = home();
    expect(() => world.schedule(Number.NaN, { type: 'rebind', network: 'home' })).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE' }),
    );
    expect(world.plan.events).toEqual([]);
  });
});
