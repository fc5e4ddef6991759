import { describe, expect, it } from 'vitest';
import { portMapper } from '../../src/cli/map-options.ts';
import { type MappingToRemove, removeMapping } from '../../src/cli/map-remove.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import { TraversalError } from '../../src/core/errors.ts';
import type { LeaseJournal } from '../../src/core/lease-journal.ts';
import type { ListedMapping, Mapping, MappingVia } from '../../src/core/port-mapper.ts';
import { type FakeTable, fakeTable, leftover, network } from './mapping-world.ts';
import { recordedReporter } from './recorded-reporter.ts';

interface Scene {
  /** What runs that ended have noted. */
  readonly leftovers?: readonly Mapping[];
  /** What runs that still run have noted. */
  readonly kept?: readonly Mapping[];
  readonly mapper?: FakeTable;
  /** In its place for the protocol whose name it has. */
  readonly refusing?: FakeTable;
}

function remove(
  which: Partial<MappingToRemove>,
  { leftovers = [], kept = [], mapper = fakeTable([]), refusing }: Scene,
) {
  const recorded = recordedReporter({ json: true });
  const opened: MappingVia[] = [];
  const journal = memoryJournal(leftovers);
  const world = {
    network,
    journal,
    noted: [
      ...leftovers.map((mapping) => ({ mapping, running: false })),
      ...kept.map((mapping) => ({ mapping, running: true })),
    ],
    mapper(via: MappingVia) {
      opened.push(via);
      return refusing?.name === via ? refusing : mapper;
    },
  };
  const context = { reporter: recorded.reporter, signal: new AbortController().signal };
  const ended = removeMapping({ protocol: 'tcp', externalPort: 80, via: undefined, ...which }, world, context);
  return { ended, recorded, journal, mapper, opened };
}

it('knows the port mappers of this package alone', () => {
  expect(portMapper('nat-pmp')).toBeTypeOf('function');
  for (const via of ['router-api', 'toString'])
    expect(() => portMapper(via)).toThrow(expect.objectContaining({ code: 'ERR_NOT_AVAILABLE' }));
});

describe('removing what a run has left behind', () => {
  it('releases it by the protocol that made it, and keeps the other leftovers noted', async () => {
    const other = leftover({ externalPort: 81 });
    const scene = remove({}, { leftovers: [other, leftover({ via: 'nat-pmp', externalPort: 80 })] });
    expect(await scene.ended).toBe(0);
    expect([scene.opened, scene.mapper.calls, scene.mapper.closed]).toEqual([['nat-pmp'], ['release tcp 80'], true]);
    expect([...scene.journal.noted.values()]).toEqual([other]);
    expect(scene.recorded.events).toEqual([
      { event: 'released', via: 'nat-pmp', protocol: 'tcp', external: '203.0.113.7:80' },
    ]);
  });

  it('releases what two protocols have made of one port', async () => {
    const leftovers = (['pcp', 'nat-pmp'] as const).map((via) => leftover({ via, externalPort: 80 }));
    const scene = remove({}, { leftovers });
    await scene.ended;
    expect(scene.opened).toEqual(['pcp', 'nat-pmp']);
    expect(scene.journal.noted.size).toBe(0);
  });

  it('keeps noted what the gateway did not release', async () => {
    const mapper = fakeTable(new TraversalError('ERR_TIMEOUT', 'the gateway is silent'));
    const left = leftover({ externalPort: 80 });
    const scene = remove({}, { leftovers: [left], mapper });
    await expect(scene.ended).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    expect([...scene.journal.noted.values()]).toEqual([left]);
    expect(mapper.closed).toBe(true);
  });

  it('forgets what the gateway refuses to know as ours, and removes the rest', async () => {
    const stale = leftover({ via: 'pcp', externalPort: 80 });
    const refusing = fakeTable(new TraversalError('ERR_MAPPING_REFUSED', 'not authorised'), 'pcp');
    const scene = remove({}, { leftovers: [stale, leftover({ externalPort: 80 })], refusing });
    expect(await scene.ended).toBe(0);
    expect(scene.recorded.events).toMatchObject([{ event: 'released', via: 'upnp-igd' }]);
    expect(scene.journal.noted.size).toBe(0);
  });

  it.each([undefined, 'pcp'] as const)('does not take a mapping from a program that runs (via: %s)', async (via) => {
    const scene = remove({ via }, { kept: [leftover({ externalPort: 80 })] });
    await expect(scene.ended).rejects.toMatchObject({
      code: 'ERR_MAPPING_REFUSED',
      message: expect.stringContaining('kept by a program that still runs'),
    });
    expect(scene.opened).toEqual([]);
  });

  it.each([{ protocol: 'udp' }, { externalPort: 81 }, { via: 'pcp' }] as const)(
    'touches no other one than %o',
    async (which) => {
      const left = leftover({ externalPort: 80 });
      const scene = remove(which, { leftovers: [left] });
      await expect(scene.ended).rejects.toMatchObject({ code: 'ERR_MAPPING_REFUSED' });
      expect(scene.mapper.calls).toEqual([]);
      expect([...scene.journal.leftovers]).toEqual([left]);
    },
  );
});

describe('removing what the gateway’s table shows', () => {
  const entry: ListedMapping = {
    protocol: 'tcp',
    externalPort: 80,
    internal: endpoint('192.168.0.10', 8080),
    lifetime: 0,
    description: 'sallyport web',
    enabled: true,
  };

  it('takes a mapping of ours over and releases it', async () => {
    const scene = remove({}, { mapper: fakeTable([{ ...entry, protocol: 'udp' }, entry]) });
    expect(await scene.ended).toBe(0);
    expect([scene.opened, scene.mapper.calls]).toEqual([['upnp-igd'], ['map tcp 80', 'release tcp 80']]);
    expect(scene.recorded.events).toMatchObject([{ event: 'released', external: '203.0.113.7:80' }]);
  });

  it('asks by the protocol that is named', async () => {
    const scene = remove({ via: 'nat-upnp' }, { mapper: fakeTable([entry], 'nat-upnp') });
    await scene.ended;
    expect(scene.opened).toEqual(['nat-upnp']);
  });

  it.each([
    [
      'of another program here',
      { description: 'a game' },
      'another program of this host: it leads to 192.168.0.10:8080',
    ],
    ['of another host', { internal: endpoint('192.168.0.11', 8080) }, 'another host: it leads to 192.168.0.11:8080'],
    ['that is not there', { externalPort: 81 }, 'not in the gateway’s table'],
  ])('refuses one %s, and says what it is', async (_, changes, message) => {
    const scene = remove({}, { mapper: fakeTable([{ ...entry, ...changes }]) });
    await expect(scene.ended).rejects.toMatchObject({
      code: 'ERR_MAPPING_REFUSED',
      message: expect.stringContaining(message),
    });
    expect([scene.mapper.calls, scene.mapper.closed]).toEqual([[], true]);
  });

  it('refuses what a protocol without a list cannot tell', async () => {
    const { list: _, ...mapper } = fakeTable([], 'pcp');
    const scene = remove({ via: 'pcp' }, { mapper: mapper as FakeTable });
    await expect(scene.ended).rejects.toMatchObject({
      code: 'ERR_MAPPING_REFUSED',
      message: expect.stringContaining('pcp does not tell whose a mapping is'),
    });
  });
});

interface MemoryJournal extends LeaseJournal {
  /** Noted by this run. */
  readonly noted: ReadonlyMap<string, Mapping>;
  leftovers: readonly Mapping[];
}

/** A journal with these leftovers, of which each is given out once. */
function memoryJournal(leftovers: readonly Mapping[]): MemoryJournal {
  const noted = new Map<string, Mapping>();
  const journal: MemoryJournal = {
    noted,
    leftovers,
    async takeLeftovers() {
      const taken = journal.leftovers;
      journal.leftovers = [];
      return taken;
    },
    async note(key, mapping) {
      noted.set(key, mapping);
    },
    async strike(key) {
      noted.delete(key);
    },
  };
  return journal;
}
