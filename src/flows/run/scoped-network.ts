import { filter, map } from 'rxjs';
import { TraversalError } from '../../core/errors.ts';
import type {
  ByteListener,
  ByteSocket,
  DatagramSocket,
  Gateway,
  Network,
  NetworkInterface,
  TcpConnectOptions,
  TcpListenOptions,
  UdpOptions,
} from '../../core/network.ts';
import type { PacketAccount } from './packet-account.ts';
import { ScopedByteSocket } from './scoped-byte-socket.ts';
import { ScopedDatagramSocket } from './scoped-datagram-socket.ts';

export interface ScopedNetworkOptions {
  readonly network: Network;
  /** Datagrams count, and so does each TCP connection that is opened, as one packet. */
  readonly account: PacketAccount;
  /** Sockets that may be open at the same time: of UDP, listeners, connections, and attempts at such. */
  readonly sockets: number;
  /** Aborted when the run is over: what opens late is closed at once. */
  readonly signal: AbortSignal;
}

type OwnSocket = DatagramSocket | ByteSocket | ByteListener;

/** The network of one run of a strategy: it keeps to the strategy's bounds, and knows what is still open at its end. */
export class ScopedNetwork implements Network {
  readonly #options: ScopedNetworkOptions;
  /** With what closes them. */
  readonly #open = new Map<OwnSocket, () => unknown>();
  #opening = 0;

  constructor(options: ScopedNetworkOptions) {
    this.#options = options;
  }

  interfaces(): readonly NetworkInterface[] {
    return this.#options.network.interfaces();
  }

  gateways(): Promise<readonly Gateway[]> {
    return this.#options.network.gateways();
  }

  resolve(...[host, options]: Parameters<Network['resolve']>): Promise<readonly string[]> {
    return this.#options.network.resolve(host, options);
  }

  /** Errors: those of `Network.udp`; `ERR_BUSY` when that is more than the strategy's bounds allow. */
  async udp(options: UdpOptions): Promise<DatagramSocket> {
    this.#admit();
    const socket = await this.#within(this.#options.network.udp(options), (opened) => opened.close());
    const own = new ScopedDatagramSocket(socket, this.#options.account, () => this.#open.delete(own));
    this.#open.set(own, () => own.close());
    return own;
  }

  /** Errors: those of `Network.connect`; `ERR_BUSY` when that is more than the strategy's bounds allow. */
  async connect(options: TcpConnectOptions): Promise<ByteSocket> {
    const { network, signal: over } = this.#options;
    const signal = options.signal === undefined ? over : AbortSignal.any([options.signal, over]);
    this.#admit();
    if (!this.#options.account.take()) throw tooMuch('packets');
    return this.#hold(await this.#within(network.connect({ ...options, signal }), (opened) => opened.destroy()));
  }

  /** Errors: those of `Network.listen`; `ERR_BUSY` when that is more than the strategy's bounds allow. */
  async listen(options: TcpListenOptions): Promise<ByteListener> {
    this.#admit();
    const listener = await this.#within(this.#options.network.listen(options), (opened) => opened.close());
    const connections$ = listener.connections$.pipe(
      filter((socket) => this.#accept(socket)),
      map((socket) => this.#hold(socket)),
    );
    const close = (): Promise<void> => {
      this.#open.delete(own);
      return listener.close();
    };
    const own: ByteListener = { local: listener.local, connections$, close };
    this.#open.set(own, close);
    return own;
  }

  /** The socket is somebody else's from now on. */
  handOver(socket: DatagramSocket | ByteSocket): void {
    if (socket instanceof ScopedDatagramSocket) socket.setFree();
    this.#open.delete(socket);
  }

  /** Closes what is open, and tells how much that was. */
  closeAll(): number {
    const left = [...this.#open.values()];
    this.#open.clear();
    for (const close of left) close();
    return left.length;
  }

  #hasRoom(): boolean {
    return this.#open.size + this.#opening < this.#options.sockets;
  }

  #admit(): void {
    this.#options.signal.throwIfAborted();
    if (!this.#hasRoom()) throw tooMuch('sockets');
  }

  /** What opens after the end is closed. */
  async #within<T>(opening: Promise<T>, close: (opened: T) => unknown): Promise<T> {
    this.#opening++;
    try {
      const opened = await opening;
      if (!this.#options.signal.aborted) return opened;
      close(opened);
      throw this.#options.signal.reason;
    } finally {
      this.#opening--;
    }
  }

  #accept(socket: ByteSocket): boolean {
    const hasRoom = this.#hasRoom();
    if (!hasRoom) socket.destroy();
    return hasRoom;
  }

  #hold(socket: ByteSocket): ByteSocket {
    const own = new ScopedByteSocket(socket, (ended) => this.#open.delete(ended));
    this.#open.set(own, () => own.destroy());
    return own;
  }
}

function tooMuch(what: 'packets' | 'sockets'): TraversalError {
  return new TraversalError('ERR_BUSY', `the strategy has used all ${what} that its bounds allow`);
}
