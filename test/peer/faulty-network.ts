import type { Endpoint } from '../../src/core/endpoint.ts';
import { TraversalError } from '../../src/core/errors.ts';
import type { ByteListener, ByteSocket, DatagramSocket, Network } from '../../src/core/network.ts';

/** What becomes of datagrams on their way out: sent, lost, or kept until they pass again. */
export type Traffic = 'pass' | 'drop' | 'hold';

/** What may be done with TCP: nothing, connecting only, or listening too. */
export type TcpFreedom = 'none' | 'outward' | 'all';

/** A network of loopback addresses only, whose UDP fails on command, and whose TCP is forbidden unless it is asked for. */
export interface FaultyNetwork extends Network {
  traffic: Traffic;
  /** Which ports can be sent and connected to; all, unless the test says otherwise. */
  reaches: (port: number) => boolean;
  /** Datagrams given to the sockets, whatever became of them. */
  readonly sent: number;
  /** The TCP listeners opened, in order. */
  readonly listeners: readonly ByteListener[];
  /** Attempts to connect over TCP, whatever became of them. */
  readonly dialled: number;
  /** The TCP connections opened from here, in order. */
  readonly connected: readonly ByteSocket[];
}

export function faultyNetwork(network: Network, tcp: TcpFreedom = 'none'): FaultyNetwork {
  const held: (() => void)[] = [];
  const listeners: ByteListener[] = [];
  const connected: ByteSocket[] = [];
  let traffic: Traffic = 'pass';
  let reaches = (_port: number): boolean => true;
  let sent = 0;
  let dialled = 0;

  const demand = (...freedoms: readonly TcpFreedom[]): void => {
    if (!freedoms.includes(tcp)) throw new TraversalError('ERR_NETWORK', 'this network forbids it');
  };

  const wrap = (socket: DatagramSocket): DatagramSocket => ({
    local: socket.local,
    datagrams$: socket.datagrams$,
    send(data: Uint8Array, to: Endpoint) {
      sent++;
      if (!reaches(to.port)) return true;
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
    gateways: async () => [],
    resolve: network.resolve,
    async connect(options) {
      demand('outward', 'all');
      dialled++;
      if (!reaches(options.port)) throw new TraversalError('ERR_TIMEOUT', 'nothing gets there');
      const socket = await network.connect(options);
      connected.push(socket);
      return socket;
    },
    async listen(options) {
      demand('all');
      const listener = await network.listen(options);
      listeners.push(listener);
      return listener;
    },
    listeners,
    connected,
    get dialled() {
      return dialled;
    },
    get reaches() {
      return reaches;
    },
    set reaches(next) {
      reaches = next;
    },
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
