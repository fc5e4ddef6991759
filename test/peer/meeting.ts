import { map } from 'rxjs';
import { Deferred } from '../../src/core/deferred.ts';
import { type Endpoint, endpoint, formatEndpoint } from '../../src/core/endpoint.ts';
import type { DatagramSocket } from '../../src/core/network.ts';
import type { Path } from '../../src/core/path.ts';
import { defineStrategy } from '../../src/flows/index.ts';
import type { StrategyStep } from '../../src/flows/step.ts';

/** A path over a socket of one's own, as a user may write it. */
function socketPath(socket: DatagramSocket, to: Endpoint): Path {
  return {
    info: {
      id: `own ${socket.local.port} ${formatEndpoint(to)}`,
      kind: 'direct',
      transport: 'udp',
      local: formatEndpoint(socket.local),
      remote: formatEndpoint(to),
      strategy: 'own',
    },
    send: (bytes) => socket.send(bytes, to),
    datagrams$: socket.datagrams$.pipe(map(({ data }) => data)),
    close: () => {},
  };
}

/**
 * A strategy that makes its own path from a socket of its own; how the two sides learn of each other's address is the test's secret. For one
 * connection. `address`: that of this host, by which the other side reaches it.
 */
export function meeting(): StrategyStep<'direct'> {
  const at = { dialer: new Deferred<Endpoint>(), listener: new Deferred<Endpoint>() };
  return defineStrategy({
    name: 'meeting',
    gives: 'direct',
    bounds: { time: 5_000, packets: 100, sockets: 1 },
    async run({ role, env }) {
      const own = env.network.interfaces().find(({ family, internal }) => family === 4 && !internal);
      const socket = await env.network.udp({ family: 4 });
      at[role].resolve(endpoint(own?.address ?? '127.0.0.1', socket.local.port));
      const other = await at[role === 'dialer' ? 'listener' : 'dialer'].promise;
      return { ok: true, path: env.adopt(socketPath(socket, other), [socket]) };
    },
  });
}
