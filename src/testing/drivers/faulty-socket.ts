import { type Observable, Subject, type Subscription } from 'rxjs';
import type { Datagram } from '../../core/datagram.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import type { DatagramSocket } from '../../core/network.ts';
import { countSubscriptions, type SubscriptionCount } from './subscription-count.ts';

export interface FaultySocketOptions {
  /** Opens another socket like the first, on another port. */
  readonly open: () => Promise<DatagramSocket>;
  /** Asked for each datagram, out and in. */
  readonly isLost: () => boolean;
  readonly onSend: () => void;
  readonly onClose: () => void;
  readonly subscriptions: SubscriptionCount;
}

/** A UDP socket that loses what it is told to lose, and whose outside can be exchanged. */
export class FaultySocket implements DatagramSocket {
  readonly local: Endpoint;
  readonly datagrams$: Observable<Datagram>;
  readonly joinGroup: DatagramSocket['joinGroup'];
  readonly #options: FaultySocketOptions;
  readonly #received = new Subject<Datagram>();
  #socket: DatagramSocket;
  #reading: Subscription;
  #isClosed = false;

  constructor(socket: DatagramSocket, options: FaultySocketOptions) {
    this.#options = options;
    this.#socket = socket;
    this.#reading = this.#read(socket);
    this.local = socket.local;
    this.datagrams$ = countSubscriptions(this.#received, options.subscriptions);
    if (socket.joinGroup !== undefined) {
      this.joinGroup = (group, address) => this.#socket.joinGroup?.(group, address);
    }
  }

  send(data: Uint8Array, to: Endpoint): boolean {
    this.#options.onSend();
    // Nobody is told that a network has lost something.
    return this.#options.isLost() ? !this.#isClosed : this.#socket.send(data, to);
  }

  /** Errors: those of opening a socket. */
  async rebind(): Promise<void> {
    const next = await this.#options.open();
    if (this.#isClosed) {
      next.close();
      return;
    }
    this.#leave();
    this.#socket = next;
    this.#reading = this.#read(next);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#leave();
    this.#received.complete();
    this.#options.onClose();
  }

  #read(socket: DatagramSocket): Subscription {
    return socket.datagrams$.subscribe({
      next: (datagram) => {
        if (!this.#options.isLost()) this.#received.next(datagram);
      },
      error: (error) => this.#received.error(error),
      complete: () => this.close(),
    });
  }

  #leave(): void {
    this.#reading.unsubscribe();
    this.#socket.close();
  }
}
