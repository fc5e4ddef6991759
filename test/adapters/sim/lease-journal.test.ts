import { describe, expect, it } from 'vitest';
import { simLeaseJournal } from '../../../src/adapters/sim/index.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { Mapping } from '../../../src/core/port-mapper.ts';
import { internet } from '../../../src/sim/index.ts';

const mapping = (internalPort: number): Mapping => ({
  protocol: 'udp',
  internal: endpoint('192.168.1.100', internalPort),
  external: endpoint('203.0.113.7', internalPort),
  lifetime: 3600,
  goodUntil: 3_600_000,
  renewAfter: 1_800_000,
  via: 'pcp',
  gateway: '192.168.1.1',
  reach: 'internet',
  handle: {},
});

describe('simLeaseJournal', () => {
  it('keeps what a program has noted until it closes its journal, and then gives it away once', async () => {
    const host = internet({ seed: 1 }).host('alice');
    const [first, second] = [simLeaseJournal(host), simLeaseJournal(host)];
    await first.note('a', mapping(1));
    await first.note('b', mapping(2));
    await first.strike('a');
    expect(await second.takeLeftovers()).toEqual([]);
    first.close();
    expect(await second.takeLeftovers()).toEqual([mapping(2)]);
    expect(await second.takeLeftovers()).toEqual([]);
  });

  it('takes a restart of the host for the end of all its programs', async () => {
    const world = internet({ seed: 1 });
    const [alice, bob] = [world.host('alice'), world.host('bob')];
    const journal = simLeaseJournal(alice);
    await journal.note('a', mapping(1));
    world.happen({ type: 'restart', host: 'bob' });
    expect(await simLeaseJournal(bob).takeLeftovers()).toEqual([]);
    expect(await simLeaseJournal(alice).takeLeftovers()).toEqual([]);
    world.happen({ type: 'restart', host: 'alice' });
    expect(await simLeaseJournal(alice).takeLeftovers()).toEqual([mapping(1)]);
  });
});
