import { concatMap, firstValueFrom, fromEvent, takeUntil } from 'rxjs';
import type { RemoteCandidate } from '../../core/candidate.ts';
import { type Endpoint, endpoint, sameEndpoint } from '../../core/endpoint.ts';
import { TraversalError } from '../../core/errors.ts';
import { parseIp } from '../../core/ip-address.ts';
import type { NatBehavior } from '../../core/nat-behavior.ts';
import type { DatagramSocket } from '../../core/network.ts';
import type { Facts, Json, PathEnvironment, StrategyInput, StrategyResult } from '../../core/strategy.ts';
import {
  isPortSequence,
  mayBeInSequence,
  type Predicted,
  readSequence,
  sweep,
} from '../../protocol/prediction/index.ts';
import { after } from '../../streams/after.ts';
import { defineStrategy } from '../define-strategy.ts';
import type { StrategyStep } from '../step.ts';
import { fieldsOf, wholeNumber } from '../usage.ts';
import { SAMPLE_PACKETS, SAMPLE_TIME, samplePorts } from './port-samples.ts';
import { probe, prove } from './probing.ts';
import { isOfKind, seenEndpoints } from './told-endpoints.ts';

export interface PredictOptions {
  /** Ports of the other side that are guessed, in sequence, 1..256. Default 64. */
  readonly window?: number;
}

/**
 * Guesses the port that the NAT will give out next, where it does so in sequence: each side looks at the ports of a few new mappings, tells
 * the other what it saw, and both send to the ports that come next, from a socket each. It meets the other side when fewer than `window`
 * ports were taken by others meanwhile, twice those of the listener's side. Without an order in the ports that candidates show, nothing is
 * sent. Nobody can aim it at others, as with `spray`.
 */
export function predict(options: PredictOptions = {}): StrategyStep<'direct'> {
  const { window = 64 } = fieldsOf('predict', options, ['window']);
  wholeNumber('predict.window', window, 1, 256);
  return defineStrategy({
    name: 'predict',
    gives: 'direct',
    bounds: {
      time: AGREEMENT + SAMPLE_TIME + (PASSES * window * 1000) / RATE + PATIENCE + PROOF,
      packets: SAMPLES * SAMPLE_PACKETS + PASSES * window + ANSWERS,
      sockets: SAMPLES + 1,
    },
    twoSided: { version: 1, vouched: true },
    run: (input) => run(input, window),
  });
}

/** Sockets whose ports are looked at. */
const SAMPLES = 4;
/** Times that each port is sent to: a packet may be lost, or come before the other side has begun. */
const PASSES = 3;
/** Packets a second. */
const RATE = 1000;
/** ms until both sides have proven their keys and agreed. */
const AGREEMENT = 15_000;
/** ms for the last packet to be answered. */
const PATIENCE = 1000;
/** ms for what was heard to be proven. */
const PROOF = 5000;
/** Packets to the other side beyond those that guess. */
const ANSWERS = 32;

async function run(input: StrategyInput<'direct'>, window: number): Promise<StrategyResult<'direct'>> {
  const { env, role } = input;
  await env.authenticated;
  const obstacle = obstacleTo(env.facts);
  if (obstacle !== undefined) return { ok: false, reason: obstacle };
  const socket = await env.network.udp({ family: 4 });
  let isTaken = false;
  try {
    const mine = await predictOwn(env, socket);
    if (mine === undefined) return { ok: false, reason: 'the ports that the NAT here gives out are in no sequence' };
    const { params } = await env.agree(tell(mine));
    const theirs = readProposal(params, env.facts);
    const ports = sweep(theirs.predicted, mine.predicted, { role, window });
    const targets = Array.from({ length: PASSES }, () => ports).flatMap((pass) =>
      pass.map((port) => ({ ...theirs.at, port })),
    );
    const expects = (from: Endpoint): boolean => targets.some((target) => sameEndpoint(target, from));
    const reached$ = probe(env, { socket, targets, rate: RATE, expects }).pipe(
      takeUntil(after(env.clock, (PASSES * window * 1000) / RATE + PATIENCE)),
      concatMap((heard) => prove(env, heard)),
      takeUntil(fromEvent(env.signal, 'abort')),
    );
    const reached = await firstValueFrom(reached$, { defaultValue: undefined });
    env.signal.throwIfAborted();
    if (reached === undefined) {
      return { ok: false, reason: `none of ${ports.length} guessed ports was right`, code: 'ERR_PUNCH_EXHAUSTED' };
    }
    isTaken = true;
    return { ok: true, path: reached.path };
  } finally {
    if (!isTaken) socket.close();
  }
}

/** Why there is nothing to guess, or no way to, as far as it is known; `undefined` where there may be. */
function obstacleTo({ behaviors: { mine, theirs }, local, remote }: Knowledge): string | undefined {
  if (mine.mapping === 'unknown') return 'it is not known what the mapping here depends on';
  if (isFixed(mine) && isFixed(theirs)) return 'no port has to be guessed: both mappings are endpoint-independent';
  if (seenEndpoints(local).length === 0) return 'no server has seen an IPv4 address of this side';
  if (!isFixed(mine) && !mayBePredicted(local)) return 'the ports of this side’s candidates are in no sequence';
  if (isDependent(theirs) && !mayBePredicted(remote))
    return 'the ports of the other side’s candidates are in no sequence';
  return undefined;
}

/** Whether a side shows ports in sequence, and nothing is known that stands in the way. */
export function showsSequence(knowledge: Knowledge): boolean {
  const { behaviors, local, remote } = knowledge;
  const isShown = (behavior: NatBehavior, candidates: readonly RemoteCandidate[]): boolean =>
    isDependent(behavior) && mayBePredicted(candidates);
  const shown = isShown(behaviors.mine, local) || isShown(behaviors.theirs, remote);
  return shown && obstacleTo(knowledge) === undefined;
}

type Knowledge = Pick<Facts, 'behaviors' | 'local' | 'remote'>;

/** By the mappings towards several STUN servers, which are told as candidates. */
function mayBePredicted(candidates: readonly RemoteCandidate[]): boolean {
  return mayBeInSequence(seenEndpoints(candidates).map(({ port }) => port));
}

/** What one side says of itself: its address, and the ports to come. */
interface Prediction {
  /** With the latest port. */
  readonly at: Endpoint;
  readonly predicted: Predicted;
}

/** What the mapping of `socket` towards the other side will be; `undefined` where its port cannot be known. */
async function predictOwn(env: PathEnvironment, socket: DatagramSocket): Promise<Prediction | undefined> {
  const { mine } = env.facts.behaviors;
  if (isFixed(mine)) {
    const [at] = await samplePorts(env, [socket]);
    return at && { at, predicted: { sequence: { last: at.port, step: 0 }, isPerPort: false } };
  }
  const sockets = await Promise.all(Array.from({ length: SAMPLES }, () => env.network.udp({ family: 4 })));
  const samples = await samplePorts(env, sockets).finally(() => {
    for (const sampled of sockets) sampled.close();
  });
  const seen = samples.filter((at) => at !== undefined);
  const at = seen.at(-1);
  if (at === undefined || seen.length < samples.length || seen.some(({ address }) => address !== at.address))
    return undefined;
  const sequence = readSequence(seen.map(({ port }) => port));
  return sequence && { at, predicted: { sequence, isPerPort: mine.mapping === 'address-and-port-dependent' } };
}

function tell({ at, predicted: { sequence, isPerPort } }: Prediction): Json {
  return { address: at.address, last: sequence.last, step: sequence.step, isPerPort };
}

/** From outside. Errors: `ERR_PROTOCOL`; an address that the other side has not told as a candidate is one, too. */
function readProposal(params: Json, { local, remote }: Knowledge): Prediction {
  const { address, last, step, isPerPort } = Object(params) as Readonly<Record<string, unknown>>;
  const sequence = { last, step };
  if (
    typeof address !== 'string' ||
    parseIp(address)?.family !== 4 ||
    !isPortSequence(sequence) ||
    typeof isPerPort !== 'boolean'
  ) {
    throw new TraversalError('ERR_PROTOCOL', 'the other side does not say which ports it will have');
  }
  const at = endpoint(address, sequence.last);
  if (!seenEndpoints(remote).some((known) => known.address === at.address) || !isOfKind(at, local)) {
    throw new TraversalError(
      'ERR_PROTOCOL',
      `the other side names ${at.address}, which is no address of its candidates`,
    );
  }
  return { at, predicted: { sequence, isPerPort } };
}

function isFixed({ mapping }: Pick<NatBehavior, 'mapping'>): boolean {
  return mapping === 'endpoint-independent';
}

function isDependent(behavior: Pick<NatBehavior, 'mapping'>): boolean {
  return behavior.mapping !== 'unknown' && !isFixed(behavior);
}
