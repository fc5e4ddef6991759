import { describe, expect, it } from 'vitest';
import { natPmp } from '../../../src/adapters/port-mapper/nat-pmp.ts';
import { pcp } from '../../../src/adapters/port-mapper/pcp.ts';
import { upnpIgd } from '../../../src/adapters/port-mapper/upnp-igd/index.ts';
import { createPortLeases } from '../../../src/leases/port-leases.ts';
import { formatPacketRecord, type GatewaySpec } from '../../../src/sim/index.ts';
import { type Home, home } from './home.ts';

const GATEWAYS: readonly (readonly [string, GatewaySpec])[] = [
  ['pcp', { upnp: 1, natPmp: true, pcp: true }],
  ['nat-pmp', { upnp: 1, natPmp: true }],
  ['upnp-igd', { upnp: 1 }],
];

/** Leases of the host, by all protocols. */
function leasesAt({ environmentOf, host }: Home) {
  return createPortLeases({ ...environmentOf(host), mappers: [pcp(), natPmp(), upnpIgd()] });
}

/** Ends of the mappings that the router has, in ms. */
function endsAt({ network, world }: Home): number[] {
  return network.gateway!.table.entries(world.clock.now()).map(({ until }) => until);
}

describe.each(GATEWAYS)('leases at a gateway that speaks %s', (via, gateway) => {
  it('are kept for ten hours, made again when it restarts, and released', async () => {
    const at = home(gateway, { link: { latency: 5 } });
    const { world } = at;
    const leases = leasesAt(at);
    const kept = [
      leases.keep({ protocol: 'udp', internalPort: 5000 }),
      leases.keep({ protocol: 'tcp', internalPort: 80 }),
    ];
    const made = await world.clock.runUntil(Promise.all(kept.map(({ ready }) => ready)));
    expect(made.map((mapping) => mapping.via)).toEqual([via, via]);

    let renewals = 0;
    for (const { state$ } of kept) state$.subscribe(({ state }) => (renewals += state === 'mapped' ? 1 : 0));
    const start = world.clock.now();
    for (let hour = 1; hour <= 10; hour++) {
      await world.clock.run(start + hour * 3_600_000);
      // An hour's lease is renewed when half of it to five eighths are over.
      for (const end of endsAt(at)) expect(end - world.clock.now()).toBeGreaterThan(3 * 450_000 - 15_000);
      expect(endsAt(at)).toHaveLength(2);
    }
    expect(renewals).toBeGreaterThanOrEqual(2 * 16);
    expect(renewals).toBeLessThanOrEqual(2 * 23);

    world.happen({ type: 'reboot', network: 'home', downFor: 20_000 });
    expect(endsAt(at)).toHaveLength(2);
    await world.clock.advance(20_000);
    await world.clock.advance(5_000);
    expect(endsAt(at)).toHaveLength(2);
    expect(kept.map(({ current }) => current.state)).toEqual(['mapped', 'mapped']);

    await world.clock.runUntil(leases.close());
    expect(endsAt(at)).toEqual([]);
    await world.clock.run();
    expect(world.clock.pending).toBe(0);
  });
});

describe.each(GATEWAYS)('what happens at a gateway that speaks %s', (_via, gateway) => {
  /** Two hours of leases on a bad link, with a restart and a new address, packet by packet. */
  async function run(seed: number): Promise<string> {
    const at = home(gateway, { seed, link: { latency: 3, jitter: 4, loss: 0.1 } });
    const { world } = at;
    const lines: string[] = [];
    world.watch((record) => lines.push(formatPacketRecord(record)));
    const leases = leasesAt(at);
    leases.keep({ protocol: 'udp', internalPort: 5000 });
    leases.keep({ protocol: 'tcp', internalPort: 80, lifetime: 600 });
    world.schedule(1_800_000, { type: 'reboot', network: 'home', downFor: 3_000 });
    world.schedule(3_600_000, { type: 'readdress', network: 'home' });
    await world.clock.advance(7_200_000);
    await world.clock.runUntil(leases.close());
    return lines.join('\n');
  }

  it('is the same with the same seed, packet by packet, and another with another', async () => {
    const runs = [await run(1), await run(1), await run(2)];
    expect(runs[1] === runs[0]).toBe(true);
    expect(runs[2] === runs[0]).toBe(false);
    expect(runs[0]!.split('\n').length).toBeGreaterThan(100);
  });
});
