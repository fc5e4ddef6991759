import { describe, expect, it } from 'vitest';
import { pcp } from '../../src/adapters/port-mapper/pcp.ts';
import { createPortLeases, type Environment, type PortLeases } from '../../src/index.ts';
import { simEnvironment } from '../../src/scenario/index.ts';
import { internet } from '../../src/sim/index.ts';
import { mappingOf } from '../fake-leases.ts';

describe('simEnvironment', () => {
  it('gives a peer the network of its host and the time of the internet', () => {
    const world = internet({ seed: 1 });
    const env = simEnvironment(world.host('alice', { addresses: ['203.0.113.9'] }), { servers: ['ws://meet:8790'] });
    expect(env.clock).toBe(world.clock);
    expect(env.network.interfaces().map(({ address }) => address)).toContain('203.0.113.9');
    expect(env).toMatchObject({ servers: ['ws://meet:8790'], stun: [], loopback: false });
  });

  it('has chance of its own, which others do not change', () => {
    const draw = (others: readonly string[], name?: string): string => {
      const world = internet({ seed: 1 });
      for (const other of others) simEnvironment(world.host(other)).random.bytes(8);
      const { random, newIdentity } = simEnvironment(world.host('alice'), { name });
      return Buffer.concat([random.bytes(8), newIdentity().publicKey]).toString('hex');
    };
    expect(draw(['stranger'])).toBe(draw([]));
    expect(draw([], 'second')).not.toBe(draw([]));
  });

  it('has other chance and keys on another host, whatever its name', () => {
    const world = internet({ seed: 1 });
    const [one, other] = ['alice', 'bob'].map((host) => simEnvironment(world.host(host), { name: 'peer' }));
    expect(one!.random.bytes(8)).not.toEqual(other!.random.bytes(8));
    expect(one!.newIdentity().publicKey).not.toEqual(other!.newIdentity().publicKey);
  });

  it('started again has its keys, and chance that was not there before', () => {
    const alice = internet({ seed: 1 }).host('alice');
    const [first, again] = [simEnvironment(alice), simEnvironment(alice)];
    expect(again.random.bytes(8)).not.toEqual(first.random.bytes(8));
    const keys = [first, first, again, again].map(({ newIdentity }) => Buffer.from(newIdentity().publicKey).toString());
    expect(keys.slice(2)).toEqual(keys.slice(0, 2));
    expect(keys[0]).not.toBe(keys[1]);
  });

  it('asks no gateway where it is told so', () => {
    const host = internet({ seed: 1 }).host('alice');
    expect(simEnvironment(host, { mapping: false }).mappers).toEqual([]);
    expect(simEnvironment(host, { mapping: [pcp()] }).mappers).toHaveLength(1);
    expect(simEnvironment(host).mappers).toHaveLength(3);
  });

  it('keeps ports mapped at the gateway, and ends what a program that was killed has left', async () => {
    const world = internet({ seed: 1 });
    const home = world.nat('home', {}, { gateway: { natPmp: true } });
    const alice = home.host('alice');
    const external = (): string[] =>
      home
        .translator!.mappings(world.clock.now())
        .flatMap(({ isExplicit, external: { port } }) => (isExplicit ? [`${port}`] : []));

    const killed = leasesOf(simEnvironment(alice));
    await world.clock.runUntil(killed.keep({ protocol: 'udp', internalPort: 4000 }).ready);
    expect(external()).toEqual(['4000']);
    world.happen({ type: 'restart', host: 'alice' });

    const next = leasesOf(simEnvironment(alice, { name: 'next' }));
    await world.clock.runUntil(next.keep({ protocol: 'udp', internalPort: 5000 }).ready);
    await world.clock.advance(1_000);
    expect(external()).toEqual(['5000']);
    await world.clock.runUntil(next.close());
    expect(external()).toEqual([]);
  });

  it('leaves to the next program what a peer could not release', async () => {
    const world = internet({ seed: 1 });
    const alice = world.nat('home', {}, { gateway: { natPmp: true } }).host('alice');
    const journals = [simEnvironment(alice), simEnvironment(alice)].map(({ leaseJournal }) => leaseJournal!());
    const mapping = mappingOf({ protocol: 'udp', internalPort: 4000 });
    await journals[0]!.note('a', mapping);
    expect(await journals[1]!.takeLeftovers()).toEqual([]);
    journals[0]!.close!();
    expect(await journals[1]!.takeLeftovers()).toEqual([mapping]);
  });
});

/** As a peer opens them. */
function leasesOf({ network, clock, random, log, mappers, leaseJournal }: Environment): PortLeases {
  return createPortLeases({ network, clock, random, log, mappers: mappers!, journal: leaseJournal!() });
}
