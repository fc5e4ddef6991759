import { describe, expect, it } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { Deferred } from '../../src/core/deferred.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import { type ErrorCode, TraversalError } from '../../src/core/errors.ts';
import { silentLog } from '../../src/core/log.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import type { Mapping, MappingVia } from '../../src/core/port-mapper.ts';
import type { Facts } from '../../src/core/strategy.ts';
import { bindStrategies, mapper } from '../../src/flows/index.ts';
import { asMappingOutcome, mappingAttempts, mappingError } from '../../src/leases/mapping-outcome.ts';
import { MappingRuns } from '../../src/leases/mapping-runs.ts';
import { racedMappers } from '../../src/leases/raced-mappers.ts';
import { type FakeMapper, fakeMapper } from '../adapters/port-mapper/fake-mapper.ts';
import { memoryNetwork, settled } from '../adapters/port-mapper/memory-network.ts';
import { mappingOf } from '../fake-leases.ts';
import { manualClock } from '../manual-clock.ts';
import { seededRandom } from '../seeded-random.ts';

const behaviors = { mine: unknownBehavior, theirs: unknownBehavior };
const facts: Facts = { role: 'listener', policy: 'relay-first', local: [], remote: [], behaviors };

/** A race of fakes that answer when the test lets them; `prepare` is given each of them before. */
function race(names: readonly MappingVia[], prepare: (fake: FakeMapper) => void = () => {}) {
  const clock = manualClock();
  const world = { network: memoryNetwork(), clock, random: seededRandom(1), log: silentLog };
  const gateways = names.map((name) => ({
    fake: fakeMapper(name),
    answer: new Deferred<TraversalError | undefined>(),
  }));
  const started: string[] = [];
  for (const { fake, answer } of gateways) {
    prepare(fake);
    fake.answer = async () => {
      started.push(`${fake.name} ${clock.now()}`);
      const refusal = await answer.promise;
      if (refusal !== undefined) throw refusal;
    };
  }
  const late: [MappingVia, Mapping][] = [];
  const runs = new MappingRuns({
    request: { protocol: 'udp', internalPort: 5000 },
    mappers: gateways.map(({ fake }) => fake.factory(world)),
    world,
    stun: () => [],
    discard: (mapping, maker) => late.push([maker.name, mapping]),
  });
  const actor = createActor(bindStrategies(racedMappers(names), runs), { input: { id: 'lease', facts }, clock });
  const ending = toPromise(actor).then((given) => {
    const outcome = asMappingOutcome(given);
    const ended = runs.conclude(outcome.ok ? outcome.mapping : undefined);
    const attempts = mappingAttempts(outcome.attempts, ended.times, clock.now());
    return { ...ended, attempts, error: outcome.ok ? undefined : mappingError(attempts, outcome.reason) };
  });
  // Those that are aborted have no end.
  ending.catch(() => {});
  actor.start();
  const of = (name: MappingVia) => gateways.find(({ fake }) => fake.name === name)!;
  return {
    clock,
    /** How it was won, or why not. */
    ending,
    started,
    late,
    runs,
    abort() {
      actor.stop();
      runs.conclude(undefined);
    },
    fake: (name: MappingVia): FakeMapper => of(name).fake,
    grant(name: MappingVia): Promise<void> {
      of(name).answer.resolve(undefined);
      return settled();
    },
    refuse(name: MappingVia, code: ErrorCode, message = `${name}: no`): Promise<void> {
      of(name).answer.resolve(new TraversalError(code, message));
      return settled();
    },
  };
}

describe('the order of a race', () => {
  it('gives each 250 ms before the next, and stops with the first success', async () => {
    const { clock, started, grant, ending } = race(['pcp', 'nat-pmp', 'upnp-igd', 'nat-upnp']);
    clock.advance(600);
    expect(started).toEqual(['pcp 0', 'nat-pmp 250', 'upnp-igd 500']);
    await grant('nat-pmp');
    const { won, attempts, contested } = await ending;
    expect(won?.mapping).toMatchObject({ via: 'nat-pmp', external: endpoint('203.0.113.9', 5000) });
    expect([won?.maker.name, contested, clock.pending]).toEqual(['nat-pmp', true, 0]);
    expect(attempts).toEqual([
      { via: 'nat-pmp', reason: '203.0.113.9:5000 leads to 192.168.1.2:5000', startedAt: 250, endedAt: 600 },
      { via: 'pcp', reason: 'nat-pmp was faster', startedAt: 0, endedAt: 600 },
      { via: 'upnp-igd', reason: 'nat-pmp was faster', startedAt: 500, endedAt: 600 },
    ]);
  });

  it('asks nobody else where the first answers in time', async () => {
    const { clock, started, grant, ending } = race(['pcp', 'nat-pmp', 'upnp-igd']);
    clock.advance(249);
    await grant('pcp');
    expect(await ending).toMatchObject({ contested: false, attempts: [{ via: 'pcp' }] });
    expect([started, clock.pending]).toEqual([['pcp 0'], 0]);
  });

  it('does not wait for one that has failed', async () => {
    const { clock, started, refuse } = race(['pcp', 'nat-pmp', 'upnp-igd']);
    await refuse('pcp', 'ERR_MAPPING_UNAVAILABLE');
    expect(started).toEqual(['pcp 0', 'nat-pmp 0']);
    clock.advance(249);
    expect(started).toHaveLength(2);
    clock.advance(1);
    expect(started).toEqual(['pcp 0', 'nat-pmp 0', 'upnp-igd 250']);
  });

  it('waits on while an earlier one may still answer', async () => {
    const { clock, started, refuse } = race(['pcp', 'nat-pmp', 'upnp-igd']);
    clock.advance(300);
    await refuse('nat-pmp', 'ERR_MAPPING_UNAVAILABLE');
    expect(started).toHaveLength(2);
    clock.advance(200);
    expect(started).toEqual(['pcp 0', 'nat-pmp 250', 'upnp-igd 500']);
  });
});

describe('the losers of a race', () => {
  it('are aborted, and leave nothing', async () => {
    const { clock, fake, grant, late, ending } = race(['pcp', 'nat-pmp']);
    clock.advance(250);
    await grant('nat-pmp');
    await ending;
    await grant('pcp');
    expect([late, fake('pcp').table.size, fake('nat-pmp').table.size]).toEqual([[], 0, 1]);
  });

  /** PCP takes no notice of being aborted. */
  const stubborn =
    (grantPort: (wished: number) => number = (wished) => wished) =>
    (fake: FakeMapper): void => {
      if (fake.name !== 'pcp') return;
      fake.obedient = false;
      fake.grantPort = grantPort;
    };

  it('that succeed all the same are handed over to be released', async () => {
    const { clock, grant, ending, late } = race(
      ['pcp', 'nat-pmp'],
      stubborn(() => 6000),
    );
    clock.advance(250);
    await grant('nat-pmp');
    await ending;
    expect(late).toEqual([]);
    await grant('pcp');
    expect(late).toMatchObject([['pcp', { external: endpoint('203.0.113.9', 6000) }]]);
  });

  it('that were given the winner’s own entry keep their hands off it', async () => {
    const { clock, grant, ending, late } = race(['pcp', 'nat-pmp'], stubborn());
    clock.advance(250);
    await grant('nat-pmp');
    await ending;
    await grant('pcp');
    expect(late).toEqual([]);
  });

  it('are waited for by whoever wants to know that nobody asks any more', async () => {
    const one = race(['pcp', 'nat-pmp'], stubborn());
    one.clock.advance(250);
    await one.grant('nat-pmp');
    await one.ending;
    let ended = false;
    void one.runs.settled().then(() => (ended = true));
    await settled();
    expect(ended).toBe(false);
    await one.refuse('pcp', 'ERR_MAPPING_REFUSED');
    expect(ended).toBe(true);
  });
});

describe('a race without a winner', () => {
  it('tells what each protocol said', async () => {
    const { refuse, ending } = race(['pcp', 'nat-pmp', 'upnp-igd']);
    await refuse('pcp', 'ERR_MAPPING_UNAVAILABLE', 'pcp at 192.168.1.1:5351: no answer to 4 requests');
    await refuse('nat-pmp', 'ERR_MAPPING_REFUSED', 'nat-pmp: the gateway says NOT_AUTHORIZED');
    await refuse('upnp-igd', 'ERR_MAPPING_UNAVAILABLE', 'no gateway answers to UPnP');
    expect(await ending).toMatchObject({
      won: undefined,
      error: {
        name: 'TraversalError',
        code: 'ERR_MAPPING_REFUSED',
        message:
          'no port mapping: pcp: at 192.168.1.1:5351: no answer to 4 requests; nat-pmp: the gateway says NOT_AUTHORIZED; upnp-igd: no gateway answers to UPnP',
      },
      attempts: [
        { via: 'pcp', code: 'ERR_MAPPING_UNAVAILABLE', startedAt: 0, endedAt: 0 },
        { via: 'nat-pmp', code: 'ERR_MAPPING_REFUSED' },
        { via: 'upnp-igd', code: 'ERR_MAPPING_UNAVAILABLE' },
      ],
    });
  });

  it.each<[ErrorCode, ErrorCode, ErrorCode]>([
    ['ERR_MAPPING_UNAVAILABLE', 'ERR_NETWORK', 'ERR_NETWORK'],
    ['ERR_NETWORK', 'ERR_TIMEOUT', 'ERR_TIMEOUT'],
    ['ERR_GATEWAY_PROTOCOL', 'ERR_TIMEOUT', 'ERR_GATEWAY_PROTOCOL'],
    ['ERR_GATEWAY_PROTOCOL', 'ERR_MAPPING_EXHAUSTED', 'ERR_MAPPING_EXHAUSTED'],
    ['ERR_MAPPING_CONFLICT', 'ERR_MAPPING_REFUSED', 'ERR_MAPPING_CONFLICT'],
  ])('has the code that says most: of %s and %s the code %s', async (first, second, code) => {
    const { refuse, ending } = race(['pcp', 'nat-pmp']);
    await refuse('pcp', first);
    await refuse('nat-pmp', second);
    expect((await ending).error).toMatchObject({ code });
  });

  it('ends with its budget, and says who was not done', async () => {
    const { clock, refuse, ending, fake, grant } = race(['pcp', 'nat-pmp']);
    await refuse('pcp', 'ERR_MAPPING_UNAVAILABLE');
    clock.advance(5_000);
    expect(await ending).toMatchObject({
      error: { code: 'ERR_TIMEOUT', message: 'no port mapping: pcp: no; nat-pmp: not done within 5 s' },
      attempts: [{ via: 'pcp' }, { via: 'nat-pmp', code: 'ERR_TIMEOUT', startedAt: 0, endedAt: 5_000 }],
    });
    await grant('nat-pmp');
    expect([fake('nat-pmp').table.size, clock.pending]).toEqual([0, 0]);
  });
});

describe('a race that is aborted', () => {
  it('ends at once, and hands over what comes all the same', async () => {
    const { clock, abort, late, grant } = race(['pcp', 'nat-pmp'], (fake) => {
      fake.obedient = false;
    });
    abort();
    expect(clock.pending).toBe(0);
    await grant('pcp');
    expect(late).toMatchObject([['pcp', { internal: endpoint('192.168.1.2', 5000) }]]);
  });

  it('hands over what had come and was not told yet', async () => {
    const { runs, late, grant } = race(['pcp']);
    await grant('pcp');
    const step = { id: 'lease', step: 'map.twice', strategy: 'pcp', facts, budgets: [] };
    const { env } = runs.begin(mapper('pcp').strategy, step);
    await Promise.all([env.mapper('pcp')?.map(), env.mapper('pcp')?.map()]);
    const counts = runs.end(step, { ok: false, reason: 'given up' });
    expect(counts).toEqual({ startedAt: 0, endedAt: 0, sent: 0, received: 0 });
    runs.conclude(undefined);
    expect(late).toHaveLength(2);
  });
});

describe('what was given by something else in the place of a race', () => {
  it.each([undefined, null, 'a text', {}, { ok: true }, { ok: false }])('is a failure if it is %j', (given) => {
    expect(asMappingOutcome(given)).toMatchObject({ ok: false, reason: expect.any(String), attempts: [] });
  });

  it('is the mapping that it names', () => {
    const mapping = mappingOf({ protocol: 'udp', internalPort: 5000 });
    expect(asMappingOutcome({ ok: true, mapping })).toMatchObject({ ok: true, mapping, strategy: 'pcp', attempts: [] });
  });
});
