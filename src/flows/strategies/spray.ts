import { concatMap, EMPTY, firstValueFrom, fromEvent, merge, mergeMap, type Observable, share, takeUntil } from 'rxjs';
import type { Endpoint } from '../../core/endpoint.ts';
import { TraversalError } from '../../core/errors.ts';
import type { Dependence, NatBehavior } from '../../core/nat-behavior.ts';
import type { DatagramSocket } from '../../core/network.ts';
import type { Facts, Json, PathEnvironment, StrategyInput, StrategyResult } from '../../core/strategy.ts';
import { drawPorts, PROBE_BUDGET, type SprayRoles, sprayRoles } from '../../protocol/spray/index.ts';
import { after } from '../../streams/after.ts';
import { paced } from '../../streams/paced.ts';
import { defineStrategy } from '../define-strategy.ts';
import type { StrategyStep } from '../step.ts';
import { fieldsOf, wholeNumber } from '../usage.ts';
import { type Heard, probe, prove } from './probing.ts';
import { readEndpoints, seenEndpoints, tellEndpoints } from './told-endpoints.ts';

export interface SprayOptions {
  /** What a side sends to the other at most, 2..1300. Default 1280. */
  readonly packets?: number;
  /** Of these, how many open a socket each, fewer than `packets`; the rest are probes. Default 256. */
  readonly sockets?: number;
  /** Probes a second, at most 10,000, and at least so many that they take no more than a minute. Default 1000. */
  readonly rate?: number;
}

/**
 * Guesses a port (a birthday attack on the NAT): the side whose external ports depend on the destination opens many sockets towards the
 * other, which probes random ports of its address until it hits one. With 256 sockets and 1024 probes it does so in 98.35 % of all runs,
 * after 251 probes on average. It takes one side whose mapping does not depend on the destination, or whose filter is open to all ports of
 * an address that it has sent to.
 *
 * Nobody can aim it at others: it starts inside the session, goes to an address only that the other side names there and has told as a
 * candidate, and to each with so many packets at most, whatever flows and connections ask for.
 */
export function spray(options: SprayOptions = {}): StrategyStep<'direct'> {
  const { packets = 1280, sockets = 256, rate = 1000 } = fieldsOf('spray', options, ['packets', 'sockets', 'rate']);
  wholeNumber('spray.packets', packets, 2, PROBE_BUDGET.address);
  wholeNumber('spray.sockets', sockets, 1, packets - 1);
  const probes = packets - sockets;
  wholeNumber('spray.rate', rate, Math.ceil((probes * 1000) / LONGEST), 10_000);
  return defineStrategy({
    name: 'spray',
    gives: 'direct',
    // Answers to what is heard, and the checks that prove it, count as well.
    bounds: {
      time: AGREEMENT + Math.ceil((probes * 1000) / rate) + PATIENCE + PROOF,
      packets: packets + ANSWERS,
      sockets,
    },
    twoSided: { version: 1, vouched: true },
    run: (input) => run(input, { probes, sockets, rate }),
  });
}

/** What the options come to. */
interface Effort {
  readonly probes: number;
  readonly sockets: number;
  readonly rate: number;
}

/** ms until both sides have proven their keys and agreed. */
const AGREEMENT = 15_000;
/** ms for the last probe to be answered. */
const PATIENCE = 1000;
/** ms for what was heard to be proven. */
const PROOF = 5000;
/** Packets to the other side beyond those that open and guess. */
const ANSWERS = 64;
/** Sockets a second that send the packet which opens the NAT: 256 in 16 ms. */
const OPENING_RATE = 16_000;
/** ms that the other side may take for its part. */
const LONGEST = 60_000;

async function run({ env }: StrategyInput<'direct'>, effort: Effort): Promise<StrategyResult<'direct'>> {
  await env.authenticated;
  const { behaviors, local } = env.facts;
  const obstacle = obstacleTo(behaviors);
  if (obstacle !== undefined) return { ok: false, reason: obstacle };
  const seen = seenEndpoints(local);
  if (seen.length === 0) return { ok: false, reason: 'no server has seen an IPv4 address of this side' };
  const sockets = new Set<DatagramSocket>();
  try {
    const lasts = Math.ceil((1000 * effort.probes) / effort.rate);
    const { mapping, filtering } = behaviors.mine;
    const { params } = await env.agree({ at: tellEndpoints(seen), mapping, filtering, lasts });
    const theirs = readProposal(params, env.facts);
    const roles = sprayRoles(behaviors.mine, theirs);
    if (typeof roles === 'string') return { ok: false, reason: roles };
    if (roles.opens) await openSockets(env, effort.sockets, sockets);
    env.signal.throwIfAborted();
    const over$ = after(env.clock, Math.max(lasts, theirs.lasts) + PATIENCE).pipe(share());
    const opening$ = roles.opens ? opening(env, [...sockets], theirs.at[0]) : EMPTY;
    const guessing$ = roles.probes ? guessing(env, theirs.at, effort) : EMPTY;
    const reached$ = merge(
      // One after the other, so that the other side is not led to sockets that will be closed.
      opening$.pipe(
        takeUntil(over$),
        concatMap((heard) => prove(env, heard)),
      ),
      guessing$.pipe(
        takeUntil(over$),
        mergeMap((heard) => prove(env, heard)),
      ),
    ).pipe(takeUntil(fromEvent(env.signal, 'abort')));
    const reached = await firstValueFrom(reached$, { defaultValue: undefined });
    env.signal.throwIfAborted();
    if (reached === undefined) return { ok: false, reason: describeMiss(roles, effort), code: 'ERR_PUNCH_EXHAUSTED' };
    if (reached.socket !== undefined) sockets.delete(reached.socket);
    return { ok: true, path: reached.path };
  } finally {
    for (const socket of sockets) socket.close();
  }
}

/** Why there is nothing to guess, or no way to, as far as it is known; the other side tells what it knows of itself. */
function obstacleTo({ mine, theirs }: Facts['behaviors']): string | undefined {
  const roles = sprayRoles(mine, theirs);
  const isOpen = mine.mapping !== 'unknown' && theirs.mapping === 'unknown';
  return typeof roles === 'string' && !isOpen ? roles : undefined;
}

/** As many as there can be, which are fewer where the system bounds open files. Errors: those of `Network.udp`, when there is none. */
async function openSockets({ network }: PathEnvironment, count: number, sockets: Set<DatagramSocket>): Promise<void> {
  const opening = await Promise.allSettled(Array.from({ length: count }, () => network.udp({ family: 4 })));
  for (const opened of opening) if (opened.status === 'fulfilled') sockets.add(opened.value);
  const failed = opening.find(({ status }) => status === 'rejected');
  if (sockets.size === 0 && failed?.status === 'rejected') throw failed.reason;
}

/** Each socket sends a packet to the other side, and the NAT makes a mapping for it, which then waits to be hit. */
function opening(env: PathEnvironment, sockets: readonly DatagramSocket[], target: Endpoint): Observable<Heard> {
  // The probes may come from another port: the other side's mapping can depend on our address.
  const expects = (from: Endpoint): boolean => from.address === target.address;
  return paced(env.clock, sockets.length, OPENING_RATE).pipe(
    mergeMap((i) => probe(env, { socket: sockets[i]!, targets: [target], rate: OPENING_RATE, expects })),
  );
}

/** The peer's own socket, whose external port the other side has opened its NAT to, probes different ports. */
function guessing(env: PathEnvironment, at: readonly Endpoint[], { probes, rate }: Effort): Observable<Heard> {
  const addresses = [...new Map(at.map((endpoint) => [endpoint.address, endpoint])).values()];
  const ports = drawPorts(env.random, probes);
  const targets = ports.map((port, i): Endpoint => ({ ...addresses[i % addresses.length]!, port }));
  const probed = new Set(ports);
  const expects = ({ address, port }: Endpoint): boolean =>
    probed.has(port) && addresses.some((one) => one.address === address);
  return probe(env, { targets, rate, expects });
}

/** What the other side says of itself. */
interface Proposal extends Pick<NatBehavior, 'mapping' | 'filtering'> {
  readonly at: readonly [Endpoint, ...Endpoint[]];
  /** ms that it guesses for, if it has to. */
  readonly lasts: number;
}

/** From outside; what was known of its NAT before goes before what it says now. Errors: `ERR_PROTOCOL`. */
function readProposal(params: Json, facts: Facts): Proposal {
  const { at, mapping, filtering, lasts } = Object(params) as Readonly<Record<string, unknown>>;
  const [first, ...others] = readEndpoints(at, facts);
  if (first === undefined) {
    throw new TraversalError('ERR_PROTOCOL', 'the other side names no address that it has told as a candidate');
  }
  if (
    !isDependence(mapping) ||
    !isDependence(filtering) ||
    typeof lasts !== 'number' ||
    !(lasts >= 0 && lasts <= LONGEST)
  ) {
    throw new TraversalError('ERR_PROTOCOL', 'the other side does not say what its NAT does');
  }
  const { theirs } = facts.behaviors;
  const known = theirs.mapping === 'unknown' ? { mapping, filtering } : theirs;
  return { at: [first, ...others], mapping: known.mapping, filtering: known.filtering, lasts };
}

function isDependence(value: unknown): value is Dependence {
  return DEPENDENCES.some((dependence) => dependence === value);
}

const DEPENDENCES: readonly Dependence[] = [
  'endpoint-independent',
  'address-dependent',
  'address-and-port-dependent',
  'unknown',
];

function describeMiss({ opens, probes }: SprayRoles, effort: Effort): string {
  const parts = [
    ...(opens ? [`none of ${effort.sockets} sockets was hit`] : []),
    ...(probes ? [`none of ${effort.probes} probes was answered`] : []),
  ];
  return parts.join(', and ');
}
