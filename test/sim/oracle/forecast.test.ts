import { describe, expect, test } from 'vitest';
import type { FirewallSpec } from '../../../src/sim/firewall.ts';
import type { NatSpec } from '../../../src/sim/nat/nat-spec.ts';
import { forecast, TECHNIQUES } from '../../../src/sim/oracle/forecast.ts';
import type { TopologyNetwork } from '../../../src/sim/oracle/topology.ts';
import type { InternetPlan } from '../../../src/sim/plan.ts';
import { chains, homes, kind, prospect } from './pair.ts';

const SYMMETRIC = kind('APD/APD');
const HOME = kind('EI/APD', { hairpin: 'none' });

describe('hosts that share a NAT', () => {
  const shared = (nat: NatSpec, isolated = false) => chains([{ name: 'lan', nat, isolated }], 'lan', 'lan');

  test('on one network they have each other’s own addresses', () => {
    expect(shared(SYMMETRIC).best).toBe('host');
  });

  test('kept apart there, they meet by hairpinning', () => {
    const found = shared(kind('EI/APD'), true);
    expect(found.best).toBe('hairpin');
    expect(prospect(found, 'host')).toBeUndefined();
    expect(prospect(found, 'reflexive')).toBeUndefined();
  });

  test('without hairpinning, not at all', () => {
    expect(shared(HOME, true).best).toBe('relay');
  });

  test('internal source serves those who can answer it directly', () => {
    const nat = kind('EI/APD', { hairpin: 'internal-source' });
    expect(prospect(shared(nat), 'hairpin')?.probability).toBe(1);
    expect(shared(nat, true).best).toBe('relay');
  });
});

test('a flow that is renumbered on its way in is not hairpinned', () => {
  const options: NatSpec = { pinning: true, clashes: 'renumbered' };
  const found = homes({ nat: kind('EI/EI', options) }, { nat: kind('AD/EI', options) });
  expect(found.best).toBe('reflexive');
  expect(prospect(found, 'hairpin')).toBeUndefined();
});

describe("two homes behind one carrier's NAT", () => {
  const carrier = (nat: NatSpec, options: Partial<TopologyNetwork> = {}, home: Partial<TopologyNetwork> = {}) =>
    chains(
      [
        { name: 'carrier', nat, ...options },
        { name: 'home a', nat: HOME, above: 'carrier', ...home },
        { name: 'home b', nat: HOME, above: 'carrier', ...home },
      ],
      'home a',
      'home b',
    );

  test('hairpinning joins them', () => {
    expect(carrier(kind('EI/EI')).best).toBe('hairpin');
  });

  test('without it, relay', () => {
    expect(carrier(kind('EI/EI', { hairpin: 'none' })).best).toBe('relay');
  });

  test('unless the homes map ports and reach each other inside', () => {
    const noHairpin = kind('EI/EI', { hairpin: 'none' });
    expect(carrier(noHairpin, {}, { gateway: { natPmp: true } }).best).toBe('mapped');
    expect(carrier(noHairpin, { isolated: true }, { gateway: { natPmp: true } }).best).toBe('relay');
  });
});

describe('a home behind a carrier’s NAT', () => {
  const against = (other: NatSpec, carrier: Partial<TopologyNetwork>, home: Partial<TopologyNetwork>) =>
    chains(
      [
        { name: 'carrier', nat: SYMMETRIC, ...carrier },
        { name: 'home a', nat: HOME, above: 'carrier', ...home },
        { name: 'home b', nat: other },
      ],
      'home a',
      'home b',
    );

  test('the harder of both NATs counts', () => {
    expect(against(kind('EI/EI'), {}, {}).best).toBe('reflexive');
    expect(against(kind('EI/APD'), {}, {}).best).toBe('spray');
    expect(against(SYMMETRIC, {}, {}).best).toBe('relay');
  });

  test('a mapping at home is of no use to others', () => {
    const found = against(SYMMETRIC, {}, { gateway: { natPmp: true } });
    expect(found.best).toBe('relay');
    expect(prospect(found, 'mapped')).toBeUndefined();
  });

  test('but it opens the home to what the carrier lets in', () => {
    const found = against(SYMMETRIC, { nat: kind('EI/EI') }, { gateway: { natPmp: true } });
    expect(found.best).toBe('mapped');
    expect(prospect(found, 'reflexive')).toBeUndefined();
    expect(against(SYMMETRIC, { nat: kind('EI/EI') }, {}).best).toBe('spray');
    const plain = against(kind('EI/APD'), { nat: kind('EI/EI') }, { gateway: { natPmp: true } });
    expect(plain.prospects.map(({ technique }) => technique)).toEqual(['reflexive', 'tcp-simultaneous-open']);
  });

  test('and nobody asks the carrier for one but who is right behind it', () => {
    const gateway = { pcp: true };
    expect(against(SYMMETRIC, { gateway }, { gateway }).best).toBe('relay');
    expect(against(SYMMETRIC, { gateway }, {}).best).toBe('relay');
    expect(homes({ nat: SYMMETRIC, gateway }, { nat: SYMMETRIC }).best).toBe('mapped');
    // Neither for UDP nor for TCP where nobody asks.
    expect(homes({ nat: SYMMETRIC, gateway }, { nat: SYMMETRIC }, { mapping: false }).prospects).toEqual([]);
  });

  test('three NATs in a chain are no more than the sum of them', () => {
    const chain = (nat: NatSpec): readonly TopologyNetwork[] => [
      { name: 'carrier', nat: kind('EI/EI') },
      { name: 'building', nat, above: 'carrier' },
      { name: 'home a', nat: HOME, above: 'building' },
      { name: 'home b', nat: kind('EI/APD') },
    ];
    expect(chains(chain(kind('EI/AD')), 'home a', 'home b').best).toBe('reflexive');
    expect(chains(chain(kind('AD/AD')), 'home a', 'home b').best).toBe('spray');
  });
});

describe('firewalls and IPv6', () => {
  const stateful: FirewallSpec = {};
  const withoutUdp: FirewallSpec = { outbound: [{ protocol: 'tcp', ports: 'any' }] };
  const webOnly: FirewallSpec = { outbound: [{ protocol: 'tcp', ports: [443] }] };

  test('a firewall alone is as EI/APD', () => {
    expect(homes({ firewall: stateful }, { firewall: stateful }).best).toBe('host');
    expect(homes({ firewall: stateful }, { nat: kind('EI/APD') }).best).toBe('reflexive');
    expect(homes({ firewall: stateful }, { nat: SYMMETRIC }).best).toBe('spray');
  });

  test('a gateway opens its firewall, too', () => {
    const guarded = { firewall: stateful, nat: kind('EI/EI') };
    expect(homes(guarded, { nat: SYMMETRIC }).best).toBe('spray');
    expect(homes({ ...guarded, gateway: { upnp: 1 } }, { nat: SYMMETRIC }).best).toBe('mapped');
    expect(homes({ firewall: stateful, gateway: { pcp: true } }, { nat: SYMMETRIC }).best).toBe('mapped');
  });

  test('IPv6 on both sides joins what IPv4 cannot', () => {
    const home = { nat: SYMMETRIC, firewall: stateful, ipv6: true };
    expect(homes(home, home)).toMatchObject({ best: 'ipv6', prospects: [{ technique: 'ipv6', probability: 1 }] });
    expect(homes(home, { ...home, ipv6: false }).best).toBe('relay');
  });

  test('without IPv4 there is only IPv6', () => {
    const found = homes({ ipv4: false, ipv6: '2001:db8:1::/64' }, { ipv6: true });
    expect(found.prospects.map(({ technique }) => technique)).toEqual(['ipv6', 'tcp']);
    expect(found.reach.a).toEqual({ udp: true, tcp: true });
  });

  test('without UDP only TCP is left', () => {
    const home = { nat: kind('EI/APD'), firewall: withoutUdp };
    expect(homes(home, home)).toMatchObject({
      best: 'tcp-simultaneous-open',
      reach: { a: { udp: false, tcp: true }, b: { udp: false, tcp: true } },
    });
    expect(homes(home, { nat: SYMMETRIC }).best).toBe('relay');
  });

  test('a side that can be called joins by TCP who has no UDP', () => {
    const silent = { nat: SYMMETRIC, firewall: withoutUdp };
    expect(homes(silent, {})).toMatchObject({ best: 'tcp' });
    expect(homes({}, silent)).toMatchObject({ best: 'tcp' });
    expect(homes(silent, { nat: SYMMETRIC, gateway: { natPmp: true } }).best).toBe('tcp');
    expect(prospect(homes({}, {}), 'tcp')).toMatchObject({ probability: 1, packets: 3 });
    expect(prospect(homes(silent, { nat: kind('EI/EI') }), 'tcp')).toBeUndefined();
    expect(prospect(homes({}, { firewall: stateful }), 'tcp')?.probability).toBe(1);
    expect(prospect(homes({ firewall: stateful }, { firewall: stateful }), 'tcp')).toBeUndefined();
  });

  test('by TCP over IPv6 where only that is open', () => {
    const found = homes({ ipv6: true, nat: SYMMETRIC, firewall: withoutUdp }, { ipv6: true, nat: SYMMETRIC });
    expect(found).toMatchObject({ best: 'tcp', prospects: [{ technique: 'tcp', probability: 1 }] });
  });

  test('with TCP port 443 only, a relay', () => {
    const home = { nat: kind('EI/EI'), firewall: webOnly };
    expect(homes(home, {})).toMatchObject({ best: 'relay', reach: { a: { udp: false, tcp: true } } });
  });

  test('where nothing leaves, nothing helps', () => {
    const found = homes({ nat: kind('EI/EI'), firewall: { outbound: [] } }, {});
    expect(found).toEqual({
      prospects: [],
      best: 'none',
      reach: { a: { udp: false, tcp: false }, b: { udp: true, tcp: true } },
    });
  });

  test('a refusal instead of silence changes nothing', () => {
    const rejecting: FirewallSpec = { ...withoutUdp, refusal: 'reject' };
    const home = (firewall: FirewallSpec) => ({ nat: kind('EI/APD'), firewall });
    expect(homes(home(rejecting), home(rejecting)).prospects).toEqual(
      homes(home(withoutUdp), home(withoutUdp)).prospects,
    );
  });
});

describe('chance', () => {
  test('a spray is likelier the fewer ports there are, the more sockets and probes', () => {
    const spray = (nat: NatSpec, options?: { sockets: number; probes: number }): number =>
      prospect(homes({ nat: kind('EI/APD') }, { nat }, options && { spray: options }), 'spray')!.probability;
    const usual = spray(SYMMETRIC);
    expect(spray({ ...SYMMETRIC, ports: { first: 60_000, last: 63_999 } })).toBeGreaterThan(usual);
    expect(spray({ ...SYMMETRIC, portAllocation: 'parity' })).toBeGreaterThan(usual);
    expect(spray(SYMMETRIC, { sockets: 64, probes: 256 })).toBeCloseTo(1 - (1 - 64 / 64_512) ** 256, 2);
  });

  test('any of two addresses for each mapping: a filter that knows one is passed half of the time', () => {
    const pool = { nat: kind('AD/AD', { pooling: 'arbitrary' }), external: ['198.51.100.1', '198.51.100.2'] };
    const found = prospect(homes(pool, { nat: kind('EI/AD') }), 'reflexive');
    expect(found?.probability).toBeGreaterThan(0.3);
    expect(found?.probability).toBeLessThan(0.7);
    expect(prospect(homes({ ...pool, nat: kind('AD/AD') }, { nat: kind('EI/AD') }), 'reflexive')?.probability).toBe(1);
  });

  test('where strangers’ packets leave a trace, both have to send before either is heard', () => {
    const nat = kind('EI/APD', { portAllocation: 'preserve', pinning: true, unsolicited: 'tracked' });
    expect(prospect(homes({ nat }, { nat }), 'reflexive')).toMatchObject({
      probability: 0,
      bestProbability: 1,
      bestOrder: 'together',
    });
  });

  test('the same topology has the same forecast', () => {
    const pool = { nat: kind('APD/AD', { pooling: 'arbitrary' }), external: ['198.51.100.1', '198.51.100.2'] };
    expect(homes(pool, pool)).toEqual(homes(pool, pool));
  });
});

describe('topologies', () => {
  const networks = [
    { name: 'wifi', nat: SYMMETRIC },
    { name: 'mobile', nat: kind('EI/EI') },
    { name: 'home', nat: SYMMETRIC },
  ];

  test('a plan is one', () => {
    const plan: InternetPlan = {
      seed: 1,
      networks: [{ name: 'home', nat: kind('EI/APD'), uplink: { latency: 20 } }],
      hosts: [
        { name: 'a', interfaces: [{ network: 'home' }] },
        { name: 'b', interfaces: [{ network: 'internet' }], aliases: ['b.example'] },
      ],
    };
    expect(forecast(plan, 'a', 'b').best).toBe('host');
  });

  test('of several interfaces the best counts', () => {
    const hosts = [
      { name: 'phone', interfaces: [{ network: 'wifi' }, { network: 'mobile' }] },
      { name: 'desk', interfaces: [{ network: 'home' }] },
    ];
    expect(forecast({ networks, hosts: [...hosts] }, 'phone', 'desk').best).toBe('reflexive');
    expect(forecast({ networks, hosts: [...hosts] }, 'desk', 'phone').best).toBe('reflexive');
  });

  test('prospects are in the order of TECHNIQUES', () => {
    const { prospects } = homes(
      { nat: kind('EI/EI'), gateway: { natPmp: true }, ipv6: true },
      { nat: kind('EI/EI'), ipv6: true },
    );
    const found = prospects.map(({ technique }) => technique);
    expect(found).toEqual(['ipv6', 'mapped', 'reflexive', 'tcp', 'tcp-simultaneous-open']);
    expect(found).toEqual(TECHNIQUES.filter((technique) => found.includes(technique)));
  });

  test.each<[string, object]>([
    ['networks[0].nta', { networks: [{ name: 'n', nta: {} }] }],
    ['networks[1].nat.mapping', { networks: [{ name: 'n' }, { name: 'm', nat: { mapping: 'symmetric' } }] }],
    ['networks[0].name', { networks: [{ nat: {} }] }],
    ['hosts[0].interfaces', { hosts: [{ name: 'a' }] }],
    ['hosts[0].interfaces[0].netwrok', { hosts: [{ name: 'a', interfaces: [{ netwrok: 'n' }] }] }],
    ['netwroks', { netwroks: [] }],
  ])('what is not as it should be is named: %s', (path, topology) => {
    expect(() => forecast(topology, 'a', 'a')).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(`${path}: `) }),
    );
  });

  test.each([
    ['no host nobody', { networks }, 'nobody'],
    ['no network attic', { hosts: [{ name: 'a', interfaces: [{ network: 'attic' }] }] }, 'a'],
    [
      'network x is above itself',
      {
        networks: [
          { name: 'x', above: 'y' },
          { name: 'y', above: 'x' },
        ],
        hosts: [{ name: 'a', interfaces: [{ network: 'x' }] }],
      },
      'a',
    ],
  ])('%s is ERR_USAGE', (message, topology, host) => {
    expect(() => forecast(topology, host, host)).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(message) }),
    );
  });
});
