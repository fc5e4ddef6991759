import { expect, test } from 'vitest';
import { readFirewallSpec } from '../../src/sim/firewall-spec.ts';
import { readGatewaySpec } from '../../src/sim/gateway/gateway-spec.ts';
import { internet } from '../../src/sim/internet.ts';
import { readNatSpec } from '../../src/sim/nat/nat-spec.ts';
import { type Forecast, forecast } from '../../src/sim/oracle/forecast.ts';
import type { TopologyNetwork } from '../../src/sim/oracle/topology.ts';
import { type PresetName, type PresetNetwork, presets } from '../../src/sim/presets.ts';
import { NATS } from '../lab/net/nat.ts';
import { simulatedRouter } from '../lab/net/simulated-nat.ts';

const names = Object.keys(presets) as PresetName[];

test.each(names)('%s is valid, plain data', (name) => {
  expect(JSON.parse(JSON.stringify(presets[name]))).toEqual(presets[name]);
  for (const [i, { nat, firewall, gateway }] of presets[name].networks.entries()) {
    if (nat !== undefined) expect(readNatSpec(nat, `${name}[${i}].nat`)).toMatchObject(nat);
    if (firewall !== undefined) expect(readFirewallSpec(firewall, `${name}[${i}].firewall`)).toMatchObject(firewall);
    if (gateway !== undefined) expect(readGatewaySpec(gateway, `${name}[${i}].gateway`)).toMatchObject(gateway);
  }
});

test.each(names)('%s can be built as it is', (name) => {
  const chain = chainOf(name, 'a');
  const world = internet({ seed: 1, networks: chain });
  expect(world.plan.networks).toMatchObject(chain);
  expect(world.networks.map(({ gateway }) => gateway !== undefined)).toEqual(
    chain.map(({ gateway }) => gateway !== undefined),
  );
});

test.each(['linux', 'hotel-wifi'] as const)('%s binds flows as netfilter does in the kernel laboratory', (name) => {
  const [{ nat: preset }] = presets[name].networks as readonly [PresetNetwork];
  const { nat: measured } = simulatedRouter(NATS['EI/APD']);
  const [rules, truth] = [preset, measured].map((nat) => readNatSpec(nat, 'nat'));
  for (const rule of ['pinning', 'clashes', 'refresh', 'udp', 'tcp', 'hairpin'] as const) {
    expect(rules![rule], rule).toEqual(truth![rule]);
  }
});

test('what each pair of presets comes to', () => {
  const table = Object.fromEntries(
    names.map((a, i) => [a, Object.fromEntries(names.slice(i).map((b) => [b, between(a, b).best]))]),
  );
  expect(table).toEqual({
    public: {
      public: 'host',
      'home-router': 'host',
      linux: 'host',
      carrier: 'host',
      'hotel-wifi': 'host',
      'corporate-firewall': 'relay',
      'mobile-network': 'host',
    },
    'home-router': {
      'home-router': 'mapped',
      linux: 'mapped',
      carrier: 'mapped',
      'hotel-wifi': 'mapped',
      'corporate-firewall': 'relay',
      'mobile-network': 'mapped',
    },
    linux: {
      linux: 'reflexive',
      carrier: 'reflexive',
      'hotel-wifi': 'spray',
      'corporate-firewall': 'relay',
      'mobile-network': 'spray',
    },
    carrier: {
      carrier: 'reflexive',
      'hotel-wifi': 'mapped',
      'corporate-firewall': 'relay',
      'mobile-network': 'mapped',
    },
    'hotel-wifi': { 'hotel-wifi': 'relay', 'corporate-firewall': 'relay', 'mobile-network': 'relay' },
    'corporate-firewall': { 'corporate-firewall': 'relay', 'mobile-network': 'relay' },
    'mobile-network': { 'mobile-network': 'relay' },
  });
});

function between(a: PresetName, b: PresetName): Forecast {
  const chainOfA = chainOf(a, 'a');
  const chainOfB = chainOf(b, 'b');
  const hosts = [
    { name: 'a', interfaces: [{ network: chainOfA.at(-1)?.name ?? 'internet' }] },
    { name: 'b', interfaces: [{ network: chainOfB.at(-1)?.name ?? 'internet' }] },
  ];
  return forecast({ networks: [...chainOfA, ...chainOfB], hosts }, 'a', 'b');
}

/** The networks of a preset, each below the one before. */
function chainOf(name: PresetName, side: string): TopologyNetwork[] {
  return presets[name].networks.map((network, i) => ({
    ...network,
    name: `${side}${i}`,
    above: i === 0 ? 'internet' : `${side}${i - 1}`,
  }));
}
