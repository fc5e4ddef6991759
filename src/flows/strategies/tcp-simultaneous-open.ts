import {
  catchError,
  defer,
  EMPTY,
  firstValueFrom,
  fromEvent,
  merge,
  mergeMap,
  NEVER,
  take,
  takeUntil,
  tap,
} from 'rxjs';
import { type Endpoint, endpoint, formatEndpoint, parseEndpoint, sameEndpoint } from '../../core/endpoint.ts';
import { TraversalError } from '../../core/errors.ts';
import { classifyAddress } from '../../core/ip-address.ts';
import type { ByteSocket, Network } from '../../core/network.ts';
import type { Json, PathEnvironment, StrategyInput, StrategyResult } from '../../core/strategy.ts';
import { isAdmissibleCandidate } from '../../protocol/ice/admission.ts';
import { after } from '../../streams/after.ts';
import { simultaneousOpen } from '../../streams/simultaneous-open.ts';
import { defineStrategy } from '../define-strategy.ts';
import type { StrategyStep } from '../step.ts';
import { type ObservedPort, observeTcpPort } from './tcp-port.ts';

/**
 * TCP simultaneous open (RFC 9293 section 3.5): both sides learn over TCP how their NAT maps a port of theirs, tell each other, and dial at the
 * same time. The way through two NATs with endpoint-independent mapping where UDP does not get out, and through firewalls over IPv6.
 *
 * Nobody can aim it at others: a run dials at most four addresses, public ones, and none at a port below 1024; with at most 20 SYNs, which
 * count as checks of the peer do; and says one STUN request of some 100 bytes to whoever accepts. Nobody learns by it what is at an address,
 * either: a run in vain takes as long whatever came of its dials.
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
/** ms that a run in vain takes from its first dial: all that is open by then has had its time to prove itself. */
const VAIN_TIME = 9000;

const STEP = defineStrategy({
  name: 'tcp-simultaneous-open',
  gives: 'direct',
  // Two servers are asked for 1.5 s, here and there, and messages go to and fro; then dials, and proofs.
  // Open at once: connections to both servers, a listener, and for each address one that we dial and one that comes.
  bounds: { time: 15_000, packets: 2 + SYNS.dialer, sockets: 3 + 2 * MAX_ADDRESSES },
  twoSided: { version: 1, vouched: false },
  run,
});

async function run(input: StrategyInput<'direct'>): Promise<StrategyResult<'direct'>> {
  const { env } = input;
  const own = await observeTcpPort(env, hasLoopback(input.local));
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

/** Where the port can be reached from afar, the likeliest first. For hosts of the same LAN there are plain dials. */
function addressesOf({ port, reflexive }: ObservedPort, { local }: StrategyInput): readonly Endpoint[] {
  const addresses = local.flatMap(({ type, base }) => (type === 'host' ? [base.address] : []));
  const hosts = [...new Set(addresses)]
    .filter((address) => classifyAddress(address) === 'public' && address !== reflexive?.address)
    .map((address) => endpoint(address, port))
    .sort((a, b) => b.family - a.family);
  return [...(reflexive === undefined ? [] : [reflexive]), ...hosts].slice(0, MAX_ADDRESSES);
}

function whyNone({ isDependent }: ObservedPort): string {
  return isDependent
    ? 'the NAT maps a TCP port anew for each destination'
    : 'no STUN server answered over TCP, and no address is public';
}

/** From outside: endpoints of the kind that our own are of, so that nobody points into a private network, or at this machine. */
function readAddresses(params: Json, own: readonly Endpoint[], { local }: StrategyInput): readonly Endpoint[] {
  const { at } = Object(params) as { readonly at?: unknown };
  const texts = new Set(Array.isArray(at) ? at.slice(0, MAX_ADDRESSES) : []);
  const kinds = new Set(own.map(({ address }) => classifyAddress(address)));
  return [...texts]
    .flatMap((text) => (typeof text === 'string' ? (parseEndpoint(text) ?? []) : []))
    .filter((one) => kinds.has(classifyAddress(one.address)) && mayBeDialled(one, hasLoopback(local)))
    .filter((one) => !own.some((mine) => sameEndpoint(mine, one)));
}

function hasLoopback(local: StrategyInput['local']): boolean {
  return local.some(({ base }) => classifyAddress(base.address) === 'loopback');
}

function mayBeDialled(remote: Endpoint, loopback: boolean): boolean {
  const told = { type: 'srflx', transport: 'tcp', tcpType: 'so', priority: 1, foundation: '1' } as const;
  return isAdmissibleCandidate({ ...told, endpoint: remote }, loopback);
}

/** Dials, and gives the first connection that leads to the other side; in vain, it tells so after {@link VAIN_TIME}. */
async function meet(
  env: PathEnvironment,
  role: StrategyInput['role'],
  dials: { readonly localPort: number; readonly remotes: readonly Endpoint[] },
): Promise<StrategyResult<'direct'>> {
  const { clock, random, signal } = env;
  signal.throwIfAborted();
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
  const paths$ = simultaneousOpen({ network: admitted(env), clock, random, ...calls, ...dials }).pipe(
    tap((stream) => {
      opened++;
      unproven.add(stream);
    }),
    mergeMap(prove, atOnce),
  );
  const path$ = merge(paths$, NEVER).pipe(
    takeUntil(merge(after(clock, VAIN_TIME), fromEvent(signal, 'abort'))),
    take(1),
  );
  const path = await firstValueFrom(path$, { defaultValue: undefined });
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

/** Dials as far as the peer may: the other side names the addresses. */
function admitted(env: PathEnvironment): Pick<Network, 'connect' | 'listen'> {
  return {
    async connect(options) {
      const to = endpoint(options.host, options.port);
      if (env.mayAim(to)) return env.network.connect(options);
      throw new TraversalError('ERR_BUSY', `${formatEndpoint(to)} gets no more SYNs by now`);
    },
    listen: (options) => env.network.listen(options),
  };
}
