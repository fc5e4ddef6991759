import { type Endpoint, endpoint, formatEndpoint, sameEndpoint } from '../../../src/core/endpoint.ts';
import {
  createTurnClient,
  createTurnServer,
  createTurnStreamDecoder,
  type FiveTuple,
  type TurnClient,
  type TurnClientEvent,
  type TurnClientInput,
  type TurnClientOptions,
  type TurnServer,
  type TurnServerAction,
  type TurnServerOptions,
} from '../../../src/protocol/turn/index.ts';
import { type SeededRandom, seededRandom } from '../../seeded-random.ts';

export const SERVER = endpoint('203.0.113.1', 3478);
const RELAY = '203.0.113.1';
export const PEER = endpoint('198.51.100.7', 5000);
export const ALICE = { username: 'alice', password: 'secret of alice' };
export const BOB = { username: 'bob', password: 'secret of bob' };

export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}

export function serverOptions(options: Partial<TurnServerOptions> = {}): TurnServerOptions {
  return {
    realm: 'example.org',
    users: { [ALICE.username]: ALICE.password, [BOB.username]: BOB.password },
    relayAddresses: [RELAY],
    random: seededRandom(1),
    ...options,
  };
}

/** What a peer got. */
export interface Relayed {
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

/** A server and its clients, engines on both sides, between them a network that takes no time, in a time that is moved by hand. */
export class TurnBench {
  now = 0;
  server: TurnServer;
  readonly random: SeededRandom = seededRandom(7);
  readonly relayed: Relayed[] = [];
  /** Relayed transport addresses with a socket. */
  readonly sockets = new Set<string>();
  readonly clients: BenchClient[] = [];
  /** Whether a datagram between a client and the server is lost. */
  loses: (bytes: Uint8Array, towards: 'server' | 'client') => boolean = () => false;
  /** Whether there is no socket to be had. */
  isTaken: (relayed: Endpoint) => boolean = () => false;

  constructor(options: Partial<TurnServerOptions> = {}) {
    this.server = createTurnServer(serverOptions(options));
  }

  /** A client that has not begun yet. */
  client(
    options: Partial<TurnClientOptions> = {},
    at = endpoint('192.0.2.10', 40_000 + this.clients.length),
  ): BenchClient {
    const engine = createTurnClient({ server: SERVER, random: this.random, ...ALICE, ...options });
    const client = new BenchClient(this, engine, { transport: options.transport ?? 'udp', client: at, server: SERVER });
    this.clients.push(client);
    return client;
  }

  /** A client with an allocation. */
  allocated(options: Partial<TurnClientOptions> = {}, at?: Endpoint): BenchClient {
    const client = this.client(options, at);
    client.do({ type: 'allocate' });
    return client;
  }

  /** A peer sends to a relayed transport address. */
  fromPeer(text: string, relayed: Endpoint, peer = PEER): void {
    this.perform(this.server.receiveFromPeer(bytesOf(text), peer, relayed, this.now));
    this.settle();
  }

  /** Moves on, with everything that engines want to do by then. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = Math.min(
        ...this.clients.map(({ wakeAt }) => wakeAt),
        this.server.wakeAt ?? Number.POSITIVE_INFINITY,
      );
      if (next > end) break;
      this.now = Math.max(this.now, next);
      this.perform(this.server.expire(this.now));
      this.settle();
    }
    this.now = end;
  }

  /** The server begins anew and knows nothing. */
  restartServer(options: Partial<TurnServerOptions> = {}): void {
    this.server = createTurnServer(serverOptions({ random: seededRandom(2), ...options }));
    this.sockets.clear();
  }

  settle(): void {
    while (this.clients.some((client) => client.pump()));
  }

  perform(actions: readonly TurnServerAction[]): void {
    for (const action of actions) {
      switch (action.type) {
        case 'send':
          if (this.loses(action.bytes, 'client')) break;
          this.clients.find(({ tuple }) => sameEndpoint(tuple.client, action.to.client))?.hear(action.bytes);
          break;
        case 'relay':
          this.relayed.push({
            from: formatEndpoint(action.from),
            to: formatEndpoint(action.to),
            text: Buffer.from(action.data).toString(),
          });
          break;
        case 'bind': {
          const isTaken = this.isTaken(action.relayed);
          if (!isTaken) this.sockets.add(formatEndpoint(action.relayed));
          this.perform(this.server[isTaken ? 'unbound' : 'bound'](action.relayed, this.now));
          break;
        }
        case 'release':
          this.sockets.delete(formatEndpoint(action.relayed));
      }
    }
  }
}

export class BenchClient {
  readonly engine: TurnClient;
  readonly tuple: FiveTuple;
  readonly events: TurnClientEvent[] = [];
  /** `peer: text`. */
  readonly received: string[] = [];
  /** Everything sent to the server. */
  readonly sent: Uint8Array[] = [];
  wakeAt = Number.POSITIVE_INFINITY;
  readonly #bench: TurnBench;
  readonly #stream = createTurnStreamDecoder();

  constructor(bench: TurnBench, engine: TurnClient, tuple: FiveTuple) {
    this.#bench = bench;
    this.engine = engine;
    this.tuple = tuple;
  }

  /** The relayed transport address. */
  get relayed(): Endpoint {
    const allocated = this.events.find((event) => event.type === 'allocated');
    if (allocated?.type !== 'allocated') throw new Error(`no allocation: ${JSON.stringify(this.events)}`);
    return allocated.relayed;
  }

  get last(): TurnClientEvent | undefined {
    return this.events.at(-1);
  }

  do(...inputs: readonly TurnClientInput[]): void {
    for (const input of inputs) {
      this.engine.handle(input, this.#bench.now);
      this.#bench.settle();
    }
  }

  send(text: string, peer = PEER): void {
    this.do({ type: 'send', peer, data: bytesOf(text) });
  }

  hear(bytes: Uint8Array): void {
    this.engine.handle({ type: 'received', bytes, from: SERVER }, this.#bench.now);
  }

  /** Lets the engine do what it wants to; false when there was nothing. */
  pump(): boolean {
    for (let did = false; ; did = true) {
      const output = this.engine.poll(this.#bench.now);
      switch (output.type) {
        case 'wait':
          this.wakeAt = output.until ?? Number.POSITIVE_INFINITY;
          return did;
        case 'event':
          this.events.push(output.event);
          break;
        case 'data':
          this.received.push(`${formatEndpoint(output.peer)}: ${Buffer.from(output.data).toString()}`);
          break;
        case 'transmit':
          this.#transmit(output.bytes);
      }
    }
  }

  #transmit(bytes: Uint8Array): void {
    this.sent.push(bytes);
    if (this.#bench.loses(bytes, 'server')) return;
    const messages = this.tuple.transport === 'udp' ? [bytes] : this.#stream.decode(bytes);
    for (const message of messages) {
      this.#bench.perform(this.#bench.server.receive(message, this.tuple, this.#bench.now));
    }
  }
}
