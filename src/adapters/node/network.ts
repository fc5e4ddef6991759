import type { Network } from '../../core/network.ts';
import type { ReportDrop } from './drop.ts';
import { hostGateways } from './gateways.ts';
import { hostInterfaces } from './interfaces.ts';
import { resolveHost } from './resolve.ts';
import { connectTcp } from './tcp-connect.ts';
import { listenTcp } from './tcp-listener.ts';
import { openUdpSocket } from './udp-socket.ts';

export interface NodeNetworkOptions {
  /** Told of every datagram and connection that was lost or refused; they end nothing. */
  readonly onDrop?: ReportDrop;
}

/** The operating system's network, by `node:dgram`, `node:net`, `node:dns` and `node:os`. */
export function nodeNetwork({ onDrop = () => {} }: NodeNetworkOptions = {}): Network {
  return {
    interfaces: hostInterfaces,
    gateways: hostGateways,
    resolve: resolveHost,
    udp: (options) => openUdpSocket(options, onDrop),
    connect: connectTcp,
    listen: (options) => listenTcp(options, onDrop),
  };
}
