import { merge, Subject } from 'rxjs';
import { nodeNetwork } from '../../src/adapters/node/network.ts';
import type { Datagram } from '../../src/core/datagram.ts';
import { type Endpoint, endpoint } from '../../src/core/endpoint.ts';
import type { Network } from '../../src/core/network.ts';

/** The system's network, loopback addresses only, with somebody on it who hears what is sent and can send in anybody's name. */
export interface TappedNetwork extends Network {
  /** Datagrams sent from here, the first {@link MAX_HEARD}. */
  readonly heard: readonly Uint8Array[];
  /** Where this network's UDP sockets and TCP listeners of IPv4 can be reached. */
  readonly udpPorts: readonly Endpoint[];
  readonly tcpPorts: readonly Endpoint[];
  /** Hands a datagram to all UDP sockets of that family as if it had come from there. */
  forge(datagram: Datagram): void;
}

export function tappedNetwork(): TappedNetwork {
  const network = nodeNetwork();
  const heard: Uint8Array[] = [];
  const udpPorts: Endpoint[] = [];
  const tcpPorts: Endpoint[] = [];
  const forged = new Subject<Datagram>();
  return {
    heard,
    udpPorts,
    tcpPorts,
    forge: (datagram) => forged.next(datagram),
    interfaces: () => network.interfaces().filter(({ internal, family }) => internal && family === 4),
    gateways: async () => [],
    resolve: network.resolve,
    connect: network.connect,
    async listen(options) {
      const listener = await network.listen(options);
      if (listener.local.family === 4) tcpPorts.push(endpoint('127.0.0.1', listener.local.port));
      return listener;
    },
    async udp(options) {
      const socket = await network.udp(options);
      if (options.family === 4) udpPorts.push(endpoint('127.0.0.1', socket.local.port));
      return {
        local: socket.local,
        datagrams$: options.family === 4 ? merge(socket.datagrams$, forged) : socket.datagrams$,
        send(bytes, to) {
          if (heard.length < MAX_HEARD) heard.push(Uint8Array.from(bytes));
          return socket.send(bytes, to);
        },
        close: () => socket.close(),
      };
    },
  };
}

const MAX_HEARD = 500;
