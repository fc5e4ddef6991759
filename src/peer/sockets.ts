import type { Family } from '../core/endpoint.ts';
import type { Environment } from '../core/environment.ts';
import { asTraversalError } from '../core/errors.ts';
import { createPacketRouter, type PacketRouter } from '../streams/packet-router.ts';

/** One UDP socket a family for everything that a peer does; IPv6 is optional, and so is IPv4 on a network without it. */
export interface PeerSockets {
  readonly routers: readonly PacketRouter[];
  close(): void;
}

/** Errors: that of the last family tried, when none can be opened (`ERR_NETWORK`, `ERR_PORT_NOT_PERMITTED`). */
export async function openSockets({ network, log }: Pick<Environment, 'network' | 'log'>): Promise<PeerSockets> {
  const routers: PacketRouter[] = [];
  let problem: unknown;
  for (const family of [4, 6] satisfies Family[]) {
    try {
      routers.push(createPacketRouter(await network.udp({ family })));
    } catch (error) {
      problem = error;
      log('socket.unavailable', { family, error: String(error) });
    }
  }
  if (routers.length === 0) throw asTraversalError(problem, 'ERR_NETWORK');
  return {
    routers,
    close: () => {
      for (const router of routers) router.close();
    },
  };
}
