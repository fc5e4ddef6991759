import { describe, expect, it } from 'vitest';
import { checks, defineFlow, interfaces, race, relay, stun, tcpSimultaneousOpen } from '../../src/flows/index.ts';
import { type DialOutcome, homes, runScenario, type Scenario } from '../../src/scenario/index.ts';
import type { FirewallSpec, NatSpec, NetworkSpec } from '../../src/sim/index.ts';

const NO_UDP: FirewallSpec = { outbound: [{ protocol: 'tcp', ports: 'any' }] };
const DROPS: NatSpec = { tcp: { unsolicitedSyn: 'drop' } };
const RESETS: NatSpec = { tcp: { unsolicitedSyn: 'reset' } };
const APD: NatSpec = { mapping: 'address-and-port-dependent' };

const discover = [interfaces(), stun()] as const;
const punch = race([checks(), tcpSimultaneousOpen()], { stagger: 400 });
const flow = defineFlow({ discover, punch, fallback: relay() });
const direct = defineFlow({ discover, punch, policy: 'direct-only' });

const site = (nat: NatSpec, firewall: FirewallSpec | undefined): readonly NetworkSpec[] => [
  { nat, ...(firewall && { firewall }) },
];

/** Runs a scenario of two homes with a flow, of which nothing is left afterwards. */
async function meet(scenario: Scenario, flows = { flow }): Promise<DialOutcome> {
  const peers = scenario.peers.map((peer) => ({ ...peer, flow: 'flow' }));
  const outcome = await runScenario({ ...scenario, peers }, { flows });
  expect(outcome.leftOver).toEqual({ timers: 0, sockets: 0 });
  return outcome.dials[0]!;
}

describe('TCP simultaneous open in a flow', () => {
  it.each<[string, readonly NetworkSpec[], readonly NetworkSpec[]]>([
    ['no UDP on both sides', site(DROPS, NO_UDP), site(DROPS, NO_UDP)],
    ['no UDP here', site(DROPS, NO_UDP), site(DROPS, undefined)],
    ['no UDP there', site(DROPS, undefined), site(DROPS, NO_UDP)],
    ['NATs that answer with RST', site(RESETS, NO_UDP), site(RESETS, NO_UDP)],
  ])('makes a direct path over TCP: %s', async (_what, a, b) => {
    const dial = await meet(homes({ a, b }));
    expect(dial.outcome).toBe('direct');
    expect(dial.path).toMatchObject({ transport: 'tcp', strategy: 'tcp-simultaneous-open' });
    expect(dial.listener?.verdict?.outcome).toBe('direct');
  });

  it('does so before there is a session, in envelopes, where relays are not wanted', async () => {
    const dial = await meet(homes({ a: site(DROPS, NO_UDP), b: site(DROPS, NO_UDP) }), { flow: direct });
    expect(dial.outcome).toBe('direct');
    expect(dial.path).toMatchObject({ transport: 'tcp', strategy: 'tcp-simultaneous-open' });
  });

  it('leaves a pair relayed whose NAT maps by destination', async () => {
    const dial = await meet(homes({ a: site(APD, NO_UDP), b: site(DROPS, NO_UDP) }));
    expect(dial.outcome).toBe('relayed');
  });

  it('opens nothing where UDP works', async () => {
    const dial = await meet(homes({ a: {}, b: {} }));
    expect(dial.path).toMatchObject({ transport: 'udp', strategy: 'checks' });
  });
});
