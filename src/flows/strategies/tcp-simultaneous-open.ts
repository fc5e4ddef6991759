import { catchError, defer, EMPTY, firstValueFrom, fromEvent, mergeMap, take, takeUntil, tap } from 'rxjs';
import { type Endpoint, endpoint, formatEndpoint, parseEndpoint, sameEndpoint } from '../../core/endpoint.ts';
import { classifyAddress } from '../../core/ip-address.ts';
import type { ByteSocket } from '../../core/network.ts';
import type { Json, PathEnvironment, StrategyInput, StrategyResult } from '../../core/strategy.ts';
import { isAdmissibleCandidate } from '../../protocol/ice/admission.ts';
import { simultaneousOpen } from '../../streams/simultaneous-open.ts';
import { defineStrategy } from '../define-strategy.ts';
import type { StrategyStep } from '../step.ts';
import { type ObservedPort, observeTcpPort } from './tcp-port.ts';

/**
 * TCP simultaneous open (RFC 9293 section 3.5): both sides learn over TCP how their NAT maps a port of theirs, tell each other, and dial at the
 * same time. The way through two NATs with endpoint-independent mapping where UDP does not get out, and through firewalls over IPv6.
 *
 * Nobody can aim it at others: a run dials at most four addresses of the kinds that ICE accepts, none at a port below 1024, with at most 20
 * SYNs, and says one STUN request of some 100 bytes to whoever accepts.
 */
export function tcpSimultaneousOpen(): StrategyStep<'direct'> {
  return STEP;
}

/** Addresses of each side. */
const MAX_ADDRESSES = 4;
/** The listener keeps to half of them, and then listens: between near hosts no SYNs cross. */
const SYNS = { dialer: 20, listener: 10 };
/** ms in which dials begin. */
const DIAL_TIME = 4000;

const STEP = defineStrategy({
  name: 'tcp-simultaneous-open',
  gives: 'direct',
  // Two servers are asked for 1.5 s, here and there, the dials end within 5 s, and what is open then proves itself within another 5 s.
  // Open at once: connections to both servers, a listener, and for each address one that we dial and one that comes.
  bounds: { time: 15_000, packets: 2 + SYNS.dialer, sockets: 3 + 2 * MAX_ADDRESSES },
  twoSided: { version: 1, vouched: false },
  run,
});

async function run(input: StrategyInput<'direct'>): Promise<StrategyResult<'direct'>> {
  const { env } = input;
  const own = await observeTcpPort(env);
  try {
    const told = addressesOf(own, input);
    if (told.length === 0) return { ok: false, reason: whyNone(own) };
    const { params } = await env.agree({ at: told.map(formatEndpoint) });
    const remotes = readAddresses(params, told, input);
    if (remotes.length === 0) return { ok: false, reason: 'the other side named no address that may be dialled' };
    return await meet(env, input.role, { localPort: own.port, remotes });
  } finally {
    own.close();
  }
}

/** Where the port can be reached, the likeliest first; none where that would be the same LAN at best, for which there are plain dials. */
function addressesOf({ port, reflexive }: ObservedPort, { local }: StrategyInput): readonly Endpoint[] {
  const addresses = local.flatMap(({ type, base }) => (type === 'host' ? [base.address] : []));
  const hosts = [...new Set(addresses)]
    .filter((address) => classifyAddress(address) !== 'link-local')
    .map((address) => endpoint(address, port))
    .sort((a, b) => b.family - a.family);
  const beyond = hosts.filter(({ address }) => classifyAddress(address) === 'public');
  if (reflexive === undefined && beyond.length === 0) return [];
  const others = hosts.filter((host) => reflexive === undefined || !sameEndpoint(host, reflexive));
  return [...(reflexive === undefined ? [] : [reflexive]), ...others].slice(0, MAX_ADDRESSES);
}

function whyNone({ isDependent }: ObservedPort): string {
  return isDependent
    ? 'the NAT maps a TCP port anew for each destination'
    : 'no STUN server answered over TCP, and no address is public';
}

/** From outside: what is no address, may not be dialled, or is our own, is left out. */
function readAddresses(params: Json, own: readonly Endpoint[], { local }: StrategyInput): readonly Endpoint[] {
  const { at } = Object(params) as { readonly at?: unknown };
  const texts = new Set(Array.isArray(at) ? at.slice(0, MAX_ADDRESSES) : []);
  const loopback = local.some(({ base }) => classifyAddress(base.address) === 'loopback');
  return [...texts]
    .flatMap((text) => (typeof text === 'string' ? (parseEndpoint(text) ?? []) : []))
    .filter((remote) => mayBeDialled(remote, loopback) && !own.some((one) => sameEndpoint(one, remote)));
}

function mayBeDialled(remote: Endpoint, loopback: boolean): boolean {
  const told = { type: 'srflx', transport: 'tcp', tcpType: 'so', priority: 1, foundation: '1' } as const;
  return isAdmissibleCandidate({ ...told, endpoint: remote }, loopback);
}

/** Dials, and gives the first connection that leads to the other side. */
async function meet(
  env: PathEnvironment,
  role: StrategyInput['role'],
  dials: { readonly localPort: number; readonly remotes: readonly Endpoint[] },
): Promise<StrategyResult<'direct'>> {
  const { network, clock, random, signal } = env;
  const unproven = new Set<ByteSocket>();
  let opened = 0;
  const prove = (stream: ByteSocket) =>
    defer(() => env.validate({ stream })).pipe(
      tap(() => unproven.delete(stream)),
      // It was somebody else: the next one may be the other side.
      catchError(() => EMPTY),
    );
  // The dialer asks one after the other; so the listener's first is the dialer's too.
  const atOnce = role === 'dialer' ? 1 : Number.POSITIVE_INFINITY;
  const calls = { syns: SYNS[role], time: DIAL_TIME, listens: role === 'listener' };
  const paths$ = simultaneousOpen({ network, clock, random, ...calls, ...dials }).pipe(
    takeUntil(fromEvent(signal, 'abort')),
    tap((stream) => {
      opened++;
      unproven.add(stream);
    }),
    mergeMap(prove, atOnce),
    take(1),
  );
  const path = await firstValueFrom(paths$, { defaultValue: undefined });
  for (const stream of unproven) stream.destroy();
  signal.throwIfAborted();
  if (path !== undefined) return { ok: true, path };
  const tried = dials.remotes.map(formatEndpoint).join(', ');
  const reason =
    opened === 0
      ? `no TCP connection came about with ${tried}`
      : `of ${opened} TCP connections none led to the other side`;
  return { ok: false, reason, code: 'ERR_PUNCH_EXHAUSTED' };
}
