import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { filter, firstValueFrom, Subject } from 'rxjs';
import { WebSocketServer } from 'ws';
import { nodeNetwork } from '../../src/adapters/node/index.ts';
import type { Clock } from '../../src/core/clock.ts';
import { formatEndpoint } from '../../src/core/endpoint.ts';
import type { Environment } from '../../src/core/environment.ts';
import type { Signaling } from '../../src/core/signaling.ts';
import { nodeEnvironment, type RunningServer, startServer } from '../../src/node.ts';
import { CARRIER_IDLE } from '../../src/peer/carriers.ts';
import { createPeer } from '../../src/peer/create-peer.ts';
import type { Peer, PeerOptions } from '../../src/peer/peer.ts';
import { listening, portOf } from '../cli/tcp.ts';
import { type FaultyNetwork, faultyNetwork } from '../peer/faulty-network.ts';
import { keepLedger } from './ledger.ts';

/** A peer whose world is counted and fails on command. */
export interface Party {
  readonly peer: Peer;
  readonly network: FaultyNetwork;
  /** Its connections to rendezvous servers. */
  readonly carriers: ReadonlySet<Signaling>;
  /** From now on nothing goes out through relays. */
  muteRelays(): void;
  /** Fulfils with the next diagnostic event of this name. */
  logged(event: string): Promise<void>;
  held(): readonly string[];
}

export interface PartyOptions extends Omit<PeerOptions, 'env'> {
  /** What is different in its world. */
  readonly env?: (world: Environment) => Partial<Environment>;
}

/** Peers over a real server without STUN, real WebSockets and UDP on loopback. `await using` closes all that still stands. */
export interface Scene extends AsyncDisposable {
  readonly server: RunningServer;
  /** A peer without servers of its own, as one that only dials. */
  dialer(options?: PartyOptions): Promise<Party>;
  /** A peer that is registered with the server as soon as it makes a ticket. */
  listener(options?: PartyOptions): Promise<Party>;
  /** A server that takes TCP connections and says nothing; gives its URL. */
  muteServer(): Promise<string>;
  /** A server that takes WebSockets and never says hello. */
  silentServer(): Promise<{ readonly url: string; readonly connected: Promise<void> }>;
  /** A STUN server that answers nothing, `host:port`. */
  silentStun(): Promise<string>;
}

export async function setScene(): Promise<Scene> {
  const ends: (() => unknown)[] = [];
  const server = await startServer({ port: 0, stun: false });
  ends.push(() => server.close());

  const party = async (servers: readonly string[], { env, ...options }: PartyOptions = {}): Promise<Party> => {
    const network = faultyNetwork(nodeNetwork());
    const carriers = new Set<Signaling>();
    const events = new Subject<string>();
    let relays = true;
    const system = nodeEnvironment({ servers, loopback: true, log: (event) => events.next(event) });
    const world: Environment = {
      ...system,
      network,
      clock: hurried(system.clock),
      signaling(url) {
        const carrier = muffled(system.signaling(url), () => relays);
        carriers.add(carrier);
        return {
          ...carrier,
          close() {
            carriers.delete(carrier);
            carrier.close();
          },
        };
      },
    };
    const ledger = keepLedger({ ...world, ...env?.(world) });
    const peer = await createPeer({ ...options, env: ledger.env });
    ends.push(() => peer.close());
    return {
      peer,
      network,
      carriers,
      held: ledger.held,
      muteRelays: () => {
        relays = false;
      },
      logged: async (wanted) => void (await firstValueFrom(events.pipe(filter((event) => event === wanted)))),
    };
  };

  return {
    server,
    dialer: (options) => party([], options),
    listener: (options) => party([server.url], options),
    async muteServer() {
      const sockets = new Set<Socket>();
      const mute = await listening(createServer((socket) => void sockets.add(socket.on('error', () => {}))));
      ends.push(() => {
        for (const socket of sockets) socket.destroy();
        mute.close();
      });
      return `ws://127.0.0.1:${portOf(mute)}`;
    },
    async silentServer() {
      const front = createHttpServer();
      await listening(front);
      const silent = new WebSocketServer({ server: front });
      ends.push(() => {
        for (const client of silent.clients) client.terminate();
        front.close();
      });
      const connected = new Promise<void>((resolve) => silent.once('connection', () => resolve()));
      return { url: `ws://127.0.0.1:${portOf(front)}`, connected };
    },
    async silentStun() {
      const { local, close } = await nodeNetwork().udp({ family: 4, address: '127.0.0.1' });
      ends.push(close);
      return formatEndpoint(local);
    },
    async [Symbol.asyncDispose]() {
      for (const end of ends.reverse()) await end();
    },
  };
}

/** Time in which carriers that nobody uses are closed at once. */
function hurried(clock: Clock): Clock {
  return {
    ...clock,
    setTimeout: (callback, delay) => clock.setTimeout(callback, delay === CARRIER_IDLE ? 0 : delay),
  };
}

function muffled(signaling: Signaling, relays: () => boolean): Signaling {
  return {
    ...signaling,
    relay(session) {
      const path = signaling.relay(session);
      return path && { ...path, send: (bytes) => !relays() || path.send(bytes) };
    },
  };
}
