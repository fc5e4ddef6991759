import type { Clock, TimerHandle } from '../../core/clock.ts';
import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { TraversalError } from '../../core/errors.ts';
import {
  createTurnStreamDecoder,
  type FiveTuple,
  fiveTupleKey,
  type TurnServer,
  type TurnServerAction,
} from '../../protocol/turn/index.ts';
import type { Host } from '../host.ts';
import { familyOf } from '../node.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import type { UdpSocket } from '../udp-socket.ts';

/** Joins a TURN server to the sockets of a simulated host, until the host goes down. */
export class TurnSockets {
  readonly #engine: TurnServer;
  readonly #host: Host;
  readonly #clock: Clock;
  /** By the local endpoint, where clients send to. */
  readonly #doors = new Map<string, UdpSocket>();
  /** By 5-tuple. */
  readonly #streams = new Map<string, TcpSocket>();
  /** By the relayed transport address. */
  readonly #relays = new Map<string, UdpSocket>();
  #timer: { readonly handle: TimerHandle; readonly at: number } | undefined;
  #open = true;

  constructor(engine: TurnServer, host: Host, clock: Clock) {
    this.#engine = engine;
    this.#host = host;
    this.#clock = clock;
  }

  /** Errors: `ERR_PORT_IN_USE`. */
  open(addresses: readonly string[], port: number): void {
    for (const address of addresses) {
      const socket = this.#host.udp.bind({ family: familyOf(address), address, port });
      const server = socket.local;
      this.#doors.set(formatEndpoint(server), socket);
      socket.onDatagram = (data, client) => {
        this.#perform(this.#engine.receive(data, { transport: 'udp', client, server }, this.#clock.now()));
      };
      socket.onClosed = () => this.#stop();
    }
    this.#host.tcp.listen({ port }, (socket) => void this.#serve(socket));
  }

  async #serve(socket: TcpSocket): Promise<void> {
    const tuple: FiveTuple = { transport: 'tcp', client: socket.remote, server: socket.local };
    const key = fiveTupleKey(tuple);
    this.#streams.set(key, socket);
    try {
      await this.#read(socket, tuple);
    } catch (error) {
      // Broken, or not TURN.
      if (!(error instanceof TraversalError)) throw error;
    }
    socket.destroy();
    this.#streams.delete(key);
    this.#perform(this.#engine.disconnect(tuple, this.#clock.now()));
  }

  async #read(socket: TcpSocket, tuple: FiveTuple): Promise<void> {
    const decoder = createTurnStreamDecoder();
    for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) {
      for (const message of decoder.decode(chunk)) {
        this.#perform(this.#engine.receive(message, tuple, this.#clock.now()));
      }
    }
  }

  #perform(actions: readonly TurnServerAction[]): void {
    for (const action of actions) {
      switch (action.type) {
        case 'send':
          this.#send(action.to, action.bytes);
          break;
        case 'relay':
          this.#relays.get(formatEndpoint(action.from))?.send(action.data, action.to);
          break;
        case 'bind':
          this.#bind(action.relayed);
          break;
        case 'release':
          this.#relays.get(formatEndpoint(action.relayed))?.close();
          this.#relays.delete(formatEndpoint(action.relayed));
      }
    }
    this.#arm();
  }

  #send(to: FiveTuple, bytes: Uint8Array): void {
    if (to.transport === 'udp') {
      this.#doors.get(formatEndpoint(to.server))?.send(bytes, to.client);
      return;
    }
    const stream = this.#streams.get(fiveTupleKey(to));
    // What comes for a slow reader is dropped, as a router would. That the stream has broken, its reader learns.
    if (stream !== undefined && stream.queued <= MAX_QUEUED) stream.write(bytes).catch(() => {});
  }

  #bind(relayed: Endpoint): void {
    const { family, address, port } = relayed;
    try {
      const socket = this.#host.udp.bind({ family, address, port });
      socket.onDatagram = (data, peer) => {
        this.#perform(this.#engine.receiveFromPeer(data, peer, relayed, this.#clock.now()));
      };
      this.#relays.set(formatEndpoint(relayed), socket);
    } catch (error) {
      if (!(error instanceof TraversalError)) throw error;
      this.#perform(this.#engine.unbound(relayed, this.#clock.now()));
      return;
    }
    this.#perform(this.#engine.bound(relayed, this.#clock.now()));
  }

  /** Sets the timer for what the engine waits for. */
  #arm(): void {
    const { wakeAt } = this.#engine;
    if (!this.#open || wakeAt === this.#timer?.at) return;
    this.#clock.clearTimeout(this.#timer?.handle);
    this.#timer = undefined;
    if (wakeAt === undefined) return;
    const now = this.#clock.now();
    const handle = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#perform(this.#engine.expire(this.#clock.now()));
    }, wakeAt - now);
    this.#timer = { handle, at: wakeAt };
  }

  /** The host has gone down, and all sockets with it. */
  #stop(): void {
    this.#open = false;
    this.#clock.clearTimeout(this.#timer?.handle);
  }
}

/** Bytes waiting for a reader. */
const MAX_QUEUED = 64 * 1024;
