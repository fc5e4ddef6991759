import type { Clock, TimerHandle } from '../../core/clock.ts';
import { TraversalError } from '../../core/errors.ts';
import { parseServerName } from '../../core/server-url.ts';
import {
  type ClientId,
  createServerSources,
  defaultServerLimits,
  type EngineAction,
  type RendezvousEngine,
} from '../../protocol/rendezvous/index.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import { acceptUpgrade } from '../websocket/upgrade.ts';
import { ServedClient } from './served-client.ts';

/** The clients of a rendezvous server: joins their connections to the engine. */
export class RendezvousClients {
  readonly #engine: RendezvousEngine;
  readonly #clock: Clock;
  readonly #sources = createServerSources(defaultServerLimits);
  readonly #clients = new Map<ClientId, ServedClient>();
  /** Connections that are no WebSocket yet, with their deadlines. */
  readonly #visits = new Map<TcpSocket, TimerHandle>();
  #lastClient = 0;
  #probing: TimerHandle | undefined;

  constructor(engine: RendezvousEngine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** A TCP connection has come in; it has 10 s to become a WebSocket. */
  admit(socket: TcpSocket): void {
    const deadline = this.#clock.setTimeout(() => socket.destroy(), defaultServerLimits.halfOpenFor);
    this.#visits.set(socket, deadline);
    void this.#receive(socket);
  }

  /** The host has gone down, and all connections with it. */
  forget(): void {
    for (const socket of [...this.#visits.keys()]) this.#endVisit(socket);
    for (const [id, client] of [...this.#clients]) {
      client.forget();
      this.#remove(id);
    }
  }

  async #receive(socket: TcpSocket): Promise<void> {
    try {
      const { host, rest } = await acceptUpgrade(socket);
      const name = parseServerName(host);
      if (this.#endVisit(socket) && name !== undefined) this.#add(socket, name, rest);
      else socket.destroy();
    } catch (error) {
      if (!(error instanceof TraversalError)) throw error;
      this.#endVisit(socket);
      socket.destroy();
    }
  }

  /** False when it was over already. */
  #endVisit(socket: TcpSocket): boolean {
    this.#clock.clearTimeout(this.#visits.get(socket));
    return this.#visits.delete(socket);
  }

  /** `name`: this server's, as the client dialled it. */
  #add(socket: TcpSocket, name: string, rest: Uint8Array): void {
    const id = ++this.#lastClient;
    const now = this.#clock.now();
    const client = new ServedClient(
      { stream: socket, role: 'server', clock: this.#clock, rest },
      {
        onFrame: (frame) => this.#perform(this.#engine.receive(id, frame, this.#clock.now())),
        onEnd: (silent) => {
          this.#remove(id);
          this.#perform(this.#engine.disconnect(id, this.#clock.now(), silent));
        },
      },
    );
    this.#clients.set(id, client);
    this.#probing ??= this.#clock.setTimeout(() => this.#probe(), PROBE_INTERVAL);
    this.#perform(this.#engine.connect(id, now, { name, source: this.#sources.find(socket.remote.address, now) }));
  }

  #remove(id: ClientId): void {
    this.#clients.delete(id);
    if (this.#clients.size > 0) return;
    this.#clock.clearTimeout(this.#probing);
    this.#probing = undefined;
  }

  #probe(): void {
    this.#probing = this.#clock.setTimeout(() => this.#probe(), PROBE_INTERVAL);
    for (const client of [...this.#clients.values()]) client.probe();
  }

  #perform(actions: readonly EngineAction[]): void {
    for (const action of actions) {
      const client = this.#clients.get(action.client);
      if (action.type === 'send') client?.sendControl(action.frame);
      else if (action.type === 'relay') client?.sendDatagram(action.frame);
      else if (action.type === 'hold') client?.hold();
      else client?.cutOff(action.code, action.reason);
    }
  }
}

/** How often clients are asked for a sign of life, in ms. */
const PROBE_INTERVAL = 30_000;
