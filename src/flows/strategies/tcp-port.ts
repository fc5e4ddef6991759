import type { Binding } from '../../core/binding.ts';
import { type Endpoint, formatEndpoint, isReachableUnicast, sameEndpoint } from '../../core/endpoint.ts';
import { TraversalError } from '../../core/errors.ts';
import type { ByteSocket } from '../../core/network.ts';
import type { BaseEnvironment } from '../../core/strategy.ts';
import { resolveStunServers } from '../../core/stun-servers.ts';
import { within } from '../../core/within.ts';
import { stunOverTcp } from '../../streams/stun-over-tcp.ts';
import { isFromAfar } from './told-endpoints.ts';

/** A TCP port of this host from which several connections can be opened, and what servers see of it. */
export interface ObservedPort {
  readonly port: number;
  /** IPv4 endpoint that others see the port at; `undefined` where no server answered, or each saw another. */
  readonly reflexive: Endpoint | undefined;
  /** The NAT maps the port anew for each destination: nobody can know beforehand where it will be seen. */
  readonly isDependent: boolean;
  /** Closes the connections to the servers, which keep the NAT's mapping of the port meanwhile. */
  close(): void;
}

/** Servers that are asked. Two ports of one server tell whether the NAT maps by port. */
const MAX_SERVERS = 2;
/**
 * ms for a server to be found, connected to and to answer: a lost SYN is sent again after a second (RFC 6298 section 2). A listener must have
 * its answers before its dialer takes it for gone, 2 s after the proposal.
 */
const ANSWER_TIME = 1500;

/**
 * Finds a free port and asks STUN servers over TCP from it, which have to be out there as well, unless `loopback` allows those of this
 * machine; those that tell nothing are logged. Errors: `ERR_ABORTED`, `ERR_NETWORK`.
 */
export async function observeTcpPort(env: BaseEnvironment, loopback: boolean): Promise<ObservedPort> {
  const port = await freePort(env);
  const open: ByteSocket[] = [];
  const close = (): void => {
    for (const socket of open) socket.destroy();
  };
  try {
    const asked = await Promise.all(
      env.stun.slice(0, MAX_SERVERS).map((server) => ask(env, server, { port, loopback, open })),
    );
    const seen = asked.flatMap((binding) => (binding === undefined ? [] : [binding.mapped]));
    const [first] = seen;
    const isDependent = first !== undefined && seen.some((other) => !sameEndpoint(first, other));
    return { port, reflexive: isDependent ? undefined : first, isDependent, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** One that no socket has: a port from which several connections are opened has to be named for each of them. */
async function freePort({ network }: BaseEnvironment): Promise<number> {
  const listener = await network.listen({});
  await listener.close();
  return listener.local.port;
}

interface Asking {
  readonly port: number;
  readonly loopback: boolean;
  /** Takes the connection, which stays open. */
  readonly open: ByteSocket[];
}

/** What a server sees of the port. */
async function ask(
  { network, clock, random, log, signal }: BaseEnvironment,
  server: string,
  { port: localPort, loopback, open }: Asking,
): Promise<Binding | undefined> {
  const doing = `asking ${server} over TCP`;
  try {
    return await within(clock, doing, ANSWER_TIME, signal, async (signal) => {
      const [at] = await resolveStunServers([server], 4, { network, log, signal });
      if (at === undefined) return undefined;
      admit(at, loopback);
      const socket = await network.connect({ host: at.address, port: at.port, localPort, signal });
      open.push(socket);
      const binding = await stunOverTcp({ socket, clock, random, signal });
      admit(binding.mapped, loopback);
      return binding;
    });
  } catch (error) {
    if (signal.aborted || !(error instanceof TraversalError)) throw error;
    log('stun.unanswered', { server, error: String(error) });
    return undefined;
  }
}

/** Others name the servers, and the servers our address: none of them leads us into a private network. */
function admit(at: Endpoint, loopback: boolean): void {
  if (isFromAfar(at) && isReachableUnicast(at, loopback)) return;
  throw new TraversalError('ERR_NOT_AVAILABLE', `${formatEndpoint(at)} is no public address`);
}
