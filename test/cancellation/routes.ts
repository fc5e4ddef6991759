import type { PacketRouter, Unregister } from '../../src/streams/packet-router.ts';

let registered = 0;

/** The module of the packet router, with a count of the handlers in its tables: for `vi.mock(..)`. */
export function countRoutes<Module extends { createPacketRouter(...of: never[]): PacketRouter }>(
  module: Module,
): Module {
  return {
    ...module,
    createPacketRouter(...of: never[]): PacketRouter {
      const router = module.createPacketRouter(...of);
      return {
        ...router,
        onResponse: (id, from, handler) => counted(router.onResponse(id, from, handler)),
        onRequest: (ufrag, handler) => counted(router.onRequest(ufrag, handler)),
        onPacket: (id, handler) => counted(router.onPacket(id, handler)),
      };
    },
  };
}

/** Handlers that were put into a router's tables and not taken out again, of all routers of the process. */
export const registeredRoutes = (): number => registered;

function counted(unregister: Unregister): Unregister {
  registered++;
  let held = true;
  return () => {
    if (held) registered--;
    held = false;
    unregister();
  };
}
