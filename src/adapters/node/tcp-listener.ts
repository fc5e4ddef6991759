import { createServer, type Server } from 'node:net';
import { Subject } from 'rxjs';
import { type Endpoint, endpoint } from '../../core/endpoint.ts';
import { TraversalError } from '../../core/errors.ts';
import type { ByteListener, ByteSocket, TcpListenOptions } from '../../core/network.ts';
import type { ReportDrop } from './drop.ts';
import { systemCodeOf, systemError } from './system-error.ts';
import { tcpSocket } from './tcp-socket.ts';

/**
 * Listens for TCP connections, on both families when no address is given, on IPv6 alone with `::`. Errors: those of
 * `Network.listen`.
 */
export async function listenTcp({ port = 0, address }: TcpListenOptions, onDrop: ReportDrop): Promise<ByteListener> {
  const server = createServer({ allowHalfOpen: true });
  const local = await bind(server, port, address).catch((error) => {
    throw systemError(error, `listening on TCP port ${port}${address === undefined ? '' : ` of ${address}`}`);
  });

  const connections = new Subject<ByteSocket>();
  server.on('error', (error) => onDrop({ local, reason: systemCodeOf(error) }));
  server.on('connection', (socket) => {
    const accepted = tcpSocket(socket);
    if (accepted === undefined) {
      socket.destroy();
      onDrop({ local, reason: 'gone before it was accepted' });
    } else if (connections.observed) {
      connections.next(accepted);
    } else {
      accepted.destroy();
      onDrop({ local, remote: accepted.remote, reason: 'nobody takes connections' });
    }
  });

  return {
    local,
    connections$: connections.asObservable(),
    async close() {
      // The port is free at once; Node's callback would wait for the standing connections.
      server.close();
      connections.complete();
    },
  };
}

function bind(server: Server, port: number, address: string | undefined): Promise<Endpoint> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: address, ipv6Only: address !== undefined, exclusive: true }, () => {
      server.off('error', reject);
      const bound = server.address();
      if (bound === null || typeof bound === 'string') {
        return reject(new TraversalError('ERR_NETWORK', 'the system named no local address'));
      }
      resolve(endpoint(bound.address, bound.port));
    });
  });
}
