import { describe, expect, it } from 'vitest';
import { homes, type RunEvent, runScenario, type Scenario } from '../../src/scenario/index.ts';

const linux = homes({ a: 'linux', b: 'linux' });

/** Runs a scenario and gives its news but those of packets and charts: `at type who`. */
async function watched(scenario: Scenario): Promise<{ news: string[]; events: RunEvent[] }> {
  const events: RunEvent[] = [];
  await runScenario(scenario, { watch: (event) => events.push(event) });
  const told = events.filter(({ type }) => !['packet', 'machine', 'log', 'reachability'].includes(type));
  return { news: told.map((event) => `${event.at} ${event.type} ${'who' in event ? event.who : ''}`.trim()), events };
}

describe('runScenario', () => {
  it('tells what happens while it does', async () => {
    const { news, events } = await watched({
      ...linux,
      dials: [{ at: 2_000, from: 'a', to: 'b', pingEvery: 500, lasts: 1_000 }],
    });
    expect(news.filter((line) => !/ (state|path|signal|pairs|stats|nat)\b/.test(line))).toEqual([
      '0 started a',
      '0 started b',
      '120 listening b',
      '2000 dialed a',
      '2080 ready a',
      '2120 ready b',
      '2160 echo a',
      '2240 pong a',
      '2740 pong a',
      '3160 settled a',
      '3200 verdict b',
      '3200 verdict a',
    ]);
    expect(news.filter((line) => line.includes(' path '))).toEqual([
      '2040 path b',
      '2080 path a',
      '2120 path a',
      '2120 path b',
    ]);
    const ids = new Set(events.flatMap((event) => ('connection' in event ? [event.connection] : [])));
    expect([...ids]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });

  it('tells of packets, charts, candidates and logs', async () => {
    const { events } = await watched(linux);
    const kinds = new Set(events.map(({ type }) => type));
    for (const kind of ['packet', 'machine', 'reachability', 'signal', 'pairs', 'stats', 'nat', 'log'] as const) {
      expect(kinds).toContain(kind);
    }
    const actors = events.flatMap((event) =>
      event.type === 'machine' && event.inspection.type === '@xstate.actor' && 'id' in event.inspection.actorRef
        ? [String(event.inspection.actorRef.id).split(/[ -]/)[0]!]
        : [],
    );
    // The peer's chart, those of its two leases and of its connection.
    for (const actor of ['peer', 'lease', 'connection']) expect(actors).toContain(actor);
  });

  it('tells of what the plan wants to happen', async () => {
    const events = [{ at: 500, type: 'rebind', network: 'a-home' }] as const;
    const { news } = await watched({ ...linux, internet: { ...linux.internet, events } });
    expect(news).toContain('500 world');
  });

  it('gives the stages, paths and packets of both sides', async () => {
    const [dial] = (await runScenario(linux)).dials;
    const traversing = { discover: 'gathered', map: 'mapping', punch: 'checking', fallback: 'relayed' };
    expect(dial).toMatchObject({ from: 'a', to: 'b', dialedAt: 2_000, outcome: 'direct', settled: 160, pongs: [] });
    expect(dial!.path).toMatchObject({ kind: 'direct', transport: 'udp', rtt: 80 });
    expect(dial!.dialer!.stages.slice(-4)).toEqual([
      { at: 80, state: { traversing } },
      { at: 80, state: { connected: { path: 'relayed', liveness: 'fresh' } } },
      { at: 120, state: { connected: { path: 'direct', liveness: 'fresh' } } },
      { at: expect.any(Number), state: 'closed' },
    ]);
    for (const side of [dial!.dialer!, dial!.listener!]) {
      expect(side.paths.map(({ path }) => path?.kind)).toEqual(['relayed', 'direct']);
      expect(side.verdict).toMatchObject({
        outcome: 'direct',
        behaviors: { mine: { mapping: 'endpoint-independent' } },
      });
      expect(side.packets).toBeGreaterThan(10);
      expect(side.packets).toBeLessThan(30);
    }
  });

  it('settles on a relay once both sides have tried for a direct path', async () => {
    const exhausted: string[] = [];
    const scenario = homes({ a: 'hotel-wifi', b: 'hotel-wifi' });
    const { dials } = await runScenario(scenario, {
      watch: (event) => void (event.type === 'exhausted' && exhausted.push(`${event.at - 2_000} ${event.role}`)),
    });
    expect(exhausted.map((line) => line.split(' ')[1]).sort()).toEqual(['dialer', 'listener']);
    expect(dials[0]!.settled).toBe(Math.max(...exhausted.map(Number.parseFloat)));
  });

  it('keeps a connection for as long as the plan says, and pings meanwhile', async () => {
    const { dials, endedAt } = await runScenario({
      ...linux,
      dials: [{ at: 2_000, from: 'a', to: 'b', lasts: 10_000, pingEvery: 1_000 }],
    });
    expect(dials[0]!.pongs.map(({ sentAt, rtt }) => [sentAt, rtt])).toEqual(
      Array.from({ length: 10 }, (_, i) => [160 + 1_000 * i, 80]),
    );
    expect(dials[0]!.pongs.map(({ kind }) => kind)).toEqual(Array(10).fill('direct'));
    expect(endedAt).toBe(12_040);
  });

  it('ends when the plan says, whatever is still under way', async () => {
    const { dials, endedAt, leftOver } = await runScenario({ ...linux, until: 2_100 });
    expect(dials[0]).toMatchObject({ ready: 80, firstEcho: undefined, settled: undefined });
    expect(endedAt).toBeGreaterThanOrEqual(2_100);
    expect(leftOver).toEqual({ timers: 0, sockets: 0 });
  });

  it('without a dial runs to its end', async () => {
    const outcome = await runScenario({ ...linux, dials: [], until: 5_000 });
    expect(outcome).toMatchObject({ dials: [], leftOver: { timers: 0, sockets: 0 } });
    expect(outcome.endedAt).toBeGreaterThanOrEqual(5_000);
  });

  it('starts peers when the plan says, and dials wait for them', async () => {
    const [a, b] = linux.peers;
    const { dials } = await runScenario({ ...linux, peers: [a!, { ...b!, startsAt: 3_000 }] });
    expect(dials[0]).toMatchObject({ dialedAt: 3_120, outcome: 'direct' });
  });

  it('does not kill those by a restart of their host that start after it', async () => {
    const [a, b] = linux.peers;
    const events = [{ at: 500, type: 'restart', host: 'b' }] as const;
    const { dials, leftOver } = await runScenario({
      ...linux,
      internet: { ...linux.internet, events },
      peers: [a!, { ...b!, startsAt: 1_000 }],
    });
    expect(dials[0]!.outcome).toBe('direct');
    expect(leftOver).toEqual({ timers: 0, sockets: 0 });
  });

  it('counts what its peers hold, not the services of their hosts', async () => {
    const events = [{ at: 1_000, type: 'restart', host: 'server', downFor: 60_000 }] as const;
    const { leftOver } = await runScenario({
      internet: { ...linux.internet, events },
      peers: [...linux.peers, { name: 'c', host: 'server' }],
      dials: [],
      until: 5_000,
    });
    expect(leftOver).toEqual({ timers: 0, sockets: 0 });
  });

  it('lets several peers share a host, and one peer be dialled by several', async () => {
    const names = ['x', 'y', 'z'];
    const { dials, leftOver } = await runScenario({
      ...linux,
      peers: [...names.map((name) => ({ name, host: 'a' })), { name: 'b', host: 'b' }],
      dials: names.map((name, i) => ({ at: 2_000, from: name, to: 'b', by: i === 0 ? 'key' : 'ticket' })),
    });
    expect(dials.map(({ from, outcome }) => [from, outcome])).toEqual(names.map((name) => [name, 'direct']));
    expect(new Set(dials.map(({ path }) => path?.local)).size).toBe(3);
    expect(leftOver).toEqual({ timers: 0, sockets: 0 });
  });

  it('lets two dial each other', async () => {
    const { dials } = await runScenario({
      ...linux,
      dials: [
        { at: 2_000, from: 'a', to: 'b' },
        { at: 2_010, from: 'b', to: 'a', by: 'key' },
      ],
    });
    expect(dials.map(({ outcome }) => outcome)).toEqual(['direct', 'direct']);
  });

  it('bounds a dial by its timeout', async () => {
    const { dials } = await runScenario({ ...linux, dials: [{ at: 2_000, from: 'a', to: 'b', timeout: 50 }] });
    expect(dials[0]).toMatchObject({ outcome: 'failed', settled: 50 });
    expect(dials[0]!.dialer!.verdict!.code).toBe('ERR_TIMEOUT');
  });

  it.each([1, 50, 500])(
    'ends with what the watch throws first, at event %i, and tells it nothing more',
    async (last) => {
      let told = 0;
      let at = 0;
      const run = runScenario(linux, {
        watch(event) {
          told++;
          if (told < last) return;
          at = event.at;
          throw new RangeError(`event ${told}`);
        },
      });
      await expect(run).rejects.toThrow(new RangeError(`event ${last}`));
      expect(told).toBe(last);
      expect(at).toBeLessThan(2_100);
    },
  );

  it('tells of a watch that throws while all is being closed', async () => {
    const run = runScenario(linux, {
      watch({ type }) {
        if (type === 'verdict') throw new RangeError('too late');
      },
    });
    await expect(run).rejects.toThrow('too late');
  });

  it('refuses what is no scenario, and networks that do not fit together', async () => {
    await expect(runScenario({ ...linux, until: -1 })).rejects.toMatchObject({ code: 'ERR_USAGE' });
    const networks = [{ name: 'n', above: 'nowhere' }];
    await expect(runScenario({ ...linux, internet: { ...linux.internet, networks } })).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: expect.stringContaining('networks[0].above'),
    });
  });
});

describe('policies', () => {
  const run = async (site: 'linux' | 'hotel-wifi', dialer: 'direct-only' | 'relay-only', both: boolean) => {
    const { peers, ...scenario } = homes({ a: site, b: site });
    const [a, b] = peers;
    const policy = { policy: dialer };
    return (
      await runScenario({
        ...scenario,
        peers: [
          { ...a!, ...policy },
          { ...b!, ...(both && policy) },
        ],
      })
    ).dials[0]!;
  };

  it.each([true, false])(
    'direct-only never touches a relay, and fails where there is no direct path; on both sides: %s',
    async (both) => {
      const direct = await run('linux', 'direct-only', both);
      expect(direct.outcome).toBe('direct');
      for (const side of [direct.dialer, direct.listener]) {
        expect(side!.paths.map(({ path }) => path?.kind)).toEqual(['direct']);
      }
      const failed = await run('hotel-wifi', 'direct-only', both);
      expect(failed).toMatchObject({ outcome: 'failed', path: undefined });
      expect(failed.dialer!.verdict!.code).toBe('ERR_PUNCH_EXHAUSTED');
    },
  );

  it.each([true, false])('relay-only never sends a packet to the other side; on both sides: %s', async (both) => {
    const dial = await run('linux', 'relay-only', both);
    expect(dial).toMatchObject({ outcome: 'relayed', ready: 80, firstEcho: 160, direct: undefined });
    expect(dial.dialer!.verdict!.candidates.local).toEqual([]);
  });
});

it('an hour of an idle connection: kept open by few packets, in little real time', async () => {
  let packets = 0;
  const began = process.cpuUsage();
  const { dials, endedAt, leftOver } = await runScenario(
    { ...linux, dials: [{ at: 2_000, from: 'a', to: 'b', lasts: 3_600_000 }], until: 4_000_000 },
    { watch: (event) => void (event.type === 'packet' && event.record.fate === 'sent' && packets++) },
  );
  const { user, system } = process.cpuUsage(began);
  expect(dials[0]!.outcome).toBe('direct');
  expect(dials[0]!.dialer!.stages.filter(({ at }) => at > 160 && at < 3_600_000)).toEqual([]);
  expect(endedAt).toBe(3_602_040);
  expect(leftOver).toEqual({ timers: 0, sockets: 0 });
  // Of both hosts, the server and the routers: 2.5 a second.
  expect(packets).toBeLessThan(10_000);
  // Some 0.5 s; four times as much where nothing has been compiled yet and others use the machine.
  expect((user + system) / 1e6).toBeLessThan(5);
});
