import type { Clock } from '../core/clock.ts';
import { type Endpoint, endpoint, formatEndpoint } from '../core/endpoint.ts';
import { TraversalError } from '../core/errors.ts';
import { classifyAddress, parseIp } from '../core/ip-address.ts';
import type { ByteListener, DatagramSocket, Network } from '../core/network.ts';
import { createStunServer, type StunServerCounters } from '../protocol/stun/server.ts';
import { type StunConnectionCounters, serveStunConnections } from './stun-connections.ts';

/** STUN on two ports, so that clients can tell whether their NAT maps by port; on UDP and on TCP. */
export interface StunService {
  /** Where it listens, on both. */
  readonly endpoints: readonly Endpoint[];
  /** As clients are told: `:port` is the server's host as they know it. */
  readonly names: readonly string[];
  /** Of UDP. */
  readonly counters: Readonly<StunServerCounters>;
  readonly tcp: Readonly<StunConnectionCounters>;
  close(): void;
}

export interface StunServiceOptions {
  readonly network: Network;
  readonly clock: Clock;
  /** Numeric. */
  readonly address: string;
  /** Numeric; the same two ports are bound on it. */
  readonly alternate: string | undefined;
  /** First port; 0: any two free ones. */
  readonly port: number;
}

/**
 * Errors: `ERR_PORT_IN_USE`, `ERR_PORT_NOT_PERMITTED`, `ERR_NETWORK`; `ERR_USAGE` for addresses that RFC 5780 does not
 * allow.
 */
export async function openStunService(options: StunServiceOptions): Promise<StunService> {
  const { clock, address, alternate } = options;
  if (alternate !== undefined) checkAlternate(address, alternate);
  // An IPv6 socket carries IPv6 only, unlike the TCP listener on the same wildcard.
  const addresses = address === '::' ? ['0.0.0.0', '::'] : [address, alternate].filter((one) => one !== undefined);
  const { sockets, listeners, ports } = await bindPorts(options, addresses);
  const [first = 0, second = 0] = ports;
  const server = createStunServer(
    alternate === undefined
      ? {}
      : { addresses: { primary: endpoint(address, first), alternate: endpoint(alternate, second) } },
  );
  const byEndpoint = new Map(sockets.map((socket) => [formatEndpoint(socket.local), socket]));
  for (const socket of sockets) {
    socket.datagrams$.subscribe((datagram) => {
      const answer = server.handle(datagram, socket.local, clock.now());
      if (answer !== undefined) byEndpoint.get(formatEndpoint(answer.from))?.send(answer.reply, answer.to);
    });
  }
  const connections = serveStunConnections(listeners, clock);
  return {
    endpoints: sockets.map(({ local }) => local),
    names: [
      ...ports.map((port) => `:${port}`),
      ...(alternate === undefined ? [] : [formatEndpoint(endpoint(alternate, first))]),
    ],
    counters: server.counters,
    tcp: connections.counters,
    close() {
      for (const socket of sockets) socket.close();
      connections.close();
    },
  };
}

/** The same two ports on all addresses, of UDP and of TCP. */
interface BoundPorts {
  readonly sockets: readonly DatagramSocket[];
  readonly listeners: readonly ByteListener[];
  readonly ports: readonly number[];
}

/** Where any ports will do, one that is free on UDP may be taken on TCP: then others are tried. */
async function bindPorts(
  { network, port }: Pick<StunServiceOptions, 'network' | 'port'>,
  addresses: readonly string[],
  attempts = port === 0 ? BIND_ATTEMPTS : 1,
): Promise<BoundPorts> {
  const sockets: DatagramSocket[] = [];
  const listeners: ByteListener[] = [];
  const ports: number[] = [];
  try {
    for (const slot of [0, 1]) {
      let wanted = port === 0 ? 0 : port + slot;
      for (const address of addresses) {
        const socket = await network.udp({ family: address.includes(':') ? 6 : 4, address, port: wanted });
        sockets.push(socket);
        wanted = socket.local.port;
        listeners.push(await network.listen({ address, port: wanted }));
      }
      ports.push(wanted);
    }
  } catch (error) {
    for (const socket of sockets) socket.close();
    for (const listener of listeners) await listener.close();
    const isTaken = error instanceof TraversalError && error.code === 'ERR_PORT_IN_USE';
    if (!isTaken || attempts === 1) throw error;
    return bindPorts({ network, port }, addresses, attempts - 1);
  }
  return { sockets, listeners, ports };
}

/** How often two free ports are looked for. */
const BIND_ATTEMPTS = 10;

function checkAlternate(address: string, alternate: string): void {
  const second = parseIp(alternate);
  const first = parseIp(address);
  if (second === undefined || second.family !== first?.family || classifyAddress(address) === 'unspecified') {
    throw new TraversalError(
      'ERR_USAGE',
      `a second STUN address is numeric and goes with a first one of the same family, not with ${address}: ${alternate}`,
    );
  }
}
