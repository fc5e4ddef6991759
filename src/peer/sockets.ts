import type { Family } from '../core/endpoint.ts';
import type { Environment } from '../core/environment.ts';
import { asTraversalError } from '../core/errors.ts';
import type { ByteListener } from '../core/network.ts';
import type { Policy } from '../core/policy.ts';
import { createPacketRouter, type PacketRouter } from '../streams/packet-router.ts';
import { createTcpLobby, type TcpLobby } from '../streams/tcp-lobby.ts';

/** One UDP socket and one TCP listener a family for everything that a peer does. */
export interface PeerSockets {
  readonly routers: readonly PacketRouter[];
  /** Absent where nothing is listened on: by policy, or because the system refused. */
  readonly lobby?: TcpLobby;
  close(): void;
}

type SocketEnvironment = Pick<Environment, 'network' | 'clock' | 'log'>;

/**
 * IPv6 is optional, and so is IPv4 on a network without it; TCP is on both. Who hides its addresses listens on none.
 * Errors: that of the last family tried, when no UDP socket can be opened (`ERR_NETWORK`, `ERR_PORT_NOT_PERMITTED`).
 */
export async function openSockets(env: SocketEnvironment, policy: Policy): Promise<PeerSockets> {
  const routers = await openRouters(env);
  const listeners = policy === 'relay-only' ? [] : await openListeners(env);
  const lobby = listeners.length > 0 ? createTcpLobby(listeners, env.clock) : undefined;
  return {
    routers,
    ...(lobby !== undefined && { lobby }),
    close: () => {
      for (const router of routers) router.close();
      lobby?.close();
    },
  };
}

/** The UDP sockets alone. Errors: those of {@link openSockets}. */
export async function openRouters({
  network,
  log,
}: Pick<Environment, 'network' | 'log'>): Promise<readonly PacketRouter[]> {
  const routers: PacketRouter[] = [];
  let problem: unknown;
  for (const family of FAMILIES) {
    try {
      routers.push(createPacketRouter(await network.udp({ family })));
    } catch (error) {
      problem = error;
      log('socket.unavailable', { family, error: String(error) });
    }
  }
  if (routers.length === 0) throw asTraversalError(problem, 'ERR_NETWORK');
  return routers;
}

async function openListeners({ network, log }: SocketEnvironment): Promise<readonly ByteListener[]> {
  const listeners: ByteListener[] = [];
  for (const family of FAMILIES) {
    try {
      listeners.push(await network.listen({ address: family === 4 ? '0.0.0.0' : '::' }));
    } catch (error) {
      log('listener.unavailable', { family, error: String(error) });
    }
  }
  return listeners;
}

const FAMILIES: readonly Family[] = [4, 6];
