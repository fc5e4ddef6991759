import { type Endpoint, sameEndpoint } from '../../core/endpoint.ts';
import { readNatSpec } from '../nat/nat-spec.ts';
import { udpPacket } from '../packet.ts';
import { type Run, runChecks } from './checks.ts';
import { sprayProbability } from './probability.ts';
import { observe, type Stage } from './stage.ts';
import { externalAddresses, type Location } from './topology.ts';

/** Sockets that one side opens, and probes that the other sends to different ports. */
export interface SprayBudget {
  readonly sockets: number;
  readonly probes: number;
}

/**
 * What a probe comes to that hits: one side opens its NATs towards the other, with packets that do not get there; then the
 * other sends to a wrong port and to the one that was opened, as if by luck. `undefined` when there is nothing to guess: the
 * opened port is the one that servers see, or none.
 */
export function runSpray(stage: Stage, opener: 'a' | 'b'): Run | undefined {
  const { arena, servers } = stage;
  const { location, local } = stage[opener];
  const from = observe(stage, stage[opener], servers[0], 'udp');
  const to = observe(stage, stage[opener === 'a' ? 'b' : 'a'], servers[0], 'udp');
  if (from === undefined || to === undefined) return undefined;
  const opened = arena.send(location, udpPacket(local, to, NOTHING), true)?.source;
  if (opened === undefined || sameEndpoint(opened, from)) return undefined;
  const told: Record<'a' | 'b', readonly Endpoint[]> = { a: [], b: [] };
  told[opener] = [{ ...opened, port: NEVER_GIVEN_OUT }, opened];
  return runChecks(stage, told, 'together');
}

/** That one of the probes hits, with what the NATs of the opener's location make of its ports and addresses. */
export function hitProbability(opener: Location, { sockets, probes }: SprayBudget): number {
  const nats = opener.flatMap((network) =>
    network.nat === undefined ? [] : [{ ...readNatSpec(network.nat, 'nat'), pool: externalAddresses(network) }],
  );
  const outermost = nats.findLast(({ portAllocation }) => portAllocation !== 'preserve') ?? nats.at(-1);
  if (outermost === undefined) return 0;
  const { ports, portAllocation, pooling } = outermost;
  const size = ports.last - ports.first + 1;
  const addresses = pooling === 'arbitrary' ? outermost.pool : 1;
  const guesses = portAllocation === 'parity' ? Math.floor(size / 2) : size;
  return sprayProbability(Math.floor(sockets / addresses), probes, guesses);
}

/** A system port, which no NAT gives out unless told to. */
const NEVER_GIVEN_OUT = 1;
const NOTHING = new Uint8Array(0);
