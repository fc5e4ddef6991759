import type { Observable } from 'rxjs';
import type { Datagram } from './datagram.ts';
import type { Endpoint, Family } from './endpoint.ts';

/** A network as a program sees it: the operating system's in `adapters/node`, a simulated one in `adapters/sim`. */
export interface Network {
  /** Addresses of this host that are up, one an entry; loopback included. */
  interfaces(): readonly NetworkInterface[];
  /** Routers that default routes of this host lead to, of both families, the preferred one first. Errors: `ERR_NETWORK`. */
  gateways(): Promise<readonly Gateway[]>;
  /** Numeric addresses of a host name or literal, best first. Errors: `ERR_RESOLVE`, `ERR_ABORTED`. */
  resolve(host: string, options?: { family?: Family; signal?: AbortSignal }): Promise<readonly string[]>;
  /** Opens a datagram socket. Errors: `ERR_PORT_IN_USE`, `ERR_PORT_NOT_PERMITTED`, `ERR_NETWORK`. */
  udp(options: UdpOptions): Promise<DatagramSocket>;
  /**
   * Opens a TCP connection. Errors: `ERR_CONNECTION_REFUSED`, `ERR_RESOLVE`, `ERR_TIMEOUT`, `ERR_ABORTED`, `ERR_PORT_IN_USE`,
   * `ERR_NETWORK`.
   */
  connect(options: TcpConnectOptions): Promise<ByteSocket>;
  /** Listens for TCP connections. Errors: `ERR_PORT_IN_USE`, `ERR_PORT_NOT_PERMITTED`, `ERR_NETWORK`. */
  listen(options: TcpListenOptions): Promise<ByteListener>;
}

export interface NetworkInterface {
  readonly name: string;
  readonly address: string;
  readonly family: Family;
  /** Loopback interface. */
  readonly internal: boolean;
}

export interface Gateway {
  /** Numeric address; a link-local one has its zone. */
  readonly address: string;
  readonly family: Family;
  /** Name of the interface towards it. */
  readonly interface: string;
  /** Address of this host on that interface, of the same family: what the gateway knows the host by. */
  readonly local: string;
}

export interface UdpOptions {
  readonly family: Family;
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Local address to bind; absent: all of the family. What goes to a multicast group leaves by the interface that has it. */
  readonly address?: string;
  /** Lets other sockets bind the same port, each of which then hears the same multicast. Default false. */
  readonly shared?: boolean;
}

/** A UDP socket. Hostile or undeliverable datagrams never end it; they are dropped and counted. */
export interface DatagramSocket {
  /** The bound address; `0.0.0.0` or `::` when bound to all. */
  readonly local: Endpoint;
  /** Hot; completes on close, errors only when the socket itself broke. */
  readonly datagrams$: Observable<Datagram>;
  /**
   * False when the datagram was dropped at once (buffers full, no route, closed). Never throws, and never lets more
   * than a bounded amount wait.
   */
  send(data: Uint8Array, to: Endpoint): boolean;
  /**
   * Also receives what is sent to a multicast group on the interface that has `address`, one of this host; for a socket bound to
   * all addresses. Absent where there is no multicast. Errors: `ERR_NETWORK`, `ERR_CLOSED`.
   */
  joinGroup?(group: string, address: string): void;
  close(): void;
}

export interface TcpConnectOptions {
  /** Host name or numeric address. */
  readonly host: string;
  /** 1..65535. */
  readonly port: number;
  /** Connections to different ends may have the same one. It may be listened on when they are open; while it is, no more can be opened. */
  readonly localPort?: number;
  readonly signal?: AbortSignal;
}

export interface TcpListenOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Numeric address to bind, `0.0.0.0` or `::` for all of a family; absent: all of both. */
  readonly address?: string;
}

/** A connected, ordered byte stream. */
export interface ByteSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /**
   * Next chunk, or `null` at the other side's end (half-close). One reader at a time, and one way of reading: `read` or
   * `bytes$`. At most about 1 MB is read ahead, so a reader that takes its time slows the sender down. Errors:
   * `ERR_CONNECTION_RESET`, `ERR_NETWORK`, `ERR_CLOSED` after `destroy`, `ERR_BUSY` while another read waits.
   */
  read(): Promise<Uint8Array | null>;
  /**
   * The same bytes, pushed: for a subscriber that is done with a chunk when its callback returns. One subscriber, once;
   * whoever needs time for a chunk uses `read`. Completes and errors as `read` does. Unsubscribing before the end
   * destroys the socket.
   */
  readonly bytes$: Observable<Uint8Array>;
  /**
   * Resolves when the system has taken all of `bytes`, which the caller must not change until then.
   * Errors: `ERR_CLOSED`, `ERR_CONNECTION_RESET`.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Bytes given to `write` that the system has not taken yet. */
  readonly queued: number;
  /**
   * Half-close: no more writing; reading goes on. Resolves when all that was written is handed over, or the socket is
   * gone; never rejects.
   */
  end(): Promise<void>;
  /** Ends both directions at once and drops what was not read; nothing happens when both have ended already. */
  destroy(): void;
  /** Fulfils when both directions have ended, however they did. */
  readonly closed: Promise<void>;
}

export interface ByteListener {
  readonly local: Endpoint;
  /** Accepted connections; completes on close. Connections that nobody subscribes for are refused by closing them. */
  readonly connections$: Observable<ByteSocket>;
  /** Stops accepting; standing connections live on. */
  close(): Promise<void>;
}
