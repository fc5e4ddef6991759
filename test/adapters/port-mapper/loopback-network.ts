import { Subject } from 'rxjs';
import { nodeNetwork } from '../../../src/adapters/node/network.ts';
import type { Datagram } from '../../../src/core/datagram.ts';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { DatagramSocket, Network } from '../../../src/core/network.ts';

/** Anything that answers searches. */
export interface SsdpAnswerer {
  answers(search: string): readonly { readonly text: string; readonly from: string }[];
}

/** The system's TCP, and UDP made of nothing but SSDP: this host is 127.0.0.1, and its multicast reaches only whom the test says. */
export interface LoopbackNetwork {
  readonly network: Network;
  /** Datagrams sent so far. */
  readonly sent: number;
  readonly openSockets: number;
  /** Groups joined, as `group at address`. */
  readonly joined: readonly string[];
  /** A NOTIFY by multicast, heard by whoever has joined the group. */
  notify(text: string, from: string): void;
}

export function loopbackNetwork(options: {
  readonly answerers: readonly SsdpAnswerer[];
  /** Where the default route leads. Default 127.0.0.1. */
  readonly gateways?: readonly string[];
  /** Addresses of this host; default 127.0.0.1. */
  readonly interfaces?: readonly string[];
}): LoopbackNetwork {
  const { answerers, gateways = ['127.0.0.1'], interfaces = ['127.0.0.1'] } = options;
  const listeners = new Map<DatagramSocket, Subject<Datagram>>();
  const members = new Set<DatagramSocket>();
  const joined: string[] = [];
  let sent = 0;

  function openSocket(address: string, port: number): DatagramSocket {
    const datagrams = new Subject<Datagram>();
    const socket: DatagramSocket = {
      local: endpoint(address, port),
      datagrams$: datagrams.asObservable(),
      send(data) {
        sent++;
        const search = Buffer.from(data).toString('latin1');
        queueMicrotask(() => {
          for (const answerer of answerers)
            for (const answer of answerer.answers(search)) datagrams.next(datagram(answer));
        });
        return true;
      },
      joinGroup(group, at) {
        joined.push(`${group} at ${at}`);
        members.add(socket);
      },
      close() {
        datagrams.complete();
        listeners.delete(socket);
        members.delete(socket);
      },
    };
    listeners.set(socket, datagrams);
    return socket;
  }

  return {
    network: {
      ...nodeNetwork(),
      interfaces: () =>
        interfaces.map((address, i) => ({ name: `eth${i}`, address, family: 4 as const, internal: false })),
      gateways: async () =>
        gateways.map((address) => ({ address, family: 4 as const, interface: 'eth0', local: interfaces[0] ?? '' })),
      udp: async ({ address = '0.0.0.0', port = 0 }) => openSocket(address, port || 40_000 + listeners.size),
    },
    get sent() {
      return sent;
    },
    get openSockets() {
      return listeners.size;
    },
    joined,
    notify(text, from) {
      for (const socket of members) listeners.get(socket)?.next(datagram({ text, from }));
    },
  };
}

function datagram({ text, from }: { readonly text: string; readonly from: string }): Datagram {
  return { data: Buffer.from(text, 'latin1'), from: endpoint(from, 1900) };
}
