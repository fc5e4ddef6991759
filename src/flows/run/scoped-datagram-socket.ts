import type { Observable, Subscription } from 'rxjs';
import type { Datagram } from '../../core/datagram.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import type { DatagramSocket } from '../../core/network.ts';
import type { PacketAccount } from './packet-account.ts';

/** A socket of one run of a strategy: what it sends and hears counts, until it is the connection's. */
export class ScopedDatagramSocket implements DatagramSocket {
  readonly local: Endpoint;
  readonly datagrams$: Observable<Datagram>;
  readonly joinGroup?: (group: string, address: string) => void;
  readonly #socket: DatagramSocket;
  readonly #counting: Subscription;
  #account: PacketAccount | undefined;

  constructor(socket: DatagramSocket, account: PacketAccount, onEnd: () => void) {
    this.#socket = socket;
    this.#account = account;
    this.local = socket.local;
    this.datagrams$ = socket.datagrams$;
    const next = (): void => void account.received++;
    this.#counting = socket.datagrams$.subscribe({ next, complete: onEnd, error: onEnd });
    if (socket.joinGroup !== undefined) this.joinGroup = (group, address) => socket.joinGroup?.(group, address);
  }

  send(data: Uint8Array, to: Endpoint): boolean {
    return this.#account?.take() === false ? false : this.#socket.send(data, to);
  }

  /** Counts no more. */
  setFree(): void {
    this.#account = undefined;
    this.#counting.unsubscribe();
  }

  close(): void {
    this.#socket.close();
  }
}
