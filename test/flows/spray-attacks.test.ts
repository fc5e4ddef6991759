import { describe, expect, test } from 'vitest';
import { endpoint, formatEndpoint } from '../../src/core/endpoint.ts';
import { pause } from '../../src/core/pause.ts';
import type { Json } from '../../src/core/strategy.ts';
import { defineFlow, defineStrategy, type Flow, interfaces, relay, stun } from '../../src/flows/index.ts';
import { CHECK_BUDGET } from '../../src/protocol/ice/check-budget.ts';
import { PROBE_BUDGET } from '../../src/protocol/spray/index.ts';
import { type DialOutcome, homes, runScenario, type Scenario } from '../../src/scenario/index.ts';
import type { HostPlan, NatSpec } from '../../src/sim/index.ts';
import { natOfKind } from '../../src/testing/matrix/nat-kind.ts';
import { guessing } from './sprayed-homes.ts';

/** Somebody on the internet who has nothing to do with any of this. */
const VICTIM = endpoint('192.0.2.77', 5000);
/** What a side says of itself that opens sockets. */
const OPENER = { mapping: 'address-and-port-dependent', filtering: 'unknown' };
const VICTIM_HOST: HostPlan = {
  name: 'victim',
  interfaces: [{ network: 'internet', addresses: [VICTIM.address], link: {} }],
};

/** Says that it sprays, or predicts, and names what it likes; in the session, as it has the ticket. */
function lying(name: 'spray' | 'predict', params: Json, { asCandidate = false } = {}): Flow {
  const lie = defineStrategy({
    name,
    gives: 'direct',
    bounds: { time: 20_000, packets: 0, sockets: 0 },
    twoSided: { version: 1, vouched: true },
    async run({ env }) {
      await env.agree(params);
      // Lets the other side do its part.
      await pause(env.clock, 3_000, env.signal);
      return { ok: false, reason: 'it was a lie' };
    },
  });
  const claim = defineStrategy({
    name: 'claim',
    gives: 'candidates',
    bounds: { time: 1_000, packets: 0, sockets: 0 },
    async run({ env }) {
      env.announce(VICTIM, 'srflx');
      return { ok: true };
    },
  });
  const discover = asCandidate ? ([claim, interfaces(), stun()] as const) : ([interfaces(), stun()] as const);
  return defineFlow({ discover, punch: lie, fallback: relay() });
}

/** What came of dials by attackers at a listener behind EI/APD, and how many packets the listener sent to the victim. */
async function attack(
  flow: Flow,
  { nat = {}, times = 1 }: { readonly nat?: NatSpec; readonly times?: number } = {},
): Promise<{ readonly dials: readonly DialOutcome[]; readonly packets: number }> {
  const plan = homes({ a: natOfKind('APD/APD', nat), b: natOfKind('EI/APD'), seed: 1, mapping: false });
  const attackers = Array.from({ length: times }, (_, i) => `attacker ${i}`);
  const [server, host, listener] = plan.internet.hosts!;
  const scenario: Scenario = {
    internet: {
      ...plan.internet,
      hosts: [server!, listener!, VICTIM_HOST, ...attackers.map((name) => ({ ...host!, name }))],
    },
    peers: [
      { name: 'b', host: 'b', mapping: false, flow: 'guessing' },
      ...attackers.map((name) => ({ name, host: name, mapping: false, flow: 'lying' })),
    ],
    dials: attackers.map((from, i) => ({ at: 2_000 + 200 * i, from, to: 'b', lasts: 9_000 })),
  };
  let packets = 0;
  const outcome = await runScenario(scenario, {
    flows: { guessing, lying: flow },
    watch(event) {
      if (event.type !== 'packet' || event.record.fate !== 'sent' || event.record.place !== 'b') return;
      if (event.record.packet.destination.address === VICTIM.address) packets++;
    },
  });
  return { dials: outcome.dials, packets };
}

function attemptsOf({ listener }: DialOutcome, strategy: string): readonly string[] {
  return listener!.verdict!.attempts.filter((one) => one.strategy === strategy).map(({ reason }) => reason);
}

describe('whoever is in the session cannot aim a peer at somebody else', () => {
  test('by a spray at an address that is none of his candidates: not a packet goes there', async () => {
    const flow = lying('spray', { at: [formatEndpoint(VICTIM)], ...OPENER, lasts: 1000 });
    const { dials, packets } = await attack(flow);
    expect(packets).toBe(0);
    expect(attemptsOf(dials[0]!, 'spray')).toContain('the other side names no address that it has told as a candidate');
  });

  test('by a prediction of such an address: not a packet goes there', async () => {
    const params = { address: VICTIM.address, last: 5000, step: 1, isPerPort: true };
    const { dials, packets } = await attack(lying('predict', params), { nat: { portAllocation: { sequential: 1 } } });
    expect(packets).toBe(0);
    expect(attemptsOf(dials[0]!, 'predict').join()).toContain('which is no address of its candidates');
  });

  test.each([
    ['nothing', null],
    ['nothing of its NAT', { at: [formatEndpoint(VICTIM)], lasts: 0 }],
    ['a time without end', { at: [formatEndpoint(VICTIM)], ...OPENER, lasts: 1e9 }],
    ['no endpoints', { at: ['example.org:80', 7, null], ...OPENER, lasts: 0 }],
    ['loopback', { at: ['127.0.0.1:80'], ...OPENER, lasts: 0 }],
  ])('by saying %s', async (_, params) => {
    const { dials, packets } = await attack(lying('spray', params as Json));
    expect(packets).toBe(0);
    expect(dials[0]!.outcome).toBe('relayed');
  });

  test('who tells it as his candidate, too, gets a bounded number of packets there, however many he is', async () => {
    const flow = lying('spray', { at: [formatEndpoint(VICTIM)], ...OPENER, lasts: 1000 }, { asCandidate: true });
    const one = await attack(flow);
    const four = await attack(flow, { times: 4 });
    expect(one.packets).toBeGreaterThan(1000);
    for (const { packets } of [one, four])
      expect(packets).toBeLessThanOrEqual(PROBE_BUDGET.address + CHECK_BUDGET.host);
  });
});
