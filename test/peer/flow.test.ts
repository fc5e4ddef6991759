import { describe, expect, it, vi } from 'vitest';
import { fromPromise } from 'xstate';
import { nodeNetwork } from '../../src/adapters/node/index.ts';
import { TraversalError } from '../../src/core/errors.ts';
import {
  anySide,
  checks,
  defaultFlow,
  defineFlow,
  defineStrategy,
  type Flow,
  interfaces,
  race,
  relay,
  type StepOutput,
  sequence,
  stun,
  when,
} from '../../src/flows/index.ts';
import type { Site } from '../../src/scenario/homes.ts';
import type { DialOutcome } from '../../src/scenario/index.ts';
import { homes, runScenario } from '../../src/scenario/index.ts';
import { ProgramNetwork } from '../../src/scenario/program-network.ts';
import { faultyNetwork } from './faulty-network.ts';
import { meeting } from './meeting.ts';
import { numberedBytes, receiveAll, sendAll, streamBetween } from './transfer.ts';
import { connectedPair, createWorld, untilPath } from './world.ts';

const discover = [interfaces(), stun()] as const;
const nothing = { packets: 0, sockets: 0 };

/** Both peers of two homes with this flow: what came of the dial. */
async function dialWith(flow: Flow, site: Site = 'public', listens = flow): Promise<DialOutcome> {
  const scenario = homes({ a: site, b: site, mapping: false });
  const [a, b] = scenario.peers;
  const { dials, leftOver } = await runScenario(
    {
      ...scenario,
      peers: [
        { ...a!, flow: 'dials' },
        { ...b!, flow: 'listens' },
      ],
    },
    { flows: { dials: flow, listens } },
  );
  expect(leftOver).toEqual({ timers: 0, sockets: 0 });
  return dials[0]!;
}

const attemptsOf = ({ dialer }: DialOutcome) =>
  dialer!.verdict!.attempts.map(({ strategy, ok, reason }) => ({ strategy, ok, reason }));

describe('a strategy of one’s own', () => {
  it('makes a path from a socket of its own, which carries the session and is closed with it', async () => {
    await using world = createWorld();
    const flow = defineFlow({ discover, punch: meeting(), fallback: relay() });
    const networks = [0, 1].map(() => new ProgramNetwork(faultyNetwork(nodeNetwork(), 'none')));
    const { here, there } = await connectedPair(world, {
      dialer: { flow, env: { network: networks[0]! } },
      listener: { flow, env: { network: networks[1]! } },
    });
    await Promise.all([untilPath(here, 'direct'), untilPath(there, 'direct')]);
    expect(here.path).toMatchObject({ strategy: 'meeting', transport: 'udp' });
    const bytes = numberedBytes(200_000);
    const [opened, accepted] = await streamBetween(here, there);
    const [received] = await Promise.all([receiveAll(accepted), sendAll(opened, bytes)]);
    expect(received.equals(bytes)).toBe(true);
    const open = networks.map((network) => network.open);
    await here.close();
    const verdict = await here.verdict;
    expect(verdict).toMatchObject({ outcome: 'direct' });
    expect(verdict.attempts.find(({ strategy }) => strategy === 'meeting')).toMatchObject({ ok: true });
    await there.verdict;
    await world[Symbol.asyncDispose]();
    expect(open).toEqual([3, 3]);
    await vi.waitFor(() => expect(networks.map((network) => network.open)).toEqual([0, 0]));
  });

  it('wins a race without any checks, in the simulator too', async () => {
    const { path, dialer, direct } = await dialWith(defineFlow({ discover, punch: meeting(), fallback: relay() }));
    expect(path).toMatchObject({ kind: 'direct', strategy: 'meeting' });
    expect(direct).toBeLessThan(200);
    expect(dialer!.verdict!.attempts.map(({ strategy }) => strategy).sort()).toEqual(['meeting', 'relay']);
  });

  it('is aborted when it loses, and its sockets are closed; late ones too', async () => {
    const aborted: unknown[] = [];
    const loser = defineStrategy({
      name: 'loser',
      gives: 'direct',
      bounds: { time: 10_000, packets: 0, sockets: 2 },
      async run({ env }) {
        await env.network.udp({ family: 4 });
        env.signal.addEventListener('abort', () => aborted.push(env.signal.reason.code));
        await new Promise<void>((resolve) => env.signal.addEventListener('abort', () => resolve()));
        await env.network.udp({ family: 4 }).catch((error) => aborted.push(error.code));
        return { ok: false, reason: 'it lost' };
      },
    });
    const flow = defineFlow({ discover, punch: race([loser, meeting()], { stagger: 10 }), fallback: relay() });
    const outcome = await dialWith(flow);
    expect(outcome.path).toMatchObject({ strategy: 'meeting' });
    expect(aborted).toEqual(['ERR_ABORTED', 'ERR_ABORTED', 'ERR_ABORTED', 'ERR_ABORTED']);
    expect(attemptsOf(outcome)).toContainEqual({
      strategy: 'loser',
      ok: false,
      reason: expect.stringContaining('1 socket was left open, and closed'),
    });
  });

  it('has its path closed when it loses the race after it was adopted', async () => {
    const closed: string[] = [];
    const hesitant = defineStrategy({
      name: 'hesitant',
      gives: 'direct',
      bounds: { time: 10_000, packets: 10, sockets: 1 },
      async run({ env, role }) {
        const socket = await env.network.udp({ family: 4 });
        const { NEVER } = await import('rxjs');
        env.adopt({
          info: { id: 'h', kind: 'direct', transport: 'udp', local: 'a', remote: 'b', strategy: 'x' },
          send: () => true,
          datagrams$: NEVER,
          close: () => void closed.push(role),
        });
        await new Promise((resolve) => env.signal.addEventListener('abort', resolve));
        socket.close();
        return { ok: true, path: 'h' };
      },
    });
    const flow = defineFlow({ discover, punch: race([hesitant, meeting()], { stagger: 10 }), fallback: relay() });
    const { path } = await dialWith(flow);
    expect(path).toMatchObject({ strategy: 'meeting' });
    expect(closed.sort()).toEqual(['dialer', 'listener']);
  });

  it('may throw: it has failed, with the error’s code, and the next one has its turn', async () => {
    const broken = (name: string, error: Error) =>
      defineStrategy({
        name,
        gives: 'direct',
        bounds: { time: 1_000, ...nothing },
        run: () => {
          throw error;
        },
      });
    const flow = defineFlow({
      discover,
      punch: sequence([
        broken('mistaken', new TypeError('no such thing')),
        broken('refused', new TraversalError('ERR_BUSY', 'too much')),
        checks(),
      ]),
      fallback: relay(),
    });
    const outcome = await dialWith(flow, 'home-router');
    expect(outcome.path).toMatchObject({ kind: 'direct', strategy: 'checks' });
    expect(attemptsOf(outcome)).toEqual(
      expect.arrayContaining([
        { strategy: 'mistaken', ok: false, reason: 'no such thing' },
        { strategy: 'refused', ok: false, reason: 'too much' },
      ]),
    );
  });
});

describe('bounds', () => {
  const greedy = (name: string, packets: number, told: unknown[]) =>
    defineStrategy({
      name,
      gives: 'direct',
      bounds: { time: 1_000, packets, sockets: 2 },
      async run({ env, role }) {
        const socket = await env.network.udp({ family: 4 });
        await env.network.udp({ family: 6 });
        const third = await env.network.udp({ family: 4 }).catch((error) => error.code);
        const to = { address: '192.0.2.10', port: 9, family: 4 } as const;
        const sent = Array.from({ length: 20 }, () => socket.send(Buffer.from('x'), to)).filter(Boolean);
        if (role === 'dialer') told.push({ name, third, sent: sent.length });
        return { ok: false, reason: 'only greedy' };
      },
    });

  it('are kept: more sockets are refused, more packets dropped', async () => {
    const told: unknown[] = [];
    const flow = defineFlow({ discover, punch: greedy('greedy', 7, told), fallback: relay() });
    const outcome = await dialWith(flow);
    expect(told).toEqual([{ name: 'greedy', third: 'ERR_BUSY', sent: 7 }]);
    const attempt = outcome.dialer!.verdict!.attempts.find(({ strategy }) => strategy === 'greedy');
    expect(attempt).toMatchObject({ sent: 7, reason: 'only greedy; 2 sockets were left open, and closed' });
  });

  it('of a race hold for all in it together', async () => {
    const told: unknown[] = [];
    const contest = race([greedy('first', 7, told), greedy('second', 7, told)], { packets: 10 });
    await dialWith(defineFlow({ discover, punch: contest, fallback: relay() }));
    expect(told).toEqual([
      { name: 'first', third: 'ERR_BUSY', sent: 7 },
      { name: 'second', third: 'ERR_BUSY', sent: 3 },
    ]);
  });
});

describe('a flow', () => {
  const helpless = defineStrategy({
    name: 'helpless',
    gives: 'direct',
    bounds: { time: 1_000, ...nothing },
    run: async () => ({ ok: false, reason: 'cannot' }),
  });

  it('without a fallback never uses a relay, and fails when punching does', async () => {
    const flow = defineFlow({ discover, punch: helpless });
    const { dialer, path } = await dialWith(flow);
    expect(path).toBeUndefined();
    expect(dialer!.verdict).toMatchObject({ outcome: 'failed', code: 'ERR_PUNCH_EXHAUSTED', paths: [] });
    expect(dialer!.stages.some(({ state }) => JSON.stringify(state).includes('"fallback":"unavailable"'))).toBe(true);
  });

  it('whose strategies all fail at once does not begin them without end', async () => {
    let runs = 0;
    const counted = defineStrategy({
      name: 'counted',
      gives: 'direct',
      bounds: { time: 1_000, ...nothing },
      async run() {
        runs++;
        return { ok: false, reason: 'cannot' };
      },
    });
    const scenario = homes({ a: 'public', b: 'public', mapping: false });
    const [a, b] = scenario.peers;
    const { dials } = await runScenario(
      {
        ...scenario,
        internet: { ...scenario.internet, events: [{ at: 10_000, type: 'restart', host: 'server', downFor: 5_000 }] },
        peers: [
          { ...a!, flow: 'counted' },
          { ...b!, flow: 'counted' },
        ],
        dials: [{ at: 2_000, from: 'a', to: 'b', lasts: 30_000 }],
      },
      { flows: { counted: defineFlow({ discover, punch: counted, fallback: relay() }) } },
    );
    expect(dials[0]!.dialer!.stages.map(({ state }) => Object.keys(state)[0])).toContain('recovering');
    expect(runs).toBeGreaterThan(4);
    expect(runs).toBeLessThan(60);
  });

  it('skips what its evidence is not there for, and says so in the verdict', async () => {
    const flow = defineFlow({
      discover,
      punch: sequence([when(anySide({ mapping: 'address-and-port-dependent' }), helpless), checks()]),
      fallback: relay(),
    });
    const plain = await dialWith(flow, 'home-router');
    expect(attemptsOf(plain)).toContainEqual({
      strategy: 'helpless',
      ok: false,
      reason: expect.stringContaining('address-and-port-dependent'),
    });
  });

  it('is told what becomes known while it runs', async () => {
    const patient = defineStrategy({
      name: 'patient',
      gives: 'direct',
      bounds: { time: 3_000, ...nothing },
      run: async ({ env }) => {
        await new Promise<void>((resolve) => env.clock.setTimeout(resolve, 1_000));
        return { ok: false, reason: 'waited' };
      },
    });
    const flow = defineFlow({
      discover,
      punch: sequence([patient, when(anySide({ mapping: 'address-and-port-dependent' }), checks())]),
      fallback: relay(),
    });
    const { dialer } = await dialWith(flow, 'hotel-wifi');
    expect(dialer!.verdict!.attempts.map(({ strategy }) => strategy)).toEqual(
      expect.arrayContaining(['patient', 'checks']),
    );
  });

  it('takes an actor that was given by provide() in the place of a strategy', async () => {
    const flow = defineFlow({ discover, punch: sequence([helpless, checks()]), fallback: relay() });
    let ran = 0;
    const swapped = flow.with({
      punch: flow.punch.provide({
        actors: {
          helpless: fromPromise<StepOutput<'direct'>>(async () => {
            ran++;
            return { ok: false, reason: 'swapped', attempts: [] };
          }),
        },
      }),
    });
    const outcome = await dialWith(swapped, 'home-router');
    expect(ran).toBe(2);
    expect(outcome.path).toMatchObject({ strategy: 'checks' });
  });

  it('may be another on each side', async () => {
    const outcome = await dialWith(
      defaultFlow,
      'home-router',
      defineFlow({ discover, punch: helpless, fallback: relay() }),
    );
    expect(outcome.path).toMatchObject({ kind: 'relayed' });
    expect(outcome.listener!.verdict!.attempts.map(({ strategy }) => strategy)).toContain('helpless');
  });

  it('gives its policy, which the peer’s own overrides', async () => {
    const flow = defineFlow({ discover, punch: helpless, fallback: relay(), policy: 'relay-only' });
    const { dialer } = await dialWith(flow);
    expect(dialer!.verdict).toMatchObject({ outcome: 'relayed', candidates: { local: [], remote: [] } });
    expect(dialer!.verdict!.attempts.map(({ strategy }) => strategy)).toEqual(['relay']);
  });
});

describe('the end of a connection', () => {
  const endless = defineStrategy({
    name: 'endless',
    gives: 'direct',
    bounds: { time: 60_000, packets: 0, sockets: 1 },
    async run({ env }) {
      await env.network.udp({ family: 4 });
      await new Promise((resolve) => env.signal.addEventListener('abort', resolve));
      return { ok: false, reason: 'aborted' };
    },
  });

  it('aborts the strategies that run, and closes their sockets', async () => {
    const { dialer, listener } = await dialWith(defineFlow({ discover, punch: endless, fallback: relay() }));
    for (const side of [dialer!, listener!]) {
      expect(side.verdict!.attempts.find(({ strategy }) => strategy === 'endless')).toMatchObject({
        ok: false,
        reason: expect.stringContaining('1 socket was left open, and closed'),
      });
    }
  });

  it('comes at once while a strategy runs that takes no notice', async () => {
    await using world = createWorld();
    const deaf = defineStrategy({
      name: 'deaf',
      gives: 'direct',
      bounds: { time: 60_000, ...nothing },
      run: () => new Promise(() => {}),
    });
    const flow = defineFlow({ discover, punch: deaf, fallback: relay() });
    const { here, there } = await connectedPair(world, { dialer: { flow }, listener: { flow } });
    await here.close();
    expect((await here.verdict).attempts.find(({ strategy }) => strategy === 'deaf')).toMatchObject({ ok: false });
    await there.verdict;
  });

  it('leaves nothing behind, a hundred times', async () => {
    const scenario = homes({ a: 'home-router', b: 'linux', mapping: false });
    const [a, b] = scenario.peers;
    const dials = Array.from({ length: 100 }, (_, i) => ({ at: 2_000 + 10 * i, from: 'a', to: 'b' }));
    const flow = defineFlow({ discover, punch: race([endless, checks()]), fallback: relay() });
    const { dials: outcomes, leftOver } = await runScenario(
      {
        ...scenario,
        peers: [
          { ...a!, flow: 'flow' },
          { ...b!, flow: 'flow' },
        ],
        dials,
      },
      { flows: { flow } },
    );
    expect(new Set(outcomes.map(({ outcome, path }) => `${outcome} by ${path?.strategy}`))).toEqual(
      new Set(['direct by checks']),
    );
    expect(leftOver).toEqual({ timers: 0, sockets: 0 });
  }, 60_000);
});

describe('a run of a scenario', () => {
  it('says which flow it was not given', async () => {
    const scenario = homes({ a: 'public', b: 'public' });
    const peers = scenario.peers.map((peer) => ({ ...peer, flow: 'mine' }));
    await expect(runScenario({ ...scenario, peers })).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: 'peers[0].flow: the run was given no flow mine',
    });
  });
});

describe('the checks of a flow', () => {
  it('leave out the candidates that were not asked for, until another call does', async () => {
    const tcpOnly = await dialWith(defineFlow({ discover, punch: checks({ transports: ['tcp'] }), fallback: relay() }));
    expect(tcpOnly.path).toMatchObject({ kind: 'direct', transport: 'tcp' });
    const hostsOnly = defineFlow({ discover, punch: checks({ types: ['host'] }), fallback: relay() });
    expect((await dialWith(hostsOnly, 'home-router')).path).toMatchObject({ kind: 'relayed' });
    const both = defineFlow({ discover, punch: sequence([checks({ types: ['host'] }), checks()]), fallback: relay() });
    expect((await dialWith(both, 'home-router')).path).toMatchObject({ kind: 'direct', transport: 'udp' });
  });
});
