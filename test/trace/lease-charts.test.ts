import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { nodePortLeases, systemClock } from '../../src/node.ts';
import { recordPeers, replayTrace } from '../../src/trace/index.ts';
import { fakeMapper } from '../adapters/port-mapper/fake-mapper.ts';

afterEach(() => vi.unstubAllEnvs());

it('leases are in the trace of whoever opened them, by the `inspect` that they were opened with', async () => {
  const state = await mkdtemp(join(tmpdir(), 'leases-'));
  vi.stubEnv('XDG_STATE_HOME', state);
  const lines: string[] = [];
  const trace = recordPeers((line) => void lines.push(line), systemClock());
  const { inspect } = trace.peer('a');
  const leases = nodePortLeases({ mappers: [fakeMapper('pcp').factory], inspect });
  await leases.keep({ protocol: 'udp', internalPort: 5000 }).ready;
  await leases.close();
  trace.end();
  const records = lines.slice(1, -1).map((line) => JSON.parse(line));
  const ofLease = records.filter(({ actor }) => actor === 'lease-1');
  expect(ofLease.map(({ actor, what, state }) => [actor, what, state])).toEqual([
    ['lease-1', 'chart', 'claiming'],
    ['lease-1', 'event', 'mapping'],
    ['lease-1', 'event', 'noting'],
    ['lease-1', 'event', 'held'],
    ['lease-1', 'event', 'releasing'],
    ['lease-1', 'event', 'released'],
  ]);
  expect((await replayTrace(lines)).differs).toBeUndefined();
  await rm(state, { recursive: true });
});
