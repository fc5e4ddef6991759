import { of } from 'rxjs';
import { type Candidate, candidatePriority, type TcpType } from '../core/candidate.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { ByteSocket } from '../core/network.ts';
import { createTcpLobby, type TcpLobby } from '../streams/tcp-lobby.ts';
import { type CheckRun, type CheckServices, LinkChecks } from './link-checks.ts';

/**
 * Checks that it is the other side at the end of a TCP connection, whichever of the two opened it: the id of the path. By an ICE agent of the
 * connection's credentials, with that one stream for its only pair, framed as in RFC 4571. The dialer asks first; the listener says nothing
 * before a request has proven the password (RFC 6544 section 7.2). Errors: those of `PathEnvironment.validate`.
 */
export function validateStream(services: CheckServices, run: CheckRun, stream: ByteSocket): Promise<string> {
  if (run.signal.aborted) {
    stream.destroy();
    return Promise.reject(run.signal.reason);
  }
  const { local, remote } = stream;
  const asks = services.role === 'dialer';
  const lobby = asks ? undefined : lobbyOf(stream, services);
  const release = (): void => {
    lobby?.close();
    stream.destroy();
  };
  const checks: LinkChecks = new LinkChecks(services, run, {
    socket: stream,
    remote,
    routers: [],
    tcp: {
      // The pair's connection is there already: it is opened by taking it.
      network: { connect: () => Promise.resolve(stream) },
      ...(lobby && { lobby }),
      onPacket: (packet) => checks.receive(packet),
    },
    local: tcpCandidate(local, asks ? 'active' : 'passive'),
    ...(asks && { candidate: tcpCandidate(remote, 'passive') }),
    send: (packet, _to, pairId) => checks.sendTcp(packet, pairId),
    onFailed: release,
    onClosed: release,
  });
  void stream.closed.then(() => checks.lose('the connection has ended'));
  return checks.proven;
}

/** Where one connection waits for its first request, which is to name our agent. */
function lobbyOf(stream: ByteSocket, { env }: CheckServices): TcpLobby {
  return createTcpLobby([{ local: stream.local, connections$: of(stream), close: async () => {} }], env.clock);
}

function tcpCandidate(at: Endpoint, tcpType: TcpType): Candidate {
  const transport = { transport: 'tcp', tcpType } as const;
  const priority = candidatePriority('host', 0, transport);
  return { type: 'host', endpoint: at, base: at, priority, foundation: '1', ...transport };
}
