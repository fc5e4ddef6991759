import { type Observable, tap } from 'rxjs';
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
} from '../core/network.ts';

/** The network of one program: it knows how many sockets the program has open. */
export class ProgramNetwork implements Network {
  readonly #network: Network;
  /** UDP sockets, listeners, connections, and attempts at such. */
  readonly #open = new Set<object>();

  constructor(network: Network) {
    this.#network = network;
  }

  /** UDP sockets, and TCP connections and listeners; attempts at connections too. */
  get open(): number {
    return this.#open.size;
  }

  interfaces(): readonly NetworkInterface[] {
    return this.#network.interfaces();
  }

  gateways(): Promise<readonly Gateway[]> {
    return this.#network.gateways();
  }

  resolve(...[host, options]: Parameters<Network['resolve']>): Promise<readonly string[]> {
    return this.#network.resolve(host, options);
  }

  async udp(options: UdpOptions): Promise<DatagramSocket> {
    const socket = await this.#network.udp(options);
    this.#open.add(socket);
    const release = (): void => this.#release(socket);
    socket.datagrams$.subscribe({ complete: release, error: release });
    return socket;
  }

  async connect(options: TcpConnectOptions): Promise<ByteSocket> {
    const attempt = this.#network.connect(options);
    this.#open.add(attempt);
    try {
      const socket = await attempt;
      this.#hold(socket);
      return socket;
    } finally {
      this.#release(attempt);
    }
  }

  async listen(options: TcpListenOptions): Promise<ByteListener> {
    const listener = await this.#network.listen(options);
    this.#open.add(listener);
    const release = (): void => this.#release(listener);
    const connections$: Observable<ByteSocket> = listener.connections$.pipe(
      tap({ next: (socket) => this.#hold(socket), complete: release, error: release }),
    );
    const close = (): Promise<void> => listener.close().finally(release);
    return { local: listener.local, connections$, close };
  }

  #hold(socket: ByteSocket): void {
    this.#open.add(socket);
    socket.closed.then(() => this.#release(socket));
  }

  #release(socket: object): void {
    this.#open.delete(socket);
  }
}
