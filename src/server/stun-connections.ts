import type { Clock, TimerHandle } from '../core/clock.ts';
import { DecodeError, TraversalError } from '../core/errors.ts';
import type { ByteListener, ByteSocket } from '../core/network.ts';
import { sourceNetwork } from '../core/source-network.ts';
import {
  createStunServer,
  createStunStreamDecoder,
  type StunServer,
  type StunServerCounters,
} from '../protocol/stun/index.ts';

/** STUN on TCP (RFC 8489 section 6.2.2): Binding requests of clients that want to know how their NAT maps a TCP port. */
export interface StunConnections {
  readonly counters: Readonly<StunConnectionCounters>;
  /** Stops listening, and closes all connections. */
  close(): void;
}

/** Each request is counted once, by what became of it; with one that was not answered its connection ends. */
export interface StunConnectionCounters extends StunServerCounters {
  /** Connections now. */
  open: number;
  /** Closed: one too many of their network. */
  crowded: number;
  /** Closed, the longest silent first, because others came when there was no room. */
  gaveWay: number;
  /** Closed because no request had come for 30 s. */
  idle: number;
}

/** Connections at once: in all, and of one source network, an IPv4 /24 or an IPv6 /64. */
const MAX_CONNECTIONS = { total: 1024, network: 64 };
/** ms without a request. A client that keeps a NAT's mapping alive asks again within. */
const MAX_IDLE = 30_000;
/** Bytes of a request; those that are used have 20 to 60. */
const LONGEST_REQUEST = 548;
/** Bytes of answers that wait for their reader. */
const MAX_QUEUED = 4096;

/** The listeners belong to it from now on. */
export function serveStunConnections(listeners: readonly ByteListener[], clock: Clock): StunConnections {
  return new BoundedConnections(listeners, clock);
}

class BoundedConnections implements StunConnections {
  readonly counters: StunConnectionCounters;
  readonly #listeners: readonly ByteListener[];
  readonly #clock: Clock;
  readonly #server: StunServer;
  /** The longest silent first. */
  readonly #clients = new Set<Client>();

  constructor(listeners: readonly ByteListener[], clock: Clock) {
    this.#listeners = listeners;
    this.#clock = clock;
    // Where an answer comes from is settled by the connection, so there is no CHANGE-REQUEST (RFC 5780 section 7.2).
    this.#server = createStunServer();
    this.counters = Object.assign(this.#server.counters, { open: 0, crowded: 0, gaveWay: 0, idle: 0 });
    for (const { connections$ } of listeners) connections$.subscribe((socket) => this.#admit(socket));
  }

  close(): void {
    for (const listener of this.#listeners) void listener.close();
    for (const client of [...this.#clients]) this.#dismiss(client);
  }

  #admit(socket: ByteSocket): void {
    const network = sourceNetwork(socket.remote.address, 24);
    const neighbours = [...this.#clients].filter((client) => client.network === network);
    if (neighbours.length >= MAX_CONNECTIONS.network) {
      this.counters.crowded++;
      socket.destroy();
      return;
    }
    const [longestSilent] = this.#clients;
    if (longestSilent !== undefined && this.#clients.size >= MAX_CONNECTIONS.total) {
      this.counters.gaveWay++;
      this.#dismiss(longestSilent);
    }
    const client: Client = { socket, network, deadline: undefined };
    this.#expectRequest(client);
    this.counters.open++;
    void this.#serve(client);
  }

  async #serve(client: Client): Promise<void> {
    const { socket } = client;
    const decoder = createStunStreamDecoder(LONGEST_REQUEST);
    try {
      for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) {
        for (const request of decoder.decode(chunk)) {
          if (!this.#answer(client, request)) return this.#dismiss(client);
        }
      }
    } catch (error) {
      // Broken, closed on this side, or not STUN.
      if (!(error instanceof TraversalError)) throw error;
      if (error instanceof DecodeError) this.counters.malformed++;
    }
    this.#dismiss(client);
  }

  /** False when the client deserves nothing more: no Binding request, too many of them, or it does not read the answers. */
  #answer(client: Client, request: Uint8Array): boolean {
    if (!this.#clients.has(client)) return false;
    const { socket } = client;
    const answer = this.#server.handle({ data: request, from: socket.remote }, socket.local, this.#clock.now());
    if (answer === undefined || socket.queued > MAX_QUEUED) return false;
    // What breaks a write breaks the reading too, which tells of it.
    socket.write(answer.reply).catch(() => {});
    this.#expectRequest(client);
    return true;
  }

  #expectRequest(client: Client): void {
    this.#clock.clearTimeout(client.deadline);
    client.deadline = this.#clock.setTimeout(() => {
      this.counters.idle++;
      this.#dismiss(client);
    }, MAX_IDLE);
    this.#clients.delete(client);
    this.#clients.add(client);
  }

  #dismiss(client: Client): void {
    if (!this.#clients.delete(client)) return;
    this.#clock.clearTimeout(client.deadline);
    this.counters.open--;
    client.socket.destroy();
  }
}

interface Client {
  readonly socket: ByteSocket;
  readonly network: string;
  deadline: TimerHandle | undefined;
}
