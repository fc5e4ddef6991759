import { merge, Subject } from 'rxjs';
import { nodeNetwork } from '../../src/adapters/node/index.ts';
import type { Datagram } from '../../src/core/datagram.ts';
import { type Endpoint, endpoint } from '../../src/core/endpoint.ts';
import type { Network } from '../../src/core/network.ts';
import type { StunMessage } from '../../src/protocol/stun/index.ts';
import { isQuicPacket, tryDecodeStun } from '../../src/streams/demultiplex.ts';

/** A datagram that a victim sent, as somebody on the way sees it. */
export interface Sniffed {
  readonly data: Uint8Array;
  readonly to: Endpoint;
  readonly stun: StunMessage | undefined;
}

/** The victim's network, IPv4 on loopback, with an attacker on it who can send in anybody's name. */
export interface HostileNetwork extends Network {
  /** Where the victim receives UDP. */
  readonly victim: Endpoint;
  /** All that it sent, what was lost included. */
  readonly sniffed: readonly Sniffed[];
  /** Sees each datagram before it goes; those for which it is true are lost. */
  intercept: (datagram: Sniffed) => boolean;
  /** Hands the victim a datagram as if it had come from there. */
  forge(datagram: Datagram): void;
  /** Where the victim listens for TCP. */
  readonly tcpPort: number;
  /** Where the victim opened TCP connections to, or tried to. */
  readonly called: readonly Endpoint[];
  /** What the victim wrote on the TCP connections that it opened. */
  readonly written: readonly Uint8Array[];
}

export function hostileNetwork(): HostileNetwork {
  const network = nodeNetwork();
  const forged = new Subject<Datagram>();
  const sniffed: Sniffed[] = [];
  let intercept = (_: Sniffed): boolean => false;
  const called: Endpoint[] = [];
  const written: Uint8Array[] = [];
  let victim: Endpoint | undefined;
  let tcpPort: number | undefined;
  return {
    get victim() {
      if (victim === undefined) throw new Error('the victim has opened no socket yet');
      return victim;
    },
    sniffed,
    get intercept() {
      return intercept;
    },
    set intercept(next) {
      intercept = next;
    },
    forge: (datagram) => forged.next(datagram),
    interfaces: () => network.interfaces().filter(({ internal, family }) => internal && family === 4),
    gateways: async () => [],
    resolve: network.resolve,
    get tcpPort() {
      if (tcpPort === undefined) throw new Error('the victim listens nowhere');
      return tcpPort;
    },
    called,
    written,
    async connect(options) {
      called.push(endpoint(options.host, options.port));
      const socket = await network.connect(options);
      return {
        ...socket,
        get queued() {
          return socket.queued;
        },
        write(bytes) {
          written.push(Uint8Array.from(bytes));
          return socket.write(bytes);
        },
      };
    },
    async listen(options) {
      const listener = await network.listen(options);
      if (listener.local.family === 4) tcpPort = listener.local.port;
      return listener;
    },
    async udp(options) {
      const socket = await network.udp(options);
      if (options.family === 6) return socket;
      victim = endpoint('127.0.0.1', socket.local.port);
      return {
        local: socket.local,
        datagrams$: merge(socket.datagrams$, forged),
        send(bytes, to) {
          const data = Uint8Array.from(bytes);
          const datagram = { data, to, stun: isQuicPacket(data) ? undefined : tryDecodeStun(data) };
          sniffed.push(datagram);
          return intercept(datagram) || socket.send(bytes, to);
        },
        close: () => socket.close(),
      };
    },
  };
}
