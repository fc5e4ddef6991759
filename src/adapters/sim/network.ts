import type { Gateway, Network, NetworkInterface } from '../../core/network.ts';
import type { Host } from '../../sim/host.ts';
import { familyOf } from '../../sim/node.ts';
import { resolveHost } from './resolve.ts';
import { connectTcp, listenTcp } from './tcp.ts';
import { openUdpSocket } from './udp-socket.ts';

/** The network as a program on a simulated host sees it. */
export function simNetwork(host: Host): Network {
  return {
    interfaces: () => hostInterfaces(host),
    gateways: async () => hostGateways(host),
    resolve: async (name, options) => resolveHost(host, name, options),
    udp: async (options) => openUdpSocket(host, options),
    connect: (options) => connectTcp(host, options),
    listen: async (options) => listenTcp(host, options),
  };
}

function hostInterfaces(host: Host): NetworkInterface[] {
  const up = host.interfaces.filter((one) => one.up);
  return [host.loopback, ...up].flatMap((one) =>
    one.addresses.map(({ address, family }) => ({
      name: one.name,
      address,
      family,
      internal: one === host.loopback,
    })),
  );
}

function hostGateways(host: Host): Gateway[] {
  return host.defaultRoutes().flatMap(({ gateway, interface: by }) => {
    if (gateway === undefined) return [];
    const family = familyOf(gateway);
    const local = by.addressOf(family);
    return local === undefined ? [] : [{ address: gateway, family, interface: by.name, local }];
  });
}
