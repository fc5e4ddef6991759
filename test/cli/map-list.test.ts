import { describe, expect, it } from 'vitest';
import { listMappings, type MapListWorld } from '../../src/cli/map-list.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import { TraversalError } from '../../src/core/errors.ts';
import type { ListedMapping } from '../../src/core/port-mapper.ts';
import { manualClock } from '../manual-clock.ts';
import { type FakeTable, fakeTable, leftover, network } from './mapping-world.ts';
import { recordedReporter } from './recorded-reporter.ts';

const table: readonly ListedMapping[] = [
  listed({ externalPort: 80, description: 'sallyport web' }),
  listed({ externalPort: 81, description: 'a game', lifetime: 0, enabled: false }),
  listed({ externalPort: 82, description: 'sallyport', internal: endpoint('192.168.0.11', 8080), protocol: 'udp' }),
];

const noted = [
  { mapping: leftover({ externalPort: 80 }), running: true },
  { mapping: leftover({ via: 'nat-pmp', externalPort: 90, goodUntil: Number.POSITIVE_INFINITY }), running: false },
];

function list(json: boolean, world: Partial<MapListWorld> & { mapper: FakeTable }) {
  const recorded = recordedReporter({ json });
  const context = { reporter: recorded.reporter, signal: new AbortController().signal };
  return { recorded, ended: listMappings({ noted, network, clock: manualClock(), ...world }, context) };
}

describe('listMappings', () => {
  it('tells programs what is noted and what the gateway has, and whose that is', async () => {
    const mapper = fakeTable(table);
    const { recorded, ended } = list(true, { mapper });
    expect(await ended).toBe(0);
    const [first, second, ...rest] = recorded.events;
    expect(first).toEqual({
      event: 'noted',
      via: 'upnp-igd',
      protocol: 'tcp',
      external: '203.0.113.7:80',
      internal: '192.168.0.10:8080',
      gateway: '192.168.0.1',
      lifetime: 3600,
      reach: 'internet',
      left: 3600,
      running: true,
    });
    expect(second).toMatchObject({
      event: 'noted',
      via: 'nat-pmp',
      external: '203.0.113.7:90',
      left: 0,
      running: false,
    });
    const here = { event: 'listed', protocol: 'tcp', internal: '192.168.0.10:8080', left: 1800, enabled: true };
    expect(rest).toEqual([
      { ...here, externalPort: 80, owner: 'sallyport', description: 'sallyport web' },
      { ...here, externalPort: 81, owner: 'this-host', description: 'a game', left: 0, enabled: false },
      {
        ...here,
        protocol: 'udp',
        externalPort: 82,
        internal: '192.168.0.11:8080',
        owner: 'another-host',
        description: 'sallyport',
      },
    ]);
    expect(mapper.closed).toBe(true);
  });

  it('tells people the same, a line each', async () => {
    const { recorded, ended } = list(false, { mapper: fakeTable(table.slice(0, 1)), noted: noted.slice(1) });
    await ended;
    expect(recorded.stdout).toEqual([
      'noted tcp 203.0.113.7:90 to 192.168.0.10:8080 via nat-pmp gateway 192.168.0.1 reach internet left 0 running no',
      'listed tcp 80 to 192.168.0.10:8080 left 1800 owner sallyport description sallyport web',
    ]);
  });

  it('knows ours by what is noted, where the gateway gives its own description', async () => {
    const mapper = fakeTable([listed({ externalPort: 80, description: 'PCP MAP 76ee' }), listed({ externalPort: 81 })]);
    const { recorded, ended } = list(true, { mapper });
    await ended;
    expect(recorded.events.slice(2).map(({ owner }) => owner)).toEqual(['sallyport', 'this-host']);
  });

  it('tells what is noted also where the gateway does not answer', async () => {
    const mapper = fakeTable(new TraversalError('ERR_MAPPING_UNAVAILABLE', 'no gateway'));
    const { recorded, ended } = list(true, { mapper });
    await expect(ended).rejects.toMatchObject({ code: 'ERR_MAPPING_UNAVAILABLE' });
    expect(recorded.events).toHaveLength(2);
    expect(mapper.closed).toBe(true);
  });

  it('says that a protocol has no list', async () => {
    const { list: _, ...mapper } = fakeTable(table, 'nat-pmp');
    const { recorded, ended } = list(false, { mapper: mapper as FakeTable, noted: [] });
    expect(await ended).toBe(0);
    expect(recorded.stderr).toEqual([expect.stringContaining('nat-pmp has no list of mappings')]);
  });
});

function listed(changes: Partial<ListedMapping>): ListedMapping {
  const internal = endpoint('192.168.0.10', 8080);
  return { protocol: 'tcp', externalPort: 80, internal, lifetime: 1800, description: '', enabled: true, ...changes };
}
