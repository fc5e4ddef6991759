import { describe, expect, it } from 'vitest';
import { homes } from '../../../src/scenario/index.ts';
import { recordTrace, type TraceHeader } from '../../../src/trace/index.ts';
import type { Moment, Source } from '../../../web/src/model/moment.ts';
import { Recording } from '../../../web/src/model/recording.ts';

const real = (id: string, began: number): Source => ({
  id,
  title: id,
  live: true,
  header: { format: 'sallyport-trace', version: 1, sallyport: '0.0.0', world: 'real', began },
});

const started = (t: number, actor: string): string =>
  JSON.stringify({ t, who: 'me', what: 'actor', actor, machine: 'lamp', state: 'dark' });
const pressed = (t: number, actor: string, state: string, edge: string): string =>
  JSON.stringify({ t, who: 'me', what: 'event', actor, event: { type: 'pressed' }, state, edges: [edge] });

function actorIn(moment: Moment, actor: string, peer = 'one/me') {
  return moment.peers.get(peer)?.actors.get(actor);
}

describe('a recording', () => {
  it('knows at each moment what had happened until then', () => {
    const recording = new Recording();
    recording.open(real('one', 0));
    recording.append('one', [
      started(1, 'lamp'),
      pressed(2, 'lamp', 'lit', 'dark#0'),
      pressed(5, 'lamp', 'dark', 'lit#0'),
    ]);
    expect(actorIn(recording.moment(-1), 'lamp')).toBeUndefined();
    expect(actorIn(recording.moment(0), 'lamp')).toMatchObject({ state: 'dark', events: 0, machine: 'lamp' });
    expect(actorIn(recording.moment(1), 'lamp')).toMatchObject({ state: 'lit', edges: [{ edge: 'dark#0', at: 2 }] });
    expect(actorIn(recording.moment(99), 'lamp')).toMatchObject({
      state: 'dark',
      events: 2,
      last: { at: 5, index: 2 },
    });
    expect([0.5, 2, 4, 9].map((at) => recording.indexAt(at))).toEqual([-1, 1, 1, 2]);
  });

  it('lays sources side by side by the time at which they began', () => {
    const recording = new Recording();
    recording.open(real('one', 1_000));
    recording.open(real('two', 1_500));
    recording.append('one', [started(0, 'lamp'), pressed(1_000, 'lamp', 'lit', 'dark#0')]);
    recording.append('two', [started(100, 'lamp')]);
    expect(recording.entries.map(({ at, source, index }) => [at, source.id, index])).toEqual([
      [0, 'one', 0],
      [600, 'two', 1],
      [1_000, 'one', 2],
    ]);
    expect(actorIn(recording.moment(1), 'lamp')).toMatchObject({ state: 'dark' });
    expect(actorIn(recording.moment(2), 'lamp', 'two/me')).toMatchObject({ state: 'dark', startedAt: 600 });
  });

  it('counts lines that are no records, and keeps the others', () => {
    const recording = new Recording();
    recording.open(real('one', 0));
    expect(recording.append('one', ['{', '[]', '{"t":"1"}', 'null', started(1, 'lamp')])).toBe(4);
    expect(recording.entries).toHaveLength(1);
    expect(() => recording.append('two', [])).toThrow('there is no source two');
  });

  it('of very many entries forgets the oldest, and what they made stays', () => {
    const recording = new Recording(10_000);
    recording.open(real('one', 0));
    recording.append('one', [started(0, 'first')]);
    for (let i = 1; i <= 30_000; i++) recording.append('one', [pressed(i, `lamp ${i % 200}`, `state ${i}`, 'dark#0')]);
    expect(recording.entries.length).toBeLessThanOrEqual(10_000);
    expect(recording.forgotten).toBeGreaterThan(20_000);
    expect(actorIn(recording.moment(0), 'first')).toMatchObject({ state: 'dark' });
    const index = recording.forgotten + 3_333;
    expect(actorIn(recording.moment(index), `lamp ${index % 200}`)).toMatchObject({ state: `state ${index}` });
    expect(recording.entries[3_333]).toMatchObject({ index, at: index });
  });

  it('of a simulated run knows charts, edges, pairs, paths, NAT tables and the verdict of both peers', async () => {
    const lines: string[] = [];
    await recordTrace(homes({ a: 'home-router', b: 'carrier', seed: 7 }), (line) => lines.push(line));
    const recording = new Recording();
    const header = JSON.parse(lines[0]!) as TraceHeader;
    recording.open({ id: 'run', title: 'run', live: false, header });
    expect(recording.append('run', lines.slice(1))).toBe(0);
    const end = recording.moment(recording.entries.length - 1);
    for (const who of ['a', 'b']) {
      const peer = end.peers.get(`run/${who}`)!;
      const name = [...peer.actors.keys()].find((actor) => /^connection [\da-f]+$/.test(actor))!;
      expect(peer.actors.get(name)).toMatchObject({ machine: 'connection', status: 'done' });
      expect(peer.machines.get('connection')?.root.states.length).toBeGreaterThan(4);
      const connection = peer.connections.get(name)!;
      expect(connection.paths.map(({ path }) => path?.kind)).toContain('direct');
      expect(connection.pairs.some(({ state }) => state === 'succeeded')).toBe(true);
      expect(connection.verdict).toMatchObject({ outcome: 'direct' });
      expect(peer.candidates.map(({ type }) => type)).toContain('srflx');
      expect(peer.behavior?.evidence.length).toBeGreaterThan(0);
    }
    expect([...end.nats.keys()].length).toBeGreaterThan(1);
    const midway = recording.moment(Math.floor(recording.entries.length / 2));
    expect(midway.at).toBeLessThan(end.at);
    expect(recording.moment(midway.index)).toEqual(midway);
  });
});
