import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { checks, defineFlow, interfaces, relay } from '../../src/flows/index.ts';
import { homes, type Scenario, seededRandom } from '../../src/sim.ts';
import { recordTrace, replayTrace, type TraceRecord } from '../../src/trace/index.ts';
import { changed, differenceIn, formsOf } from './lines.ts';

/** Two homes whose connection is pinged for some seconds, while one of the NATs forgets its mappings. */
function scenario(seed: number): Scenario {
  const { internet, dials, ...rest } = homes({ a: 'home-router', b: 'carrier', seed });
  return {
    ...rest,
    internet: { ...internet, events: [{ at: 4_000, type: 'rebind', network: 'b-carrier' }] },
    dials: dials.map((dial) => ({ ...dial, lasts: 4_000, pingEvery: 500 })),
  };
}

async function record(of: Scenario): Promise<string[]> {
  const lines: string[] = [];
  await recordTrace(of, (line) => void lines.push(line));
  return lines;
}

let lines: readonly string[];

beforeAll(async () => {
  lines = await record(scenario(7));
});

afterEach(() => {
  vi.restoreAllMocks();
});

const isEvent = (who: string, type: string) => (record: TraceRecord) =>
  record.what === 'event' && record.who === who && record.event.type === type;
const isPacket = (record: TraceRecord): boolean => record.what === 'packet' && record.t > 3_000;

describe('a trace of a scenario whose peers have flows of their own', () => {
  const own = defineFlow({ discover: interfaces(), punch: checks({ types: ['host'] }), fallback: relay() });

  it('names them, and is replayed with them', async () => {
    const plan = homes({ a: 'home-router', b: 'carrier', mapping: false });
    const named = { ...plan, peers: plan.peers.map((peer) => ({ ...peer, flow: 'own' })) };
    const written: string[] = [];
    const { dials } = await recordTrace(named, (line) => void written.push(line), { flows: { own } });
    expect(dials[0]).toMatchObject({ outcome: 'relayed' });
    expect(await replayTrace(written, { flows: { own } })).not.toHaveProperty('differs');
    await expect(replayTrace(written)).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });
});

describe('a trace of a scenario', () => {
  it('has the whole scenario in its header, and an end', () => {
    const [header, ...records] = lines.map((line) => JSON.parse(line));
    expect(header).toEqual({
      format: 'sallyport-trace',
      version: 1,
      sallyport: expect.any(String),
      world: 'simulated',
      scenario: scenario(7),
    });
    expect(records.at(-1)).toMatchObject({ what: 'end', records: records.length - 1 });
  });

  it('tells of charts, paths, candidates, packets, the world and verdicts, in the order of virtual time', () => {
    const records = lines.slice(1).map((line) => JSON.parse(line));
    expect(new Set(records.map(({ what }) => what))).toEqual(
      new Set([
        'machine',
        'chart',
        'actor',
        'event',
        'path',
        'pairs',
        'stats',
        'candidate',
        'behavior',
        'signal',
        'log',
        'step',
        'packet',
        'nat',
        'world',
        'verdict',
        'end',
      ]),
    );
    const times = records.map(({ t }) => t);
    expect(times).toEqual([...times].sort((x, y) => x - y));
    expect(records.filter(({ what }) => what === 'world')).toEqual([
      { t: 4_000, what: 'world', event: { type: 'rebind', network: 'b-carrier' } },
    ]);
    const paths = records.filter(({ what, who }) => what === 'path' && who === 'a');
    expect(paths.slice(0, 2).map(({ path }) => path.kind)).toEqual(['relayed', 'direct']);
  });

  it('tells the tables of NATs by what changes in them, and at last what stands', () => {
    const tables = new Map<string, Map<string, unknown>>();
    for (const line of lines) {
      const record = JSON.parse(line);
      if (record.what !== 'nat') continue;
      if (!tables.has(record.place))
        expect(record.rules).toEqual({ mapping: expect.any(String), filtering: expect.any(String) });
      const table = tables.get(record.place) ?? new Map();
      tables.set(record.place, table);
      for (const gone of record.gone) expect(table.delete(keyOf(gone))).toBe(true);
      for (const mapping of record.set) table.set(keyOf(mapping), mapping);
    }
    expect([...tables.keys()]).toContain('b-carrier');
    const mapped = [...tables.values()].flatMap((table) => [...table.values()]);
    expect(mapped).toContainEqual({
      protocol: 'udp',
      internal: expect.stringMatching(/^192\.168\./),
      external: expect.stringMatching(/^\d+(\.\d+){3}:\d+$/),
      remotes: expect.arrayContaining([expect.any(String)]),
      explicit: false,
    });
  });

  it('tells pairs of candidates as their states change', () => {
    const told = lines
      .map((line) => JSON.parse(line))
      .filter(({ what, who }) => what === 'pairs' && who === 'a')
      .flatMap(({ pairs }) => pairs);
    expect(told.length).toBeGreaterThan(1);
    for (const { local, remote } of told) {
      for (const end of [local, remote]) expect(end).toMatch(/^(host|srflx|prflx|mapped|relay) (udp|tcp \w+) \S+:\d+$/);
    }
    expect(told.some(({ state, rtt }) => state === 'succeeded' && rtt > 0)).toBe(true);
  });

  it('has of packets the headers and sizes only', () => {
    const records = lines.map((line) => JSON.parse(line)).filter(({ what }) => what === 'packet');
    const fields = new Set(records.flatMap(({ packet }) => Object.keys(packet)));
    expect([...fields].sort()).toEqual(
      'about acknowledgement flags from length protocol sequence to ttl type window'.split(' '),
    );
    expect(records.some(({ became }) => became !== undefined)).toBe(true);
  });

  it('is the same every time, byte for byte, and another with another seed', async () => {
    expect(await record(scenario(7))).toEqual(lines);
    expect((await record(scenario(8))).slice(1)).not.toEqual(lines.slice(1));
  });

  it('is written while the run goes on, and shows the run to a watch as well', async () => {
    const written: string[] = [];
    let atEcho = 0;
    const outcome = await recordTrace(scenario(7), (line) => void written.push(line), {
      watch({ type }) {
        if (type === 'echo') atEcho = written.length;
      },
    });
    expect(atEcho).toBeGreaterThan(100);
    expect(atEcho).toBeLessThan(written.length - 100);
    expect(outcome.dials[0]).toMatchObject({ outcome: 'direct' });
  });

  it('is left without its end by a watch that throws, which the run ends with', async () => {
    const written: string[] = [];
    const run = recordTrace(scenario(7), (line) => void written.push(line), {
      watch({ type }) {
        if (type === 'echo') throw new RangeError('seen enough');
      },
    });
    await expect(run).rejects.toThrow(new RangeError('seen enough'));
    expect(written.at(-1)).toContain('"step":"echo"');
    expect((await replayTrace(written)).differs).toMatchObject({ line: written.length + 1, expected: undefined });
  });

  it('holds no key, ticket, secret or payload, in no form', async () => {
    const drawn: Uint8Array[] = [];
    const random = Object.getPrototypeOf(seededRandom(0));
    const { bytes } = random;
    vi.spyOn(random, 'bytes').mockImplementation(function (this: unknown, length) {
      const made = bytes.call(this, length);
      if ((length as number) >= 16) drawn.push(made);
      return made;
    });
    const text = (await record(scenario(9))).join('\n');
    expect(drawn.length).toBeGreaterThan(10);
    const found = [...drawn, 'hello'].flatMap(formsOf).filter((form) => text.includes(form));
    expect(found).toEqual([]);
  });
});

describe('a replay of a scenario', () => {
  it('goes the same way', async () => {
    const replay = await replayTrace(lines);
    expect([replay.records, replay.differs]).toEqual([lines.length - 2, undefined]);
    expect(replay.replayedBy).toBe(replay.header.sallyport);
  });

  it('takes the charts by themselves through the same states', async () => {
    const header = { ...JSON.parse(lines[0]!), world: 'real' };
    const replay = await replayTrace([JSON.stringify(header), ...lines.slice(1)]);
    expect([replay.records, replay.differs]).toEqual([lines.length - 2, undefined]);
  });

  it('takes the charts by themselves whatever else the records say', async () => {
    const [header, ...records] = lines.map((line) => ({ ...JSON.parse(line), colour: 'red' }));
    const more = [{ ...header, world: 'real' }, ...records].map((record) => JSON.stringify(record));
    expect((await replayTrace(more)).differs).toBeUndefined();
  });

  it('does not mind the order of fields', async () => {
    const turned = lines.map((line) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line)).reverse())));
    expect((await replayTrace(turned)).differs).toBeUndefined();
  });

  it('notices another seed, at the first record that it changes', async () => {
    const [header, ...records] = lines;
    const { line } = await differenceIn([header!.replace('"seed":7', '"seed":8'), ...records]);
    expect(line).toBeLessThan(20);
  });

  it('notices a state that was changed', async () => {
    const trace = changed(lines, isEvent('a', 'session.established'), (record) => ({ ...record, state: 'recovering' }));
    const { line, expected, got } = await differenceIn(trace.lines);
    expect([line, expected]).toEqual([trace.line, trace.lines[line - 1]]);
    expect(got).toBe(lines[line - 1]);
  });

  it('notices a packet that is missing', async () => {
    const trace = changed(lines, isPacket, () => undefined);
    const { line, expected, got } = await differenceIn(trace.lines);
    expect([line, expected, got]).toEqual([trace.line, lines[trace.line], lines[trace.line - 1]]);
  });

  it('notices a field and a record that it does not know: it compares everything', async () => {
    const more = changed(lines, isPacket, (record) => ({ ...record, colour: 'red' }));
    expect((await differenceIn(more.lines)).line).toBe(more.line);
    const unknown = lines.toSpliced(9, 0, '{"t":0,"what":"weather"}');
    expect((await differenceIn(unknown)).line).toBe(10);
  });

  it('notices a packet of another size', async () => {
    const trace = changed(lines, isPacket, (record) =>
      JSON.parse(JSON.stringify(record).replace(/"length":\d+/, '"length":9999')),
    );
    expect((await differenceIn(trace.lines)).line).toBe(trace.line);
  });

  it('notices that its last lines are missing', async () => {
    expect(await differenceIn(lines.slice(0, -1))).toEqual({
      line: lines.length,
      expected: undefined,
      got: lines.at(-1),
    });
  });

  it('notices lines after its end', async () => {
    const { line, got } = await differenceIn([...lines, lines[5]!]);
    expect([line, got]).toEqual([lines.length + 1, undefined]);
  });

  it('tells a line that is none with its number', async () => {
    const cut = lines.with(40, lines[40]!.slice(0, -5));
    await expect(replayTrace(cut)).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: expect.stringMatching(/line 41/),
    });
  });

  it('refuses a scenario that makes no sense, as running it would', async () => {
    const header = JSON.parse(lines[0]!);
    const wrong = { ...header, scenario: { ...header.scenario, peers: 7 } };
    await expect(replayTrace([JSON.stringify(wrong)])).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: expect.stringMatching(/peers/),
    });
  });
});

function keyOf({ protocol, internal, external }: Record<string, string>): string {
  return `${protocol} ${internal} ${external}`;
}
