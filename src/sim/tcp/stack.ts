import type { Clock } from '../../core/clock.ts';
import { type Endpoint, endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { TraversalError } from '../../core/errors.ts';
import type { TcpListenOptions } from '../../core/network.ts';
import type { Node } from '../node.ts';
import { type IcmpPacket, type TcpPacket, type TcpSegment, tcpPacket } from '../packet.ts';
import { ephemeralPort, requirePort } from '../ports.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { segmentSize, type TcpState } from './connection.ts';
import { TcpListener } from './listener.ts';
import { advance } from './sequence.ts';
import { TcpSocket } from './socket.ts';

export interface TcpDialOptions {
  readonly remote: Endpoint;
  /** Default: any free port. */
  readonly localPort?: number;
  readonly signal?: AbortSignal;
}

/** The TCP connections and listeners of a host. */
export class TcpStack {
  readonly #host: Node;
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  /** By both ends. */
  readonly #sockets = new Map<string, TcpSocket>();
  readonly #listeners: TcpListener[] = [];

  constructor(host: Node, clock: Clock, random: SeededRandom) {
    this.#host = host;
    this.#clock = clock;
    this.#random = random;
  }

  /** Connections that are not gone yet, those in TIME-WAIT included. */
  get size(): number {
    return this.#sockets.size;
  }

  /** Listeners, and connections that a program of the host has not closed yet. */
  get open(): number {
    const held = [...this.#sockets.values()].filter(({ connection }) => HELD.has(connection.state));
    return this.#listeners.length + held.length;
  }

  /**
   * Opens a connection. Errors: `ERR_CONNECTION_REFUSED`, `ERR_TIMEOUT` after 127 s, `ERR_NETWORK`, `ERR_ABORTED`,
   * `ERR_PORT_IN_USE` when `localPort` is a listener's or has this connection already, `ERR_USAGE`.
   */
  async connect({ remote, localPort = 0, signal }: TcpDialOptions): Promise<TcpSocket> {
    const doing = `connecting to ${formatEndpoint(remote)} over TCP`;
    requirePort(localPort, doing);
    if (remote.port === 0) throw new TraversalError('ERR_USAGE', `${doing}: port 0 is no port to connect to`);
    if (signal?.aborted) throw aborted(doing, signal);
    const address = this.#host.sourceFor(remote.address);
    if (address === undefined) throw new TraversalError('ERR_NETWORK', `${doing}: there is no route to that address`);
    const isFree = (port: number): boolean => this.#isFree(endpoint(address, port), remote);
    if (localPort !== 0 && !isFree(localPort)) {
      throw new TraversalError('ERR_PORT_IN_USE', `${doing}: local port ${localPort} is taken`);
    }
    const port = localPort === 0 ? ephemeralPort(this.#random, isFree, doing) : localPort;
    return this.#dial(endpoint(address, port), remote, signal, doing);
  }

  /**
   * Listens, on all addresses of both families when none is given. `onConnection` gets each connection once it stands.
   * Errors: `ERR_PORT_IN_USE`, `ERR_NETWORK`, `ERR_USAGE`.
   */
  listen({ port = 0, address }: TcpListenOptions, onConnection: (socket: TcpSocket) => void): TcpListener {
    const doing = `listening on TCP port ${port}${address === undefined ? '' : ` of ${address}`}`;
    requirePort(port, doing);
    const listener = (at: number): TcpListener =>
      new TcpListener(endpoint(address ?? '::', at), { dual: address === undefined }, onConnection, () => {
        this.#listeners.splice(this.#listeners.indexOf(chosen), 1);
      });
    const isFree = (at: number): boolean => this.#listeners.every((other) => !other.overlaps(listener(at)));
    const chosen = listener(port === 0 ? ephemeralPort(this.#random, isFree, doing) : port);
    if (!chosen.isWildcard && !this.#host.owns(chosen.local.address)) {
      throw new TraversalError('ERR_NETWORK', `${doing}: the host has no such address`);
    }
    if (!isFree(chosen.local.port)) throw new TraversalError('ERR_PORT_IN_USE', `${doing}: the port is taken`);
    this.#listeners.push(chosen);
    return chosen;
  }

  /** A segment for this host has come. False when it is for no connection and no listener. */
  deliver({ source, destination, segment }: TcpPacket): boolean {
    const key = keyOf(destination, source);
    const known = this.#sockets.get(key);
    const begins = segment.syn && !segment.ack && !segment.rst;
    // A connection that only waits for late segments gives way to a new one (RFC 9293 section 3.6.1).
    const gives = begins && known?.connection.state === 'time-wait';
    if (gives) known.connection.abort();
    if (known !== undefined && !gives) {
      known.connection.receive(segment);
      return true;
    }
    const listener = begins ? this.#listenerFor(destination) : undefined;
    if (listener === undefined) return false;
    if (listener.halfOpen < BACKLOG) this.#accept(listener, destination, source, segment);
    return true;
  }

  /** Answers a segment that is for nobody with RST (RFC 9293 section 3.5.2). */
  refuse({ source, destination, segment }: TcpPacket): void {
    if (segment.rst) return;
    const { sequence, acknowledgement, payload, syn, fin } = segment;
    const end = advance(sequence, payload.length + (syn ? 1 : 0) + (fin ? 1 : 0));
    const reset = segment.ack
      ? { rst: true, sequence: acknowledgement }
      : { rst: true, ack: true, acknowledgement: end };
    this.#host.send(tcpPacket(destination, source, reset));
  }

  /** An ICMP error has come. */
  reported({ about, type, mtu }: IcmpPacket): void {
    if (about.protocol !== 'tcp') return;
    this.#sockets.get(keyOf(about.source, about.destination))?.connection.reported(type, mtu);
  }

  /** All connections and listeners are gone without a word. */
  reset(): void {
    for (const listener of [...this.#listeners]) listener.close();
    for (const { connection } of [...this.#sockets.values()]) connection.vanish();
  }

  #dial(local: Endpoint, remote: Endpoint, signal: AbortSignal | undefined, doing: string): Promise<TcpSocket> {
    return new Promise((resolve, reject) => {
      const settle = (): void => signal?.removeEventListener('abort', onAbort);
      const socket = this.#socket(local, remote, {
        onOpen: () => {
          settle();
          resolve(socket);
        },
        onBroken: (error) => {
          settle();
          reject(error);
        },
      });
      const onAbort = (): void => {
        settle();
        socket.destroy();
        reject(aborted(doing, signal));
      };
      signal?.addEventListener('abort', onAbort);
      socket.connection.open();
    });
  }

  #accept(listener: TcpListener, local: Endpoint, remote: Endpoint, syn: TcpSegment): void {
    let isOpen = false;
    listener.halfOpen++;
    const socket = this.#socket(local, remote, {
      onOpen: () => {
        isOpen = true;
        listener.halfOpen--;
        listener.opened(socket);
      },
      onBroken: () => {
        if (!isOpen) listener.halfOpen--;
      },
    });
    socket.connection.open(syn);
  }

  #socket(local: Endpoint, remote: Endpoint, hooks: Pick<SocketHooks, 'onOpen' | 'onBroken'>): TcpSocket {
    const key = keyOf(local, remote);
    const mss = segmentSize(this.#host.mtuTowards(remote.address), local.family);
    const options = { clock: this.#clock, local, remote, mss, sequence: this.#random.uint32() };
    const socket = new TcpSocket(options, {
      ...hooks,
      transmit: (segment) => this.#host.send(tcpPacket(local, remote, segment)),
      onGone: () => {
        if (this.#sockets.get(key) === socket) this.#sockets.delete(key);
      },
    });
    this.#sockets.set(key, socket);
    return socket;
  }

  #isFree(local: Endpoint, remote: Endpoint): boolean {
    return !this.#sockets.has(keyOf(local, remote)) && this.#listenerFor(local) === undefined;
  }

  #listenerFor(local: Endpoint): TcpListener | undefined {
    const fitting = this.#listeners.filter((listener) => listener.takes(local));
    return fitting.find(({ isWildcard }) => !isWildcard) ?? fitting[0];
  }
}

type SocketHooks = ConstructorParameters<typeof TcpSocket>[1];

/** States of connections that the host's side has not closed. */
const HELD: ReadonlySet<TcpState> = new Set(['syn-sent', 'syn-received', 'established', 'close-wait']);
/** Handshakes under way at one listener; more SYNs get no answer. */
const BACKLOG = 1024;

function keyOf(local: Endpoint, remote: Endpoint): string {
  return `${local.address} ${local.port} ${remote.address} ${remote.port}`;
}

function aborted(doing: string, signal: AbortSignal | undefined): TraversalError {
  return new TraversalError('ERR_ABORTED', `${doing}: aborted`, { cause: signal?.reason });
}
