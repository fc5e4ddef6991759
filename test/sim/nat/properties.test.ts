import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Endpoint, endpoint, formatEndpoint } from '../../../src/core/endpoint.ts';
import type { Ruling } from '../../../src/sim/middlebox.ts';
import { createNat, type Nat } from '../../../src/sim/nat/nat.ts';
import type { NatDependence, NatSpec, PortAllocation } from '../../../src/sim/nat/nat-spec.ts';
import { icmpPacket, type Packet, tcpPacket, udpPacket } from '../../../src/sim/packet.ts';
import { seededRandom } from '../../../src/sim/seeded-random.ts';

const POOL = ['198.51.100.1', '198.51.100.2'];
const dependences: readonly NatDependence[] = [
  'endpoint-independent',
  'address-dependent',
  'address-and-port-dependent',
];

/** Small pools and tables, so that everything runs out. */
const specs: fc.Arbitrary<NatSpec> = fc.record({
  mapping: fc.constantFrom(...dependences),
  filtering: fc.constantFrom(...dependences),
  filterScope: fc.constantFrom('mapping', 'internal-endpoint'),
  portAllocation: fc.constantFrom<PortAllocation[]>(
    'preserve',
    'parity',
    'random',
    { sequential: 1 },
    { sequential: 3 },
  ),
  ports: fc.constant({ first: 5000, last: 5005 }),
  portReuse: fc.constantFrom('none', 'overlapping', 'overloading'),
  pooling: fc.constantFrom('paired', 'arbitrary'),
  hairpin: fc.constantFrom('none', 'external-source', 'internal-source'),
  pinning: fc.boolean(),
  clashes: fc.constantFrom('passed', 'renumbered'),
  unsolicited: fc.constantFrom('ignored', 'tracked'),
  refresh: fc.constantFrom('outbound', 'inbound', 'both'),
  udp: fc.constant({ unanswered: 300, answered: 1000 }),
  tcp: fc.record({
    transitory: fc.constant(300),
    established: fc.constant(2000),
    simultaneousOpen: fc.boolean(),
    pickUp: fc.boolean(),
    unsolicitedSyn: fc.constantFrom('drop', 'reset', 'wait'),
  }),
  capacity: fc.integer({ min: 1, max: 20 }),
});

interface Step {
  /** ms since the step before. */
  readonly after: number;
  readonly does: 'outbound' | 'inbound' | 'map' | 'unmap' | 'reboot' | 'rebind' | 'readdress';
  readonly packet: Packet;
}

const insiders = fc.constantFrom(...[2, 3].flatMap((host) => [1, 2].map((port) => endpoint(`10.0.0.${host}`, port))));
const strangers = fc.constantFrom(
  ...[1, 2].flatMap((host) => [80, 81].map((port) => endpoint(`203.0.113.${host}`, port))),
);
const externals = fc.constantFrom(...POOL.flatMap((address) => [5000, 5003].map((port) => endpoint(address, port))));
const anyEnd = fc.oneof(insiders, strangers, externals);
const flags = fc.record({ syn: fc.boolean(), ack: fc.boolean(), fin: fc.boolean(), rst: fc.boolean() });
const NOTHING = new Uint8Array(0);

const packets: fc.Arbitrary<Packet> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(anyEnd, anyEnd).map(([from, to]) => udpPacket(from, to, NOTHING)) },
  { weight: 4, arbitrary: fc.tuple(anyEnd, anyEnd, flags).map(([from, to, set]) => tcpPacket(from, to, set)) },
  fc
    .tuple(anyEnd, anyEnd)
    .map(([from, to]) => icmpPacket('10.0.0.9', udpPacket(from, to, NOTHING), 'port-unreachable')),
);

const steps: fc.Arbitrary<Step> = fc.record({
  after: fc.constantFrom(0, 0, 1, 100, 500),
  does: fc.constantFrom(
    ...([
      'outbound',
      'outbound',
      'outbound',
      'inbound',
      'inbound',
      'map',
      'unmap',
      'reboot',
      'rebind',
      'readdress',
    ] as const),
  ),
  packet: packets,
});

function run(nat: Nat, { does, packet }: Step, now: number): Ruling | undefined {
  switch (does) {
    case 'outbound':
    case 'inbound':
      return nat[does](packet, now);
    case 'map':
      nat.explicit.add({ protocol: 'udp', internal: packet.source, externalPort: 5003, lifetime: 700 }, now);
      return undefined;
    case 'unmap':
      for (const mapping of nat.explicit.list(now)) nat.explicit.remove(mapping, now);
      return undefined;
    case 'readdress':
      nat.readdress(packet.source.port % 2 === 0 ? POOL : POOL.slice(1), now);
      return undefined;
    case 'reboot':
    case 'rebind':
      nat[does](now);
      return undefined;
  }
}

function play(spec: NatSpec, seed: number, story: readonly Step[], check: (nat: Nat, now: number) => void): string {
  const nat = createNat(spec, seededRandom(seed));
  nat.readdress(POOL, 0);
  let now = 0;
  const trace = story.map((step) => {
    now += step.after;
    const ruling = run(nat, step, now);
    check(nat, now);
    return [ruling, nat.poll?.(now), nat.mappings(now)];
  });
  return JSON.stringify(trace);
}

test('tables stay within their capacity, whatever comes', () => {
  fc.assert(
    fc.property(specs, fc.array(steps, { maxLength: 60 }), (spec, story) => {
      play(spec, 1, story, (nat, now) => {
        const mappings = nat.mappings(now);
        expect(mappings.length).toBeLessThanOrEqual(nat.rules.capacity);
        expect(mappings.flatMap(({ remotes }) => remotes).length).toBeLessThanOrEqual(nat.rules.capacity);
      });
    }),
  );
});

test('no two mappings share an external endpoint, unless ports are reused; then not to one remote end, unless overloaded', () => {
  fc.assert(
    fc.property(specs, fc.array(steps, { maxLength: 60 }), (spec, story) => {
      play(spec, 1, story, (nat, now) => {
        const mappings = nat.mappings(now);
        if (spec.portReuse === 'none') {
          const taken = mappings.map(({ protocol, external }) => `${protocol} ${formatEndpoint(external)}`);
          expect(new Set(taken).size).toBe(taken.length);
        }
        if (spec.portReuse === 'overlapping') {
          const flows = mappings.flatMap(({ protocol, external, remotes }) =>
            remotes.map((remote) => `${protocol} ${formatEndpoint(external)} ${formatEndpoint(remote)}`),
          );
          expect(new Set(flows).size).toBe(flows.length);
        }
      });
    }),
  );
});

test('what is let in belongs to a mapping that stands, and nothing that was let out shows an internal address', () => {
  fc.assert(
    fc.property(specs, fc.array(steps, { maxLength: 60 }), (spec, story) => {
      const nat = createNat(spec, seededRandom(1));
      nat.readdress(POOL, 0);
      let now = 0;
      for (const step of story) {
        now += step.after;
        const ruling = run(nat, step, now);
        if (ruling?.action !== 'forward' || step.packet.protocol === 'icmp') continue;
        const { protocol, source, destination } = ruling.packet;
        const stands = (is: (mapping: { internal: Endpoint; external: Endpoint }) => boolean): boolean =>
          nat.mappings(now).some((mapping) => mapping.protocol === protocol && is(mapping));
        const isTranslated = destination !== step.packet.destination;
        if (step.does === 'inbound') {
          expect(
            stands(({ internal, external }) => internal === destination && same(external, step.packet.destination)),
          ).toBe(true);
        } else if (isTranslated) {
          expect(stands(({ internal }) => internal === destination)).toBe(true);
        } else {
          expect(POOL).toContain(source.address);
        }
      }
    }),
  );
});

test('the same seed gives the same rulings and tables, byte for byte', () => {
  fc.assert(
    fc.property(specs, fc.array(steps, { maxLength: 60 }), fc.integer(), (spec, story, seed) => {
      const once = play(spec, seed, story, () => {});
      expect(play(spec, seed, story, () => {})).toBe(once);
    }),
  );
});

function same(a: Endpoint, b: Endpoint): boolean {
  return formatEndpoint(a) === formatEndpoint(b);
}
