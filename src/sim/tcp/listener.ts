import type { Endpoint } from '../../core/endpoint.ts';
import { familyOf } from '../node.ts';
import { ANY } from '../udp-socket.ts';
import type { TcpSocket } from './socket.ts';

/** A listening port of a simulated host. */
export class TcpListener {
  readonly local: Endpoint;
  /** Handshakes under way, counted by the stack. */
  halfOpen = 0;
  readonly #dual: boolean;
  readonly #onConnection: (socket: TcpSocket) => void;
  readonly #onClosed: () => void;
  #open = true;
  /** Told once that the listener is closed, by whomever. */
  onClosed: () => void = () => {};

  /** Made by `TcpStack.listen`. `dual`: takes both families. */
  constructor(
    local: Endpoint,
    { dual }: { dual: boolean },
    onConnection: (socket: TcpSocket) => void,
    onClosed: () => void,
  ) {
    this.local = local;
    this.#dual = dual;
    this.#onConnection = onConnection;
    this.#onClosed = onClosed;
  }

  get isWildcard(): boolean {
    return this.local.address === ANY[familyOf(this.local.address)];
  }

  /** Whether connections to `destination` are for this listener. */
  takes({ address, port, family }: Endpoint): boolean {
    if (port !== this.local.port) return false;
    return this.isWildcard ? this.#dual || family === this.local.family : address === this.local.address;
  }

  /** Whether there may be only one of the two. */
  overlaps(other: TcpListener): boolean {
    if (other.local.port !== this.local.port) return false;
    if (this.isWildcard || other.isWildcard) {
      return this.#dual || other.#dual || this.local.family === other.local.family;
    }
    return this.local.address === other.local.address;
  }

  /** A handshake is complete. */
  opened(socket: TcpSocket): void {
    if (this.#open) this.#onConnection(socket);
    else socket.destroy();
  }

  /** Stops accepting; standing connections live on. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#onClosed();
    this.onClosed();
  }
}
