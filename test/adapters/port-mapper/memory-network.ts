import { setImmediate as turn } from 'node:timers/promises';
import { Subject } from 'rxjs';
import type { Datagram } from '../../../src/core/datagram.ts';
import { type Endpoint, endpoint } from '../../../src/core/endpoint.ts';
import { TraversalError } from '../../../src/core/errors.ts';
import { classifyAddress } from '../../../src/core/ip-address.ts';
import type { DatagramSocket, Gateway, Network, NetworkInterface, UdpOptions } from '../../../src/core/network.ts';

/** A network of UDP within one process: what is sent arrives after a turn of the microtask queue, so time may be virtual. */
export interface MemoryNetwork extends Network {
  /** What `gateways()` gives. */
  routes: readonly Gateway[];
  /** What `interfaces()` gives. */
  addresses: readonly NetworkInterface[];
  /** No socket can be opened. */
  broken: boolean;
  /** A port that nobody can have. */
  deafPort: number | undefined;
  /** Sockets that are open. */
  readonly open: readonly Endpoint[];
  /** Hands a datagram to who receives at `to`, at once, as if it had come from there. */
  forge(datagram: Datagram, to: Endpoint): void;
  /** Breaks the sockets that are bound to an address. */
  breakSockets(error: TraversalError, address: string): void;
}

interface Socket {
  readonly local: Endpoint;
  readonly groups: Set<string>;
  readonly datagrams: Subject<Datagram>;
}

export function memoryNetwork(): MemoryNetwork {
  const sockets = new Set<Socket>();
  let nextPort = 40_000;

  function receivers(to: Endpoint): Socket[] {
    return [...sockets].filter(({ local, groups }) => {
      if (local.port !== to.port) return false;
      return classifyAddress(to.address) === 'multicast' ? groups.has(to.address) : local.address === to.address;
    });
  }

  function udp({ family, port = 0, address, shared = false }: UdpOptions): DatagramSocket {
    const local = endpoint(address ?? (family === 4 ? '0.0.0.0' : '::'), port === 0 ? nextPort++ : port);
    const taken = [...sockets].some((other) => other.local.port === port && other.local.address === local.address);
    if (taken && !shared) throw new TraversalError('ERR_PORT_IN_USE', `port ${port} is taken`);
    const socket: Socket = { local, groups: new Set(), datagrams: new Subject() };
    sockets.add(socket);
    return {
      local,
      datagrams$: socket.datagrams.asObservable(),
      send(data, to) {
        const copy = Uint8Array.from(data);
        queueMicrotask(() => {
          for (const receiver of receivers(to)) receiver.datagrams.next({ data: copy, from: local });
        });
        return sockets.has(socket);
      },
      joinGroup: (group) => void socket.groups.add(group),
      close() {
        sockets.delete(socket);
        socket.datagrams.complete();
      },
    };
  }

  const none = async (): Promise<never> => {
    throw new TraversalError('ERR_NETWORK', 'a network of UDP only');
  };
  return {
    routes: [],
    addresses: [],
    broken: false,
    deafPort: undefined,
    get open() {
      return [...sockets].map(({ local }) => local);
    },
    forge(datagram, to) {
      for (const receiver of receivers(to)) receiver.datagrams.next(datagram);
    },
    breakSockets(error, address) {
      for (const socket of [...sockets].filter(({ local }) => local.address === address)) {
        sockets.delete(socket);
        socket.datagrams.error(error);
      }
    },
    interfaces() {
      return this.addresses;
    },
    async gateways() {
      return this.routes;
    },
    async udp(options) {
      if (this.broken || (options.port ?? 0) === this.deafPort)
        throw new TraversalError('ERR_NETWORK', 'no socket to be had');
      return udp(options);
    },
    resolve: none,
    connect: none,
    listen: none,
  };
}

/** Lets everything happen that needs no time. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await turn();
}
