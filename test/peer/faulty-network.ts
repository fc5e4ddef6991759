import type { Endpoint } from '../../src/core/endpoint.ts';
import type { DatagramSocket, Network } from '../../src/core/network.ts';

/** What becomes of datagrams on their way out: sent, lost, or kept until they pass again. */
export type Traffic = 'pass' | 'drop' | 'hold';

/** A network of loopback addresses only, whose UDP fails on command. */
export interface FaultyNetwork extends Network {
  traffic: Traffic;
  /** Datagrams given to the sockets, whatever became of them. */
  readonly sent: number;
}

export function faultyNetwork(network: Network): FaultyNetwork {
  const held: (() => void)[] = [];
  let traffic: Traffic = 'pass';
  let sent = 0;

  const wrap = (socket: DatagramSocket): DatagramSocket => ({
    local: socket.local,
    datagrams$: socket.datagrams$,
    send(data: Uint8Array, to: Endpoint) {
      sent++;
      if (traffic === 'pass') return socket.send(data, to);
      if (traffic === 'hold') {
        const copy = Uint8Array.from(data);
        held.push(() => socket.send(copy, to));
      }
      return true;
    },
    close: () => socket.close(),
  });

  return {
    interfaces: () => network.interfaces().filter(({ internal }) => internal),
    resolve: network.resolve,
    connect: network.connect,
    listen: network.listen,
    udp: async (options) => wrap(await network.udp(options)),
    get traffic() {
      return traffic;
    },
    set traffic(next) {
      traffic = next;
      if (next !== 'hold') for (const send of held.splice(0)) if (next === 'pass') send();
    },
    get sent() {
      return sent;
    },
  };
}
