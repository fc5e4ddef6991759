import { simNetwork } from '../../src/adapters/sim/index.ts';
import type { Candidate } from '../../src/core/candidate.ts';
import { Deferred } from '../../src/core/deferred.ts';
import { type ErrorCode, TraversalError } from '../../src/core/errors.ts';
import { silentLog } from '../../src/core/log.ts';
import { unknownBehavior } from '../../src/core/nat-behavior.ts';
import type { ByteSocket } from '../../src/core/network.ts';
import { pause } from '../../src/core/pause.ts';
import type { Facts, Json, PathEnvironment, StrategyInput, StrategyResult } from '../../src/core/strategy.ts';
import type { Strategy } from '../../src/flows/index.ts';
import { type PacketAccount, RaceAccounts, ScopedNetwork } from '../../src/flows/index.ts';
import { hostCandidates } from '../../src/peer/local-candidates.ts';
import { createCheckBudget } from '../../src/protocol/ice/index.ts';
import type { Internet } from '../../src/sim/index.ts';
import { StreamSide } from '../peer/stream-side.ts';
import { LEFT, RIGHT } from '../protocol/ice/pair-of-agents.ts';

export interface RigOptions {
  /** A world with these two hosts, and a host `server` with STUN. */
  readonly world: Internet;
  readonly dialer: string;
  readonly listener: string;
  readonly strategy: Strategy<'direct'>;
  /** ms from one side to the other, as messages go. */
  readonly crossing?: number;
  /** STUN servers; default: both ports of `server`. */
  readonly stun?: readonly string[];
  /** Packets that each side may aim at addresses that it was told; default: what checks may. */
  readonly aims?: number;
  /** Changes what a side tells the other. */
  readonly forge?: (params: Json, role: 'dialer' | 'listener') => Json;
}

/** How one side's run ended, and what is left of it. */
export interface RigResult {
  readonly result: StrategyResult<'direct'>;
  readonly side: StreamSide;
  /** ms. */
  readonly took: number;
  /** Packets that count for the strategy's bounds. */
  readonly sent: number;
  /** Sockets that were still open at its end, of which nobody had taken over. */
  readonly leftOpen: number;
}

/**
 * Runs both sides of a two-sided strategy between two hosts of a simulated internet, without peers: what they say to each other always
 * arrives.
 */
export async function runBothSides(
  options: RigOptions,
): Promise<{ dialer: RigResult; listener: RigResult | undefined }> {
  const { world, crossing = 40, forge = (params) => params } = options;
  const { clock } = world;
  let listening: Promise<RigResult> | undefined;
  const dialer = run(options, 'dialer', async (proposed) => {
    const accepted = new Deferred<Json>();
    await pause(clock, crossing);
    listening = run(options, 'listener', async (params) => {
      void pause(clock, crossing).then(() => accepted.resolve(forge(params, 'listener')));
      await pause(clock, crossing);
      return forge(proposed, 'dialer');
    });
    void listening.then(async ({ result }) => {
      await pause(clock, crossing);
      accepted.reject(new TraversalError('ERR_DECLINED', result.ok ? 'it did not agree' : result.reason));
    });
    return accepted.promise;
  });
  const ended = await clock.runUntil(dialer);
  return { dialer: ended, listener: listening && (await clock.runUntil(listening)) };
}

async function run(
  options: RigOptions,
  role: 'dialer' | 'listener',
  exchange: (params: Json) => Promise<Json>,
): Promise<RigResult> {
  const { world, strategy, crossing = 40, aims = Number.POSITIVE_INFINITY } = options;
  const { clock } = world;
  const host = options[role];
  const random = world.random.stream(`${role} ${strategy.name}`);
  const account: PacketAccount = new RaceAccounts().open(strategy.bounds.packets, []);
  const over = new AbortController();
  const network = new ScopedNetwork({
    network: simNetwork(world.hostNamed(host)),
    account,
    sockets: strategy.bounds.sockets,
    signal: over.signal,
  });
  const credentials = role === 'dialer' ? { mine: LEFT, theirs: RIGHT } : { mine: RIGHT, theirs: LEFT };
  const onHandOver = (socket: ByteSocket): void => network.handOver(socket);
  const side = new StreamSide({ role, clock, random, credentials, onHandOver });
  const facts: Facts = {
    role,
    policy: 'relay-first',
    local: candidatesOf(world, host),
    remote: [],
    behaviors: { mine: unknownBehavior, theirs: unknownBehavior },
  };
  const budget = createCheckBudget().share('other');
  let aimed = 0;
  const env: Partial<PathEnvironment> = {
    facts,
    network,
    clock,
    random,
    log: silentLog,
    stun: options.stun ?? ['server:3478', 'server:3479'],
    signal: over.signal,
    mayAim: (at) => aimed++ < aims && budget.take(at, clock.now()),
    agree: async (params = null) => ({ params: await exchange(params), vouched: true, crossing }),
    validate: (link) =>
      'stream' in link ? side.validate(link.stream) : Promise.reject(new Error('no socket is validated here')),
  };
  const input: StrategyInput<'direct'> = { ...facts, env: env as PathEnvironment };
  const since = clock.now();
  const result = await resultOf(strategy, input);
  const took = clock.now() - since;
  over.abort(new TraversalError('ERR_ABORTED', 'the run is over'));
  return { result, side, took, sent: account.sent, leftOpen: network.closeAll() };
}

async function resultOf(
  { logic }: Strategy<'direct'>,
  input: StrategyInput<'direct'>,
): Promise<StrategyResult<'direct'>> {
  if (!('run' in logic)) throw new Error('the rig runs functions only');
  try {
    return await logic.run(input);
  } catch (error) {
    if (!(error instanceof TraversalError)) throw error;
    return { ok: false, reason: error.message, code: error.code as ErrorCode };
  }
}

function candidatesOf(world: Internet, host: string): readonly Candidate[] {
  const interfaces = simNetwork(world.hostNamed(host)).interfaces();
  return ([4, 6] as const).flatMap((family) => {
    const local = { address: family === 4 ? '0.0.0.0' : '::', port: 7000, family };
    return hostCandidates(interfaces, { transport: 'udp', local }, { loopback: false });
  });
}
