import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type NodeEnvironmentOptions, nodeEnvironment } from '../../../src/node.ts';
import { mappingOf } from '../../fake-leases.ts';
import { fakeMapper } from '../port-mapper/fake-mapper.ts';

afterEach(() => vi.unstubAllEnvs());

const AWAY = ['wss://meet.example.org'];
const HERE = ['ws://127.0.0.1:8790', 'ws://[::1]:8790', 'ws://localhost:8790'];

/** Names of the port mappers, as they are made. */
const mappersOf = (options: NodeEnvironmentOptions): readonly string[] => {
  const env = nodeEnvironment(options);
  return env.mappers!.map((factory) => factory(env).name);
};
const maps = (options: NodeEnvironmentOptions): boolean => mappersOf(options).length > 0;

describe('the port mappings of an environment', () => {
  it('are asked for, unless every server is on this machine or loopback addresses are candidates', () => {
    expect([maps({}), maps({ servers: AWAY }), maps({ servers: [...HERE, ...AWAY] })]).toEqual([true, true, true]);
    expect([maps({ servers: HERE }), maps({ loopback: true })]).toEqual([false, false]);
    expect(maps({ servers: HERE, loopback: false })).toBe(true);
  });

  it('are asked for, or not, as it is told', () => {
    expect([maps({ servers: AWAY, mapping: false }), maps({ servers: AWAY, mapping: [] })]).toEqual([false, false]);
    expect(maps({ servers: HERE, mapping: true })).toBe(true);
  });

  it('are made by the protocols that it is given', () => {
    expect(mappersOf({})).toEqual(['pcp', 'nat-pmp', 'upnp-igd']);
    expect(mappersOf({ mapping: [fakeMapper('nat-upnp').factory] })).toEqual(['nat-upnp']);
  });

  it('are noted in the state folder of the user', async () => {
    const state = await mkdtemp(join(tmpdir(), 'leases-'));
    vi.stubEnv('XDG_STATE_HOME', state);
    const journal = nodeEnvironment().leaseJournal!();
    await journal.note('a', mappingOf({ protocol: 'udp', internalPort: 5000 }));
    expect(await readdir(join(state, 'sallyport', 'leases'))).toHaveLength(1);
    await journal.strike('a');
    await rm(state, { recursive: true });
  });
});
