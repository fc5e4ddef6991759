import { map } from 'rxjs';
import { endpoint } from '../../../../src/core/endpoint.ts';
import type { ByteSocket, DatagramSocket, Network } from '../../../../src/core/network.ts';
import { changed, type Faults } from './fault.ts';

export const networkFaults: Faults<Network> = {
  'takes every datagram for one from port 9': {
    noticedBy: 'carries datagrams both ways and names their source',
    plant: (network) =>
      withUdp(network, ({ datagrams$ }) => ({
        datagrams$: datagrams$.pipe(map(({ data, from }) => ({ data, from: endpoint(from.address, 9) }))),
      })),
  },
  'throws at what cannot be addressed': {
    noticedBy: 'drops at once what cannot be addressed',
    plant: (network) =>
      withUdp(network, (socket) => ({
        send(data, to) {
          if (to.family !== socket.local.family) throw new RangeError('no such address');
          return socket.send(data, to);
        },
      })),
  },
  'keeps the port of a socket that is closed': {
    noticedBy: 'gives a port to one socket at a time',
    plant: (network) => withUdp(network, () => ({ close() {} })),
  },
  'goes on with an attempt that was aborted': {
    noticedBy: 'ends an attempt when its signal aborts',
    plant: (network) => changed(network, { connect: ({ host, port }) => network.connect({ host, port }) }),
  },
  'connects from whatever port is free': {
    noticedBy: 'opens several connections from one local port, then listens there',
    plant: (network) => changed(network, { connect: ({ localPort: _, ...options }) => network.connect(options) }),
  },
  'loses a byte of each chunk': {
    noticedBy: 'carries bytes both ways, in order, to whoever reads',
    plant: (network) =>
      withTcp(network, (socket) => ({ read: async () => (await socket.read())?.subarray(1) ?? null })),
  },
  'lets writes to a side that is gone vanish': {
    noticedBy: 'fails the writes to a side that is gone',
    plant: (network) => withTcp(network, () => ({ write: async () => {} })),
  },
  'says that everything is written': {
    noticedBy: 'says how much the system has not taken yet',
    plant: (network) => withTcp(network, () => ({ queued: 0 })),
  },
};

function withUdp(network: Network, members: (socket: DatagramSocket) => Partial<DatagramSocket>): Network {
  return changed(network, {
    async udp(options) {
      const socket = await network.udp(options);
      return changed(socket, members(socket));
    },
  });
}

/** Of those that connect. */
function withTcp(network: Network, members: (socket: ByteSocket) => Partial<ByteSocket>): Network {
  return changed(network, {
    async connect(options) {
      const socket = await network.connect(options);
      return changed(socket, members(socket));
    },
  });
}
