import { describe, expect, it } from 'vitest';
import { endpoint, formatEndpoint } from '../../src/core/endpoint.ts';
import { pause } from '../../src/core/pause.ts';
import { defineFlow, defineStrategy, type Flow, interfaces, relay, stun } from '../../src/flows/index.ts';
import { PROBE_BUDGET, PROBE_PERIOD } from '../../src/protocol/spray/index.ts';
import { homes, runScenario } from '../../src/scenario/index.ts';
import { natOfKind } from '../../src/testing/matrix/nat-kind.ts';
import { guessing } from '../flows/sprayed-homes.ts';

const ATTACKERS = 4;
/** Of the hosts of one network, which have nothing to do with any of this, each attacker names four. */
const NETWORK = '192.0.2.';
const PORT = 5_000;

/** Tells hosts of others as candidates of its own, and proposes to be sprayed there, as soon as the attackers before it are done. */
function lying(nth: number): Flow {
  const at = [1, 2, 3, 4].map((n) => endpoint(`${NETWORK}${4 * nth + n}`, PORT));
  const lie = defineStrategy({
    name: 'spray',
    gives: 'direct',
    bounds: { time: 60_000, packets: 0, sockets: 0 },
    twoSided: { version: 1, vouched: true },
    async run({ env }) {
      await env.authenticated;
      await pause(env.clock, Math.max(0, 12_000 + 2_500 * nth - env.clock.now()), env.signal);
      const behavior = { mapping: 'address-and-port-dependent', filtering: 'unknown' };
      await env.agree({ at: at.map(formatEndpoint), ...behavior, lasts: 0 });
      // Lets the other side do its part.
      await pause(env.clock, 2_400, env.signal);
      return { ok: false, reason: 'it was a lie' };
    },
  });
  const claim = defineStrategy({
    name: 'claim',
    gives: 'candidates',
    bounds: { time: 1_000, packets: 0, sockets: 0 },
    async run({ env }) {
      for (const address of at) env.announce(address, 'srflx');
      return { ok: true };
    },
  });
  return defineFlow({ discover: [claim, interfaces(), stun()], punch: lie, fallback: relay() });
}

describe('those who have a peer guess ports', () => {
  it('aim a bounded number of probes at a network, however many addresses of it they name, and leave enough to others', async () => {
    const { internet, ...plan } = homes({ a: natOfKind('APD/APD'), b: natOfKind('EI/APD'), seed: 1, mapping: false });
    const [server, dialer, listener] = internet.hosts!;
    const attackers = Array.from({ length: ATTACKERS }, (_, nth) => `attacker ${nth}`);
    const probes: number[] = [];
    const { dials } = await runScenario(
      {
        ...plan,
        internet: {
          ...internet,
          hosts: [server!, dialer!, listener!, ...attackers.map((name) => ({ ...dialer!, name }))],
        },
        peers: [
          { name: 'a', host: 'a', mapping: false, flow: 'guessing' },
          { name: 'b', host: 'b', mapping: false, flow: 'guessing' },
          ...attackers.map((name, nth) => ({ name, host: name, mapping: false, flow: `lying ${nth}` })),
        ],
        dials: [
          ...attackers.map((from, nth) => ({ at: 2_000 + 100 * nth, from, to: 'b', lasts: 22_000 })),
          { at: 24_000, from: 'a', to: 'b' },
        ],
      },
      {
        flows: { guessing, ...Object.fromEntries(attackers.map((_, nth) => [`lying ${nth}`, lying(nth)])) },
        watch(event) {
          if (event.type !== 'packet' || event.record.fate !== 'sent' || event.record.place !== 'b') return;
          const { address, port } = event.record.packet.destination;
          // The checks of ICE go to the port that was told.
          if (address.startsWith(NETWORK) && port !== PORT) probes.push(event.record.at);
        },
      },
    );
    expect(probes.length).toBeGreaterThan(PROBE_BUDGET.address);
    const most = Math.max(...probes.map((from) => probes.filter((t) => t >= from && t < from + PROBE_PERIOD).length));
    expect(most).toBeLessThanOrEqual(PROBE_BUDGET.network);
    const { outcome, path } = dials.at(-1)!;
    expect([outcome, path?.strategy]).toEqual(['direct', 'spray']);
  });
});
