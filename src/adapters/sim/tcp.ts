import { Subject } from 'rxjs';
import { endpoint } from '../../core/endpoint.ts';
import type { ByteListener, ByteSocket, TcpConnectOptions, TcpListenOptions } from '../../core/network.ts';
import type { Host } from '../../sim/host.ts';
import { requirePort } from '../../sim/ports.ts';
import type { TcpSocket } from '../../sim/tcp/socket.ts';
import { pushedBytes } from '../../streams/pushed-bytes.ts';
import { resolveHost } from './resolve.ts';

/** Connects to the addresses of a name, one after the other until one answers. Errors: those of `Network.connect`. */
export async function connectTcp(on: Host, { host, port, localPort, signal }: TcpConnectOptions): Promise<ByteSocket> {
  const doing = `connecting to ${host} port ${port} over TCP`;
  requirePort(port, doing);
  const [first, ...others] = resolveHost(on, host, { signal });
  let attempt = on.tcp.connect({ remote: endpoint(first!, port), localPort, signal });
  for (const address of others) {
    attempt = attempt.catch((error) => {
      if (signal?.aborted) throw error;
      return on.tcp.connect({ remote: endpoint(address, port), localPort, signal });
    });
  }
  return byteSocket(await attempt);
}

/** Listens on a simulated host. Errors: those of `Network.listen`. */
export function listenTcp(on: Host, options: TcpListenOptions): ByteListener {
  const connections = new Subject<ByteSocket>();
  const listener = on.tcp.listen(options, (socket) => {
    if (connections.observed) connections.next(byteSocket(socket));
    else socket.destroy();
  });
  listener.onClosed = () => connections.complete();
  return {
    local: listener.local,
    connections$: connections.asObservable(),
    close: async () => listener.close(),
  };
}

function byteSocket(socket: TcpSocket): ByteSocket {
  const read = (): Promise<Uint8Array | null> => socket.read();
  const destroy = (): void => socket.destroy();
  return {
    local: socket.local,
    remote: socket.remote,
    closed: socket.closed,
    read,
    destroy,
    bytes$: pushedBytes({ read, destroy }),
    write: (bytes) => socket.write(bytes),
    get queued() {
      return socket.queued;
    },
    end: () => socket.end(),
  };
}
