import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { Subject } from 'rxjs';
import type { Datagram } from '../../core/datagram.ts';
import { type Endpoint, endpoint, type Family, formatEndpoint } from '../../core/endpoint.ts';
import { TraversalError } from '../../core/errors.ts';
import type { DatagramSocket, UdpOptions } from '../../core/network.ts';
import type { ReportDrop } from './drop.ts';
import { multicastInterface } from './interfaces.ts';
import { systemCodeOf, systemError } from './system-error.ts';

/** Asked of the system for each direction, in bytes; it may give less. */
const KERNEL_BUFFER = 2 ** 21;
/** What may wait in libuv once the kernel's buffer is full, in bytes. */
const SEND_QUEUE = 2 ** 20;
/** Sources whose `Endpoint` is kept, so that a packet of a known peer makes no new one. */
const KNOWN_SOURCES = 1024;

/** Binds a UDP socket of the system. An IPv6 socket carries IPv6 only. Errors: those of `Network.udp`. */
export async function openUdpSocket(options: UdpOptions, onDrop: ReportDrop): Promise<DatagramSocket> {
  const { family, port = 0, address = family === 4 ? '0.0.0.0' : '::', shared = false } = options;
  const doing = `binding UDP port ${port} on ${address}`;
  // Node would take the port modulo 65536.
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new TraversalError('ERR_USAGE', `${doing}: a port is a whole number in 0..65535`);
  }
  const socket = createSocket({
    type: family === 4 ? 'udp4' : 'udp6',
    ipv6Only: family === 6,
    reuseAddr: shared,
    // Addresses are numeric, so nothing is looked up; answering at once keeps `send` synchronous down to the kernel.
    lookup: (host, _options, callback) => callback(null, host, family),
  });
  try {
    await bind(socket, port, address);
    if (options.address !== undefined) socket.setMulticastInterface(multicastInterface(address));
  } catch (error) {
    socket.close();
    throw systemError(error, doing);
  }
  growKernelBuffers(socket);
  return wrap(socket, onDrop);
}

function wrap(socket: Socket, onDrop: ReportDrop): DatagramSocket {
  const bound = socket.address();
  const local = endpoint(bound.address, bound.port);
  const datagrams = new Subject<Datagram>();
  const sourceOf = sourceCache();
  let open = true;

  const drop = (reason: string, remote?: Endpoint): false => {
    onDrop({ local, remote, reason });
    return false;
  };
  const onSent = (error: Error | null): void => {
    if (error !== null) drop(systemCodeOf(error), destinationOf(error, local.family));
  };
  const close = (): void => {
    if (!open) return;
    open = false;
    socket.close();
  };

  socket.on('message', (data, source) => datagrams.next({ data, from: sourceOf(source) }));
  socket.on('close', () => datagrams.complete());
  socket.on('error', (error) => {
    if (!BROKEN.has(systemCodeOf(error))) return drop(systemCodeOf(error));
    datagrams.error(systemError(error, `receiving on UDP ${formatEndpoint(local)}`));
    close();
  });

  return {
    local,
    datagrams$: datagrams.asObservable(),
    send(data, to) {
      if (!open) return drop('closed', to);
      if (to.family !== local.family || to.port === 0) return drop('unsuitable address', to);
      if (socket.getSendQueueSize() > SEND_QUEUE) return drop('send queue full', to);
      // A copy, since the caller may reuse `data` while libuv still waits with it for room in the kernel's buffer.
      socket.send(Buffer.from(data), to.port, to.address, onSent);
      return true;
    },
    joinGroup(group, address) {
      const doing = `joining the multicast group ${group} at ${address}`;
      if (!open) throw new TraversalError('ERR_CLOSED', `${doing}: the socket is closed`);
      try {
        socket.addMembership(group, multicastInterface(address));
      } catch (error) {
        throw systemError(error, doing);
      }
    },
    close,
  };
}

/** Errors after which a socket cannot go on; all others (ICMP, firewalls, lack of memory) concern one datagram. */
const BROKEN: ReadonlySet<string> = new Set(['EBADF', 'ENOTSOCK']);

/** Node notes in an error of `send` where the datagram should have gone. */
function destinationOf(error: Error & Partial<Endpoint>, family: Family): Endpoint | undefined {
  const { address, port } = error;
  return address === undefined || port === undefined ? undefined : { address, port, family };
}

function bind(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ port, address, exclusive: true }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}

/** A refusal to grow is no error: the default size works, only less well under bursts. */
function growKernelBuffers(socket: Socket): void {
  for (const grow of [socket.setRecvBufferSize, socket.setSendBufferSize]) {
    try {
      grow.call(socket, KERNEL_BUFFER);
    } catch (error) {
      if (systemCodeOf(error) !== 'ERR_SOCKET_BUFFER_SIZE') throw error;
    }
  }
}

function sourceCache(): (source: RemoteInfo) => Endpoint {
  const known = new Map<string, Endpoint>();
  return ({ address, port }) => {
    const key = `${address}:${port}`;
    let source = known.get(key);
    if (source === undefined) {
      if (known.size >= KNOWN_SOURCES) known.clear();
      source = endpoint(address, port);
      known.set(key, source);
    }
    return source;
  };
}
