import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createActor, fromCallback } from 'xstate';
import type { Candidate } from '../../src/core/candidate.ts';
import { endpoint } from '../../src/core/endpoint.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import type { Mapping } from '../../src/core/port-mapper.ts';
import type { Facts } from '../../src/core/strategy.ts';
import { type LeaseEvent, leaseMachine } from '../../src/machines/index.ts';
import type { LeaseActorInput } from '../../src/machines/lease.ts';
import { recordPeers, replayTrace } from '../../src/trace/index.ts';
import { manualClock } from '../manual-clock.ts';
import { changed, differenceIn } from './lines.ts';

const frozen = { now: () => 1_000, wallTime: () => 1_800_000_000_000 };
const idle = fromCallback<LeaseEvent, LeaseActorInput>(() => {});

const withoutEnd: Mapping = {
  via: 'pcp',
  protocol: 'udp',
  internal: endpoint('192.168.1.2', 5000),
  external: endpoint('203.0.113.9', 5000),
  gateway: '192.168.1.1',
  lifetime: 0,
  goodUntil: Number.POSITIVE_INFINITY,
  renewAfter: Number.POSITIVE_INFINITY,
  reach: 'internet',
  handle: { nonce: 'c0ffee' },
};

/** A lease without end: taken over, held, renewed in vain after an hour, held on, and let go. */
function recordLease(): string[] {
  const lines: string[] = [];
  const clock = manualClock();
  const trace = recordPeers((line) => void lines.push(line), clock);
  const { inspect } = trace.peer('a');
  const logic = leaseMachine.provide({ actors: { claim: idle, renew: idle, release: idle } });
  const behaviors = { mine: unknownBehavior, theirs: unknownBehavior };
  const facts: Facts = { role: 'listener', policy: 'relay-first', local: [], remote: [], behaviors };
  const input = { id: 'lease-1', facts, jitter: 0.5 };
  const actor = createActor(logic, { id: 'lease-1', input, clock, inspect }).start();
  const obtained = { mapping: withoutEnd, strategy: 'pcp', attempts: [], contested: false, at: 0 };
  actor.send({ type: 'mapping.obtained', ...obtained });
  clock.advance(3_600_000);
  actor.send({ type: 'renewal.failed', code: 'ERR_TIMEOUT', at: 3_600_000 });
  actor.send({ type: 'close.requested' });
  actor.send({ type: 'mapping.released' });
  trace.end();
  return lines;
}

describe('a lease', () => {
  it('is recorded without the nonce that its gateway knows it by, and replays', async () => {
    const lines = recordLease();
    const records = lines.map((line) => JSON.parse(line));
    expect(
      records.filter(({ what, actor }) => what !== 'machine' && actor === 'lease-1').map(({ t, state }) => [t, state]),
    ).toEqual([
      [0, 'claiming'],
      [0, 'held'],
      [3_600_000, 'renewing'],
      [3_600_000, 'held'],
      [3_600_000, 'releasing'],
      [3_600_000, 'released'],
    ]);
    expect(records.find(({ event }) => event?.type === 'mapping.obtained').event.mapping).toMatchObject({
      goodUntil: 'Infinity',
      handle: '[redacted]',
    });
    expect(lines.join()).not.toContain('c0ffee');
    const replay = await replayTrace(lines);
    expect([replay.records, replay.differs]).toEqual([records.length - 2, undefined]);
  });

  it('that is good for ever is not taken for one that has run out', async () => {
    const lines = recordLease();
    const trace = changed(
      lines,
      (record) => record.what === 'event' && record.event.type === 'mapping.obtained',
      (record) => JSON.parse(JSON.stringify(record).replace('"goodUntil":"Infinity"', '"goodUntil":3600000')),
    );
    expect(JSON.parse((await differenceIn(trace.lines)).got!)).toMatchObject({
      event: { type: 'renewal.failed' },
      state: 'mapping',
    });
  });
});

describe('the candidates of a peer', () => {
  const candidate = (address: string): Candidate => ({
    type: 'host',
    endpoint: endpoint(address, 5000),
    base: endpoint(address, 5000),
    priority: 1,
    foundation: '1',
    transport: 'udp',
  });

  it('are told when they appear, and again when they come back', () => {
    const lines: string[] = [];
    const { reachability } = recordPeers((line) => void lines.push(line), frozen).peer('a');
    const [first, second] = [candidate('192.0.2.1'), candidate('192.0.2.2')];
    for (const candidates of [[first], [first, second], [second], [first, second]]) {
      reachability({ candidates, behavior: unknownBehavior, complete: false });
    }
    const records = lines.slice(1).map((line) => JSON.parse(line));
    expect(records.filter(({ what }) => what === 'behavior')).toHaveLength(1);
    expect(records.flatMap(({ what, address }) => (what === 'candidate' ? [address] : []))).toEqual([
      '192.0.2.1:5000',
      '192.0.2.2:5000',
      '192.0.2.1:5000',
    ]);
  });
});

describe('a sink', () => {
  it('may be a stream', async () => {
    const stream = new PassThrough();
    const trace = recordPeers(stream, frozen);
    trace.peer('a').log('offer.dropped', { carrier: 'ws://host:8790' });
    trace.end();
    stream.end();
    expect((await text(stream)).split('\n').map((line) => line && JSON.parse(line).what)).toEqual([
      undefined,
      'log',
      'end',
      '',
    ]);
  });

  it('that fails disturbs nobody: the trace ends there, and says so at its end', () => {
    const taken: string[] = [];
    const trace = recordPeers((line) => {
      if (taken.length === 2) throw new Error('the disk is full');
      taken.push(line);
    }, frozen);
    const { log } = trace.peer('a');
    for (const event of ['one', 'two', 'three']) log(event);
    expect(() => trace.end()).toThrow('the disk is full');
    expect(taken).toHaveLength(2);
  });

  it('gets nothing after the end', () => {
    const lines: string[] = [];
    const trace = recordPeers((line) => void lines.push(line), frozen);
    const { log } = trace.peer('a');
    trace.end();
    log('late');
    trace.end();
    expect(lines).toHaveLength(2);
  });
});
