import { BehaviorSubject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { fromPromise } from 'xstate';
import { TraversalError } from '../../src/core/errors.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import type { PortLease } from '../../src/core/port-lease.ts';
import type { Facts } from '../../src/core/strategy.ts';
import {
  compose,
  defaultMap,
  defineStrategy,
  mySide,
  natPmp,
  pcp,
  race,
  retry,
  type Step,
  sequence,
  upnp,
  when,
  within,
} from '../../src/flows/index.ts';
import { type FakeMapper, fakeMapper } from '../adapters/port-mapper/fake-mapper.ts';
import { mappingOf } from '../fake-leases.ts';
import { type LeaseWorld, leaseWorldWith } from './lease-world.ts';

const refuse = (): never => {
  throw new TraversalError('ERR_MAPPING_REFUSED', 'no');
};
const silent = (): Promise<never> => new Promise(() => {});

/** Leases by a step of a flow. */
const leasesBy = (step: Step<'mapping'>, ...fakes: readonly FakeMapper[]): LeaseWorld =>
  leaseWorldWith({ map: compose('map', step, { ranked: true }) }, ...fakes);

/** What each strategy came to. */
function reasons({ current }: PortLease): readonly string[] {
  return 'attempts' in current ? current.attempts.map(({ via, reason }) => `${via}: ${reason}`) : [];
}

describe('a mapping by a flow', () => {
  it('is asked for in the order of the flow, whatever that of the mappers is', async () => {
    const [one, other] = [fakeMapper('pcp'), fakeMapper('upnp-igd')];
    const { keep, pass } = leasesBy(sequence([upnp(), pcp()]), one, other);
    other.answer = refuse;
    const lease = await keep();
    await pass(5_000);
    expect([other.calls, one.calls]).toEqual([['map udp 5000'], ['map udp 5000']]);
    expect(lease.current).toMatchObject({ state: 'mapped', mapping: { via: 'pcp' } });
    expect(reasons(lease)).toEqual(['upnp-igd: no', 'pcp: 203.0.113.9:5000 leads to 192.168.1.2:5000']);
  });

  it('is not asked for by mappers that the flow does not name', async () => {
    const [named, other] = [fakeMapper('pcp'), fakeMapper('nat-pmp')];
    named.answer = refuse;
    const lease = await leasesBy(pcp(), named, other).keep();
    expect(lease.current.state).toBe('unavailable');
    expect(other.calls).toEqual([]);
  });

  it('by a mapper that the environment does not have fails with that reason, and costs no time', async () => {
    const gateway = fakeMapper('upnp-igd');
    const { keep } = leasesBy(defaultMap, gateway);
    const lease = await keep();
    expect(lease.current.state).toBe('mapped');
    expect(reasons(lease)).toEqual([
      'pcp: the environment has no port mapper of that name',
      'nat-pmp: the environment has no port mapper of that name',
      'upnp-igd: 203.0.113.9:5000 leads to 192.168.1.2:5000',
    ]);
  });

  it('has the time that the flow gives it', async () => {
    const gateway = fakeMapper('pcp');
    gateway.answer = silent;
    const { keep, pass } = leasesBy(within(1_000, pcp()), gateway);
    const lease = await keep();
    await pass(999);
    expect(lease.current.state).toBe('mapping');
    await pass(1);
    expect(lease.current).toMatchObject({ state: 'unavailable', attempts: [{ via: 'pcp', code: 'ERR_TIMEOUT' }] });
    await expect(lease.ready).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
  });

  it('is asked for again before the lease gives up, where the flow says so', async () => {
    const gateway = fakeMapper('pcp');
    gateway.answer = () => {
      if (gateway.calls.length < 3) refuse();
    };
    const { keep, pass } = leasesBy(retry(pcp(), { times: 3, backoff: 100 }), gateway);
    const lease = await keep();
    for (let i = 0; i < 10; i++) await pass(50);
    expect(gateway.calls).toHaveLength(3);
    expect(lease.current.state).toBe('mapped');
  });

  it('is asked for by whom it was obtained by the last time first, in races', async () => {
    const [one, other] = [fakeMapper('pcp'), fakeMapper('nat-pmp')];
    one.answer = refuse;
    const { keep, pass } = leasesBy(race([pcp(), natPmp()], { stagger: 250 }), one, other);
    await keep();
    one.answer = () => {};
    other.answer = ({ call }) => (call === 'renew' ? refuse() : undefined);
    await pass(1_800_000);
    expect([one.calls.length, other.calls]).toEqual([1, ['map udp 5000', 'renew udp 5000', 'map udp 5000']]);
  });

  it('goes by what is known, as soon as that is known', async () => {
    const translated = { ...unknownBehavior, translated: true };
    const facts$ = new BehaviorSubject(factsWith(unknownBehavior));
    const gateway = fakeMapper('pcp');
    const map = compose('map', when(mySide({ translated: true }), pcp()));
    const { keep, pass } = leaseWorldWith({ map, facts$ }, gateway);
    const lease = await keep();
    expect(lease.current).toMatchObject({ state: 'unavailable', attempts: [{ via: 'pcp' }] });
    expect(gateway.calls).toEqual([]);
    facts$.next(factsWith(translated));
    await pass(10_000);
    expect(lease.current.state).toBe('mapped');
  });

  it('goes by what becomes known while it is being asked for', async () => {
    const facts$ = new BehaviorSubject(factsWith(unknownBehavior));
    const [first, second] = [fakeMapper('pcp'), fakeMapper('upnp-igd')];
    let answer = (): void => {};
    first.answer = () => new Promise((_, reject) => (answer = () => reject(new Error('no'))));
    const map = compose('map', sequence([pcp(), when(mySide({ translated: true }), upnp())]));
    const { keep, pass } = leaseWorldWith({ map, facts$ }, first, second);
    const lease = await keep();
    facts$.next(factsWith({ ...unknownBehavior, translated: true }));
    answer();
    await pass(0);
    expect(lease.current).toMatchObject({ state: 'mapped', mapping: { via: 'upnp-igd' } });
  });
});

describe('a mapping strategy of one’s own', () => {
  const strategy = (run: Parameters<typeof defineStrategy<'mapping'>>[0]['run']): Step<'mapping'> =>
    defineStrategy({ name: 'of-mine', gives: 'mapping', bounds: { time: 2_000, packets: 2, sockets: 1 }, run: run! });

  it('is one function', async () => {
    const [one, other] = [fakeMapper('pcp'), fakeMapper('upnp-igd')];
    const byTransport = strategy(async ({ env }) => {
      const mapper = env.mapper(env.request.protocol === 'tcp' ? 'upnp-igd' : 'pcp');
      return mapper === undefined ? { ok: false, reason: 'no mapper' } : { ok: true, mapping: await mapper.map() };
    });
    const { keep, pass } = leasesBy(byTransport, one, other);
    await keep();
    const lease = await keep({ protocol: 'tcp', internalPort: 80 });
    expect([one.calls, other.calls]).toEqual([['map udp 5000'], ['map tcp 80']]);
    expect(lease.current).toMatchObject({ attempts: [{ via: 'of-mine' }] });
    await pass(1_800_000);
    expect(other.calls).toEqual(['map tcp 80', 'renew tcp 80']);
  });

  it('keeps one of the mappings that it obtains, and the others are released', async () => {
    const [one, other] = [fakeMapper('pcp'), fakeMapper('upnp-igd')];
    one.grantPort = () => 6000;
    const both = strategy(async ({ env }) => {
      const [, second] = await Promise.all([env.mapper('pcp')!.map(), env.mapper('upnp-igd')!.map()]);
      return { ok: true, mapping: second };
    });
    const { keep, pass, journal } = leasesBy(both, one, other);
    const lease = await keep();
    await pass(0);
    expect(lease.current).toMatchObject({ state: 'mapped', mapping: { via: 'upnp-igd' } });
    expect([one.calls, one.table.size]).toEqual([['map udp 5000', 'release udp 5000'], 0]);
    expect([...journal.noted.values()]).toMatchObject([{ via: 'upnp-igd' }]);
  });

  it('that fails after it has obtained one has it released', async () => {
    const gateway = fakeMapper('pcp');
    const fickle = strategy(async ({ env }) => {
      await env.mapper('pcp')!.map();
      throw new TraversalError('ERR_MAPPING_CONFLICT', 'not to my liking');
    });
    const { keep, pass, journal } = leasesBy(fickle, gateway);
    const lease = await keep();
    await pass(0);
    expect(lease.current).toMatchObject({
      state: 'unavailable',
      attempts: [{ reason: 'not to my liking', code: 'ERR_MAPPING_CONFLICT' }],
    });
    expect([gateway.table.size, journal.noted.size]).toEqual([0, 0]);
  });

  it('cannot give a mapping that no mapper could renew', async () => {
    const forged = strategy(async ({ env: { request } }) => ({ ok: true, mapping: mappingOf(request) }));
    const { keep } = leasesBy(forged, fakeMapper('pcp'));
    const lease = await keep();
    expect(lease.current).toMatchObject({
      state: 'unavailable',
      attempts: [{ via: 'of-mine', reason: 'no port mapper of the environment has made the mapping that it gave' }],
    });
    await expect(lease.ready).rejects.toMatchObject({
      code: 'ERR_MAPPING_UNAVAILABLE',
      message: 'no port mapping: of-mine: no port mapper of the environment has made the mapping that it gave',
    });
  });

  it('is held to its bounds, and what it leaves open is closed', async () => {
    const seen: unknown[] = [];
    const careless = strategy(async ({ env }) => {
      const socket = await env.network.udp({ family: 4 });
      seen.push(
        env.stun,
        JSON.stringify({ env }),
        [1, 2, 3].map(() => socket.send(new Uint8Array(1), socket.local)),
      );
      await env.network.udp({ family: 4 }).catch(({ code }) => seen.push(code));
      return { ok: false, reason: 'gave up' };
    });
    const map = compose('map', careless);
    const { keep, network, logged } = leaseWorldWith({ map, stun: () => ['stun.example.org:3478'] });
    await keep();
    expect(seen).toEqual([['stun.example.org:3478'], '{"env":"env"}', [true, true, false], 'ERR_BUSY']);
    expect(network.open).toEqual([]);
    expect(logged).toContain('strategy.left-open');
  });
});

it('what a user has provided for a strategy stays', async () => {
  const gateway = fakeMapper('pcp');
  const map = compose('map', race([pcp()]));
  const provided = map.provide({
    actors: { pcp: fromPromise(async () => ({ ok: false as const, reason: 'stubbed', attempts: [] })) },
  });
  const lease = await leaseWorldWith({ map: provided }, gateway).keep();
  expect(lease.current.state).toBe('unavailable');
  expect(gateway.calls).toEqual([]);
});

function factsWith(mine: Facts['behaviors']['mine']): Facts {
  const behaviors = { mine, theirs: unknownBehavior };
  return { role: 'listener', policy: 'relay-first', local: [], remote: [], behaviors };
}
