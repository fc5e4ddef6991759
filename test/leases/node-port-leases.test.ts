import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { nodePortLeases } from '../../src/node.ts';
import { fakeMapper } from '../adapters/port-mapper/fake-mapper.ts';

afterEach(() => vi.unstubAllEnvs());

it('nodePortLeases keeps mappings on real time, and notes them in the state folder of the user', async () => {
  const state = await mkdtemp(join(tmpdir(), 'leases-'));
  vi.stubEnv('XDG_STATE_HOME', state);
  const [refusing, gateway] = [fakeMapper('pcp'), fakeMapper('nat-pmp')];
  refusing.answer = () => {
    throw new Error('no');
  };
  const leases = nodePortLeases({ mappers: [refusing.factory, gateway.factory] });
  const lease = leases.keep({ protocol: 'tcp', internalPort: 8080 });
  expect(await lease.ready).toMatchObject({ via: 'nat-pmp', external: { port: 8080 } });
  expect(await readdir(join(state, 'sallyport', 'leases'))).toHaveLength(1);
  await leases.close();
  expect(gateway.table.size).toBe(0);
  expect(await readdir(join(state, 'sallyport', 'leases'))).toEqual([]);
  await rm(state, { recursive: true });
});
