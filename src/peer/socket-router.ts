import type { DatagramSocket } from '../core/network.ts';
import { createPacketRouter, type PacketRouter } from '../streams/packet-router.ts';

/** The router of a socket that a strategy has opened, the same for all who use it. It ends with the socket. */
export function routerOf(socket: DatagramSocket): PacketRouter {
  const known = routers.get(socket);
  if (known !== undefined) return known;
  const router = createPacketRouter(socket);
  routers.set(socket, router);
  return router;
}

const routers = new WeakMap<DatagramSocket, PacketRouter>();
