import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type InternetPlan, internet, readInternetPlan } from '../../src/sim/index.ts';
import { addressOf } from './datagrams.ts';

const PLAN: InternetPlan = {
  seed: 7,
  networks: [
    { name: 'carrier', nat: { mapping: 'address-dependent' }, ipv4: '100.64.0.0/10', isolated: true },
    { name: 'home', above: 'carrier', nat: {}, ipv6: false, uplink: { latency: 10, loss: 0.01 } },
    { name: 'office', firewall: {}, ipv6: '2001:db8:7:7::/64', external: ['203.0.113.77'] },
  ],
  hosts: [
    {
      name: 'server',
      interfaces: [{ network: 'internet', addresses: ['198.51.100.1'] }],
      aliases: ['stun.example.org'],
    },
    { name: 'alice', interfaces: [{ network: 'home', link: { jitter: 1 } }, { network: 'office' }], stealth: true },
  ],
  events: [{ at: 5_000, type: 'reboot', network: 'home', downFor: 100 }],
};

describe('a plan', () => {
  it('as JSON makes the same world as in code', () => {
    const fromJson = internet(readInternetPlan(JSON.parse(JSON.stringify(PLAN))));
    const inCode = internet({ seed: 7 });
    const carrier = inCode.nat('carrier', { mapping: 'address-dependent' }, { ipv4: '100.64.0.0/10', isolated: true });
    const home = carrier.nat('home', {}, { ipv6: false, uplink: { latency: 10, loss: 0.01 } });
    inCode.lan('office', { firewall: {}, ipv6: '2001:db8:7:7::/64', external: ['203.0.113.77'] });
    inCode.host('server', { addresses: ['198.51.100.1'], aliases: ['stun.example.org'] });
    const alice = home.host('alice', { link: { jitter: 1 }, stealth: true });
    inCode.attach(alice, { network: 'office' });
    inCode.schedule(5_000, { type: 'reboot', network: 'home', downFor: 100 });
    for (const world of [fromJson, inCode]) {
      expect(addressOf(world.hostNamed('alice'))).toBe('192.168.1.100');
      expect(world.networkNamed('home').external).toEqual(['100.64.0.100']);
    }
    expect(JSON.stringify(inCode.plan)).toBe(JSON.stringify(fromJson.plan));
  });

  it('comes back from the world that it made', () => {
    const world = internet(PLAN);
    expect(internet(world.plan).plan).toEqual(world.plan);
    expect(JSON.parse(JSON.stringify(world.plan))).toMatchObject(PLAN);
  });

  it.each<[string, unknown, string]>([
    ['no plan', 7, 'must be an object, not 7'],
    ['no seed', {}, 'seed: is missing'],
    ['a strange seed', { seed: -1 }, 'seed: must be a whole number in 0..9007199254740991, not -1'],
    [
      'an unknown field',
      { seed: 1, neworks: [] },
      'neworks: there is no such field; there are seed, networks, hosts, events',
    ],
    ['a list that is none', { seed: 1, networks: {} }, 'networks: must be a list, not {}'],
    ['a network without a name', { seed: 1, networks: [{}] }, 'networks[0].name: is missing'],
    [
      'a word that is none',
      { seed: 1, networks: [{ name: 'a', nat: { mapping: 'cone' } }] },
      'networks[0].nat.mapping: must be one of',
    ],
    [
      'a latency below 0',
      { seed: 1, networks: [{ name: 'a', uplink: { latency: -1 } }] },
      'networks[0].uplink.latency: must be a number in 0..60000, not -1',
    ],
    [
      'half of a burst',
      { seed: 1, networks: [{ name: 'a', uplink: { burstLoss: { end: 1 } } }] },
      'networks[0].uplink.burstLoss.begin: is missing',
    ],
    [
      'a host without interfaces',
      { seed: 1, hosts: [{ name: 'a', interfaces: [] }] },
      'hosts[0].interfaces: must have at least one element',
    ],
    [
      'a flag that is none',
      { seed: 1, hosts: [{ name: 'a', stealth: 1, interfaces: [{ network: 'internet' }] }] },
      'hosts[0].stealth: must be true or false, not 1',
    ],
    ['an event without a time', { seed: 1, events: [{ type: 'rebind', network: 'a' }] }, 'events[0].at: is missing'],
    ['an event of no kind', { seed: 1, events: [{ at: 1, type: 'flood' }] }, 'events[0].type: must be one of'],
    [
      'a field of another event',
      { seed: 1, events: [{ at: 1, type: 'rebind', network: 'a', rate: 1 }] },
      'events[0].rate: there is no such field',
    ],
  ])('is refused with %s', (_what, plan, message) => {
    expect(() => readInternetPlan(plan)).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(message) }),
    );
  });

  it('is refused with ERR_USAGE, whatever else it may be', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (networks, hosts, events) => {
        for (const plan of [
          networks,
          { seed: 1, networks, hosts, events },
          { seed: 1, networks: [networks], hosts: [hosts] },
          { seed: 1, events: [events] },
        ]) {
          try {
            readInternetPlan(plan);
          } catch (error) {
            expect(error).toMatchObject({ code: 'ERR_USAGE' });
          }
        }
      }),
    );
  });

  it.each<[string, Omit<InternetPlan, 'seed'>, string]>([
    [
      'two networks of one name',
      { networks: [{ name: 'a' }, { name: 'a' }] },
      'networks[1].name: there is a network a already',
    ],
    ['a network called internet', { networks: [{ name: 'internet' }] }, 'networks[0].name'],
    [
      'a network below one that is not there',
      { networks: [{ name: 'a', above: 'b' }] },
      'networks[0].above: there is no network b',
    ],
    [
      'a block that is none',
      { networks: [{ name: 'a', ipv4: '10.0.0.1/8' }] },
      'networks[0].ipv4: must be an IPv4 block such as 192.168.1.0/24',
    ],
    ['a block that is too small', { networks: [{ name: 'a', ipv4: '10.0.0.0/30' }] }, 'networks[0].ipv4'],
    ['an IPv6 block of another length', { networks: [{ name: 'a', ipv6: '2001:db8::/48' }] }, 'networks[0].ipv6'],
    [
      'a block of a network above',
      {
        networks: [
          { name: 'a', nat: {}, ipv4: '10.0.0.0/8' },
          { name: 'b', above: 'a', nat: {}, ipv4: '10.1.0.0/16' },
        ],
      },
      'networks[1]: 10.1.0.0/16 overlaps a network above',
    ],
    [
      'a block of another network',
      {
        networks: [
          { name: 'a', ipv4: '198.51.100.0/24' },
          { name: 'b', ipv4: '198.51.100.0/24' },
        ],
      },
      "networks[1]: 198.51.100.0/24 is another network's already",
    ],
    [
      'neither IPv4 nor IPv6',
      { networks: [{ name: 'a', ipv4: false }] },
      'networks[0]: must have IPv4 or IPv6 or both',
    ],
    [
      'IPv6 below a network that has none',
      {
        networks: [
          { name: 'a', nat: {} },
          { name: 'b', above: 'a', ipv6: true },
        ],
      },
      'networks[1].external: there is no free IPv6 address left in the network',
    ],
    [
      'an external address that is private',
      { networks: [{ name: 'a', external: ['10.0.0.1'] }] },
      'networks[0].external[0]: 10.0.0.1 cannot be used: it is private',
    ],
    [
      'two hosts of one name',
      { hosts: [internetHost('a'), internetHost('a')] },
      'hosts[1].name: there is a host a already',
    ],
    [
      'a host in a network that is not there',
      { hosts: [{ name: 'a', interfaces: [{ network: 'b' }] }] },
      'hosts[0].interfaces[0].network: there is no network b',
    ],
    [
      'a host twice in a network',
      { hosts: [{ name: 'a', interfaces: [{ network: 'internet' }, { network: 'internet' }] }] },
      'hosts[0].interfaces[1].network',
    ],
    [
      'an address that somebody has',
      { hosts: [internetHost('a', '192.0.2.9'), internetHost('b', '192.0.2.9')] },
      'hosts[1].interfaces[0].addresses[0]: 192.0.2.9 cannot be used: somebody has it already',
    ],
    [
      'an address that is none',
      { hosts: [internetHost('a', 'somewhere')] },
      'hosts[0].interfaces[0].addresses[0]: must be a numeric IP address, not somewhere',
    ],
    [
      'an address of another network',
      {
        networks: [{ name: 'a', nat: {} }],
        hosts: [{ name: 'b', interfaces: [{ network: 'a', addresses: ['192.168.2.1'] }] }],
      },
      'the network is 192.168.1.0/24',
    ],
    [
      'more hosts than addresses',
      {
        networks: [{ name: 'a', nat: {}, ipv4: '10.0.0.0/29' }],
        hosts: Array.from({ length: 6 }, (_, i) => ({ name: `${i}`, interfaces: [{ network: 'a' }] })),
      },
      'hosts[5].interfaces[0].addresses: there is no free IPv4 address left in the network',
    ],
  ])('does not fit together with %s', (_what, plan, message) => {
    expect(() => internet({ seed: 1, ...plan })).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(message) }),
    );
  });
});

function internetHost(name: string, address?: string) {
  return { name, interfaces: [{ network: 'internet', ...(address && { addresses: [address] }) }] };
}
