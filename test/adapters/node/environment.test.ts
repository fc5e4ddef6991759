import { describe, expect, it } from 'vitest';
import { type NodeEnvironmentOptions, nodeEnvironment } from '../../../src/node.ts';
import { fakeMapper } from '../port-mapper/fake-mapper.ts';

const AWAY = ['wss://meet.example.org'];
const HERE = ['ws://127.0.0.1:8790', 'ws://[::1]:8790', 'ws://localhost:8790'];

const maps = (options: NodeEnvironmentOptions): boolean => nodeEnvironment(options).portLeases !== undefined;

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

  it('are made by the protocols that it is given', async () => {
    const mapper = fakeMapper('pcp');
    const leases = nodeEnvironment({ mapping: [mapper.factory] }).portLeases?.();
    expect(mapper.open).toBe(1);
    await leases?.close();
    expect(mapper.open).toBe(0);
  });
});
