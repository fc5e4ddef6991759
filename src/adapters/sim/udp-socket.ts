import { Subject } from 'rxjs';
import type { Datagram } from '../../core/datagram.ts';
import type { DatagramSocket, UdpOptions } from '../../core/network.ts';
import type { Host } from '../../sim/host.ts';

/** Binds a UDP socket of a simulated host. Errors: those of `Network.udp`. */
export function openUdpSocket(host: Host, options: UdpOptions): DatagramSocket {
  const socket = host.udp.bind(options);
  const datagrams = new Subject<Datagram>();
  socket.onDatagram = (data, from) => datagrams.next({ data, from });
  socket.onClosed = () => datagrams.complete();
  return {
    local: socket.local,
    datagrams$: datagrams.asObservable(),
    send: (data, to) => socket.send(data, to),
    joinGroup: (group, address) => socket.joinGroup(group, address),
    close: () => socket.close(),
  };
}
