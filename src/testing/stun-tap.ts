import { filter, type Observable, share } from 'rxjs';
import type { Datagram } from '../core/datagram.ts';
import type { DatagramSocket, Network } from '../core/network.ts';
import { isStunMessage } from '../protocol/stun/index.ts';

/**
 * A network whose UDP sockets give STUN messages only; everything else goes to `onData` while somebody reads the
 * socket.
 *
 * RFC 7983 tells protocols that share a port apart by the first byte, and leaves 0..3 to STUN. A foreign program's data
 * may begin with any byte, so that the magic cookie and the length decide too, as they did before the first byte was
 * reserved (RFC 8489 section 5): other data passes for STUN by chance in one of 2^48 datagrams.
 */
export function tapData(network: Network, onData: (datagram: Datagram) => void): Network {
  return {
    interfaces: () => network.interfaces(),
    gateways: () => network.gateways(),
    resolve: (host, options) => network.resolve(host, options),
    udp: async (options) => stunSocket(await network.udp(options), onData),
    connect: (options) => network.connect(options),
    listen: (options) => network.listen(options),
  };
}

function stunSocket(socket: DatagramSocket, onData: (datagram: Datagram) => void): DatagramSocket {
  const stun$: Observable<Datagram> = socket.datagrams$.pipe(
    filter((datagram) => {
      const isStun = isStunMessage(datagram.data);
      if (!isStun) onData(datagram);
      return isStun;
    }),
    share(),
  );
  return {
    local: socket.local,
    datagrams$: stun$,
    send: (data, to) => socket.send(data, to),
    close: () => socket.close(),
  };
}
