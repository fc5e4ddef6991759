import { describe, expect, it } from 'vitest';
import { type DialOutcome, type HomesOptions, homes, type Outcome, runScenario } from '../../src/scenario/index.ts';
import type { FirewallSpec, NatSpec, NetworkSpec, PresetName } from '../../src/sim/index.ts';

const EI_EI: NatSpec = { filtering: 'endpoint-independent' };
const EI_AD: NatSpec = { filtering: 'address-dependent' };
const APD_APD: NatSpec = { mapping: 'address-and-port-dependent' };
const TCP_ONLY: FirewallSpec = { outbound: [{ protocol: 'tcp', ports: 'any' }] };
const NO_UDP: readonly NetworkSpec[] = [{ nat: {}, firewall: TCP_ONLY }];
const NOTHING: readonly NetworkSpec[] = [{ nat: {}, firewall: { outbound: [] } }];
const carrier = (hairpin: NonNullable<NatSpec['hairpin']>): readonly NetworkSpec[] => [
  { nat: { ...EI_EI, hairpin }, ipv4: '100.64.0.0/10', isolated: true },
];
const ipv6 = (nat: NatSpec): readonly NetworkSpec[] => [{ nat, ipv6: true, firewall: { families: [6] } }];

/** Runs a scenario of two homes, of which nothing is left afterwards. */
async function meet(options: HomesOptions): Promise<{ outcome: Outcome; dial: DialOutcome }> {
  const outcome = await runScenario(homes(options));
  expect(outcome.leftOver).toEqual({ timers: 0, sockets: 0 });
  return { outcome, dial: outcome.dials[0]! };
}

describe('presets', () => {
  /** What the default flow does today: no prediction, no spray, no TURN. */
  const OUTCOMES: Readonly<Record<string, string>> = {
    'public x public': 'direct udp',
    'public x home-router': 'direct udp',
    'public x linux': 'direct udp',
    'public x carrier': 'direct udp',
    'public x hotel-wifi': 'direct udp',
    'public x corporate-firewall': 'relayed websocket',
    'public x mobile-network': 'direct udp',
    'home-router x home-router': 'direct udp',
    'home-router x linux': 'direct udp',
    'home-router x carrier': 'direct udp',
    // By the mapping that the home router makes.
    'home-router x hotel-wifi': 'direct udp',
    'home-router x corporate-firewall': 'relayed websocket',
    'home-router x mobile-network': 'direct udp',
    'linux x linux': 'direct udp',
    'linux x carrier': 'direct udp',
    'linux x hotel-wifi': 'direct udp',
    'linux x corporate-firewall': 'relayed websocket',
    'linux x mobile-network': 'direct udp',
    'carrier x carrier': 'direct udp',
    'carrier x corporate-firewall': 'relayed websocket',
    'hotel-wifi x hotel-wifi': 'relayed websocket',
    'hotel-wifi x corporate-firewall': 'relayed websocket',
    'hotel-wifi x mobile-network': 'relayed websocket',
    'corporate-firewall x corporate-firewall': 'relayed websocket',
    'corporate-firewall x mobile-network': 'relayed websocket',
    'mobile-network x mobile-network': 'relayed websocket',
  };

  it.each(Object.entries(OUTCOMES))('%s: %s', async (pair, expected) => {
    const [a, b] = pair.split(' x ') as [PresetName, PresetName];
    for (const options of [
      { a, b },
      { a: b, b: a },
    ]) {
      const { dial } = await meet(options);
      expect(`${dial.outcome} ${dial.path?.transport}`).toBe(expected);
      expect(dial.listener?.verdict?.outcome).toBe(dial.outcome);
    }
  });
});

describe('the candidates that made the path', () => {
  it.each<[string, HomesOptions, string | undefined, string | undefined]>([
    ['one LAN', { a: [], b: [], shared: 'linux' }, 'host', 'host'],
    ['no NAT', { a: [], b: [] }, 'host', 'host'],
    ['IPv6 through firewalls, whatever the NATs do', { a: ipv6(APD_APD), b: ipv6(APD_APD) }, 'host', 'host'],
    ['EI/APD x EI/APD', { a: {}, b: {} }, 'srflx', 'srflx'],
    ['APD/APD x EI/EI', { a: APD_APD, b: EI_EI }, 'srflx', 'prflx'],
    ['EI/EI x APD/APD', { a: EI_EI, b: APD_APD }, 'prflx', 'srflx'],
    ['EI/AD x APD/APD', { a: EI_AD, b: APD_APD }, 'prflx', 'srflx'],
    ['APD/APD x a mapping', { a: APD_APD, b: 'home-router' }, 'mapped', 'prflx'],
    ['the same without asking for one, by a spray', { a: APD_APD, b: 'home-router', mapping: false }, 'srflx', 'prflx'],
    ['one carrier with hairpinning', { a: {}, b: {}, shared: carrier('external-source') }, 'srflx', 'srflx'],
    ['one carrier without', { a: {}, b: {}, shared: carrier('none') }, undefined, undefined],
  ])('%s', async (_, options, ofListener, ofDialer) => {
    const { dial } = await meet(options);
    expect(dial.dialer?.remoteType).toBe(ofListener);
    expect(dial.listener?.remoteType).toBe(ofDialer);
    expect(dial.outcome).toBe(ofListener === undefined ? 'relayed' : 'direct');
  });
});

describe('without UDP on one side', () => {
  it.each<[string, HomesOptions, string]>([
    ['the dialer, to a public host', { a: NO_UDP, b: [] }, 'direct tcp'],
    ['the listener, by a public host', { a: [], b: NO_UDP }, 'direct tcp'],
    ['the dialer, to a mapped port', { a: NO_UDP, b: 'home-router' }, 'direct tcp'],
    ['the dialer, to a NAT', { a: NO_UDP, b: EI_EI }, 'direct tcp'],
    ['the dialer, to a NAT that maps by destination', { a: NO_UDP, b: APD_APD }, 'relayed websocket'],
  ])('%s', async (_, options, expected) => {
    const { dial } = await meet(options);
    expect(`${dial.outcome} ${dial.path?.transport}`).toBe(expected);
  });
});

describe('without a way to the server', () => {
  it('of the dialer: its verdict says so', async () => {
    const { dial } = await meet({ a: NOTHING, b: [] });
    expect(dial).toMatchObject({ outcome: 'failed', ready: undefined, listener: undefined, pongs: [] });
    expect(dial.dialer?.verdict?.code).toBe('ERR_SERVER_UNREACHABLE');
    expect(dial.dialer?.stages.at(-1)).toEqual({ at: dial.settled, state: 'failed' });
  });

  it('of the listener: nobody can dial it', async () => {
    const { dial } = await meet({ a: [], b: NOTHING });
    expect(dial).toMatchObject({ outcome: 'failed', dialedAt: undefined, error: { code: 'ERR_SERVER_UNREACHABLE' } });
  });
});
