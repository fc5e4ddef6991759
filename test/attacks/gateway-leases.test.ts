import { describe, expect, it, onTestFinished } from 'vitest';
import { natPmp } from '../../src/adapters/port-mapper/nat-pmp.ts';
import { pcp } from '../../src/adapters/port-mapper/pcp.ts';
import { upnpIgd } from '../../src/adapters/port-mapper/upnp-igd/index.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import type { PortLease } from '../../src/core/port-lease.ts';
import type { PortMapperFactory } from '../../src/core/port-mapper.ts';
import { createPortLeases } from '../../src/leases/port-leases.ts';
import { encodeNatPmpResponse } from '../../src/protocol/natpmp/index.ts';
import { encodePcpResponse } from '../../src/protocol/pcp/index.ts';
import { dripping } from './gateway-answers.ts';
import { GATEWAY, type GatewayWorld, gatewayWorld, REQUEST, withinCost } from './gateway-world.ts';

/** Where PCP and NAT-PMP are spoken. */
const SERVER = endpoint(GATEWAY, 5351);

/** `at` has the offsets of an answer (RFC 6886 section 3.3, RFC 6887 sections 7.2 and 11.1). */
const PROTOCOLS = [
  {
    name: 'nat-pmp',
    factory: natPmp(),
    at: { epoch: 4, port: 10, lifetime: 12 },
    announcement: (epoch: number) =>
      encodeNatPmpResponse({ type: 'external-address', epoch, externalAddress: '11.0.0.1' }),
  },
  {
    name: 'pcp',
    factory: pcp(),
    at: { epoch: 8, port: 42, lifetime: 4 },
    announcement: (epoch: number) =>
      encodePcpResponse({
        type: 'answer',
        result: 0,
        lifetime: 0,
        epoch,
        payload: { opcode: 'ANNOUNCE' },
        options: [],
      }),
  },
] as const;

/** A lease that ends with the test, while which the clock may stand still. */
function keep(world: GatewayWorld, ...mappers: PortMapperFactory[]): PortLease {
  const leases = createPortLeases({ ...world.environment, mappers });
  onTestFinished(() => world.drive(leases.close()));
  return leases.keep(REQUEST);
}

/** Requests to the gateway for a mapping, by either protocol. */
function asked({ udp }: GatewayWorld): number {
  return udp.requests.filter((request) => request !== 'natpmp external-address').length;
}

/** Lets time pass as the event loop turns, so that what goes over TCP comes about. */
function turn(world: GatewayWorld, ms: number): Promise<void> {
  return world.drive(new Promise((resolve) => void world.clock.setTimeout(resolve, ms)));
}

describe('a gateway that keeps a lease busy', () => {
  it.each(PROTOCOLS)(
    'of $name by announcing a restart every 50 ms is asked once in 10 s',
    async ({ factory, announcement }) => {
      const world = await gatewayWorld();
      await world.drive(keep(world, factory).ready);
      await withinCost(async () => {
        for (let i = 0; i < 2_000; i++) {
          world.forge(announcement(i % 2 === 0 ? 1_000_000 : 0), SERVER);
          await world.pass(50);
        }
      });
      expect(asked(world)).toBeGreaterThan(5);
      expect(asked(world)).toBeLessThanOrEqual(12);
    },
  );

  it.each(PROTOCOLS)(
    'of $name by another clock in each answer is asked no more than once in 10 s',
    async ({ factory, at }) => {
      const world = await gatewayWorld();
      let epoch = 2 ** 31;
      world.udp.alter = (answer) => {
        epoch -= 100_000;
        answer.writeUInt32BE(epoch, at.epoch);
        if (answer.length > at.lifetime) answer.writeUInt32BE(120, at.lifetime);
        return [answer];
      };
      await world.drive(keep(world, factory).ready);
      await withinCost(() => world.pass(600_000));
      expect(asked(world)).toBeGreaterThan(7);
      expect(asked(world)).toBeLessThanOrEqual(61);
    },
  );

  it.each(PROTOCOLS)('of $name by leases of 1 s is asked once in 4 s', async ({ factory, at }) => {
    const world = await gatewayWorld();
    world.udp.alter = (answer) => {
      if (answer.length > at.lifetime) answer.writeUInt32BE(1, at.lifetime);
      return [answer];
    };
    await world.drive(keep(world, factory).ready);
    await withinCost(() => world.pass(100_000));
    expect(asked(world)).toBeGreaterThan(15);
    expect(asked(world)).toBeLessThanOrEqual(27);
  });

  it.each(PROTOCOLS)('of $name by another port in each answer tells one port in 4 s', async ({ factory, at }) => {
    const world = await gatewayWorld();
    let port = 6_000;
    world.udp.alter = (answer) => {
      if (answer.length > at.lifetime) answer.writeUInt32BE(8, at.lifetime);
      if (answer.length > at.port) answer.writeUInt16BE(++port, at.port);
      return [answer];
    };
    const lease = keep(world, factory);
    const told = new Set<number>();
    lease.state$.subscribe((state) => state.state === 'mapped' && told.add(state.mapping.external.port));
    await world.drive(lease.ready);
    await withinCost(() => world.pass(100_000));
    expect(told.size).toBeGreaterThan(15);
    expect(told.size).toBeLessThanOrEqual(26);
  });

  it.each(PROTOCOLS)(
    'of $name by refusing every renewal is asked ever more seldom',
    async ({ factory, announcement }) => {
      const world = await gatewayWorld();
      await world.drive(keep(world, factory).ready);
      world.udp.result = 2;
      world.forge(announcement(1_000_000), SERVER);
      world.forge(announcement(0), SERVER);
      await withinCost(() => world.pass(3_600_000));
      expect(asked(world)).toBeGreaterThan(5);
      expect(asked(world)).toBeLessThanOrEqual(30);
    },
  );

  it('by forgetting each mapping of UPnP is asked once in 10 s', async () => {
    const world = await gatewayWorld();
    await world.drive(keep(world, upnpIgd()).ready);
    await withinCost(async () => {
      for (let i = 0; i < 60; i++) {
        world.igd.table.length = 0;
        world.igd.bootId = String(i);
        await turn(world, 500);
      }
    });
    expect(world.igd.asked.filter((action) => action === 'AddPortMapping').length).toBeLessThanOrEqual(5);
  });
});

describe('a gateway that is hostile by one protocol', () => {
  it.each<[string, (world: GatewayWorld) => void]>([
    ['silent over HTTP', ({ igd }) => void Object.assign(igd, { intercept: () => true })],
    [
      'as good as silent over HTTP',
      ({ igd }) => {
        igd.intercept = (_request, response) => {
          void dripping(response);
          return true;
        };
      },
    ],
    [
      'telling nonsense over HTTP',
      ({ igd }) => void Object.assign(igd, { description: () => '<root>'.repeat(10_000) }),
    ],
  ])('%s has its mapping made by PCP', async (_what, attack) => {
    const world = await gatewayWorld();
    attack(world);
    const lease = keep(world, upnpIgd(), pcp());
    await withinCost(async () => expect(await world.drive(lease.ready)).toMatchObject({ via: 'pcp' }));
    await turn(world, 5_000);
    expect(lease.current).toMatchObject({ state: 'mapped', mapping: { via: 'pcp' } });
    expect(world.udp.table).toHaveLength(1);
  });

  it.each<[string, (world: GatewayWorld) => void]>([
    ['silent over UDP', ({ udp }) => void Object.assign(udp, { silent: true })],
    [
      'telling nonsense over UDP',
      ({ udp }) => void Object.assign(udp, { alter: (answer: Buffer) => [answer.subarray(1)] }),
    ],
    ['refusing over UDP', ({ udp }) => void Object.assign(udp, { result: 2 })],
    ['granting no address over UDP', ({ udp }) => void Object.assign(udp, { externalAddress: '0.0.0.0' })],
  ])('%s has its mapping made by UPnP', async (_what, attack) => {
    const world = await gatewayWorld();
    attack(world);
    const lease = keep(world, pcp(), natPmp(), upnpIgd());
    await withinCost(async () => expect(await world.drive(lease.ready)).toMatchObject({ via: 'upnp-igd' }));
    await turn(world, 5_000);
    expect(world.udp.table).toEqual([]);
    expect(world.igd.table).toHaveLength(1);
  });

  it('and by all others is given up within 5 s with a reason for each', async () => {
    const world = await gatewayWorld();
    world.udp.silent = true;
    world.igd.intercept = () => true;
    const lease = keep(world, pcp(), natPmp(), upnpIgd());
    expect(await world.outcomes(lease.ready)).toEqual(['ERR_TIMEOUT']);
    expect(world.clock.now()).toBeLessThanOrEqual(5_100);
    const { current } = lease;
    const attempts = current.state === 'unavailable' ? current.attempts : [];
    expect(attempts.map(({ via, code }) => [via, code])).toEqual([
      ['pcp', 'ERR_MAPPING_UNAVAILABLE'],
      ['nat-pmp', 'ERR_MAPPING_UNAVAILABLE'],
      ['upnp-igd', 'ERR_TIMEOUT'],
    ]);
  });
});
