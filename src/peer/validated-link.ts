import { type Candidate, candidatePriority, type RemoteCandidate, UDP } from '../core/candidate.ts';
import { type Endpoint, formatEndpoint, sameEndpoint } from '../core/endpoint.ts';
import type { Environment } from '../core/environment.ts';
import { TraversalError } from '../core/errors.ts';
import { classifyAddress } from '../core/ip-address.ts';
import type { DatagramSocket } from '../core/network.ts';
import { within } from '../core/within.ts';
import type { IceLink } from './ice-link-contract.ts';
import { type CheckRun, type CheckServices, exhausted, LinkChecks, PROOF_TIME } from './link-checks.ts';
import { hostCandidates } from './local-candidates.ts';
import type { SessionLink } from './session-link.ts';
import { routerOf } from './socket-router.ts';

/**
 * Checks that it is the other side that answers at `remote`: the id of the path. On a socket of the run by an ICE agent that has this socket
 * alone; on the peer's own by the connection's agent. Errors: those of `PathEnvironment.validate`.
 */
export function validateAddress(
  services: LinkServices,
  run: CheckRun,
  { socket, remote }: { readonly socket?: DatagramSocket; readonly remote: Endpoint },
): Promise<string> {
  if (run.signal.aborted) return Promise.reject(run.signal.reason);
  return socket === undefined ? proveOnOwn(services, run, remote) : proveOnSocket(services, run, { socket, remote });
}

/** What this takes of a connection, and of the strategy's run. */
type LinkServices = CheckServices & {
  readonly env: Pick<Environment, 'network'>;
  readonly ice: Pick<IceLink, 'provePath'>;
  readonly link: Pick<SessionLink, 'follow'>;
};

/** By the connection's agent, on the peer's own sockets. */
async function proveOnOwn({ env, ice }: LinkServices, run: CheckRun, remote: Endpoint): Promise<string> {
  try {
    return await within(env.clock, `checks of ${formatEndpoint(remote)}`, PROOF_TIME, run.signal, () =>
      ice.provePath(remote, run.strategy.name),
    );
  } catch (error) {
    throw error instanceof TraversalError && error.code === 'ERR_TIMEOUT'
      ? exhausted(remote, 'no proof in time')
      : error;
  }
}

/** By an ICE agent that has the socket alone. */
function proveOnSocket(
  services: LinkServices,
  run: CheckRun,
  { socket, remote }: { readonly socket: DatagramSocket; readonly remote: Endpoint },
): Promise<string> {
  const router = routerOf(socket);
  const checks: LinkChecks = new LinkChecks(services, run, {
    socket,
    remote,
    routers: [router],
    local: localCandidate(socket, services),
    candidate: remoteCandidate(remote),
    send: (packet, to) => socket.send(packet, to),
    onProven: (path) =>
      services.link.follow(router, (packet, from) => {
        if (sameEndpoint(from, path.remote)) path.receive(packet);
        else services.link.accept([packet]);
      }),
    onClosed: () => router.close(),
  });
  void router.ended.then(() => checks.lose('the socket has ended'));
  return checks.proven;
}

/** The socket as an agent knows it: by an address of this host, where it is bound to all. */
function localCandidate({ local }: DatagramSocket, { env }: LinkServices): Candidate {
  if (classifyAddress(local.address) === 'unspecified') {
    const [host] = hostCandidates(env.network.interfaces(), { ...UDP, local }, env);
    if (host !== undefined) return host;
  }
  return {
    type: 'host',
    endpoint: local,
    base: local,
    priority: candidatePriority('host', 0),
    foundation: '1',
    ...UDP,
  };
}

/** Whatever it was told as, it is where the other side was heard. */
function remoteCandidate(at: Endpoint): RemoteCandidate {
  return { type: 'prflx', endpoint: at, priority: candidatePriority('prflx', 0), foundation: '1', ...UDP };
}
