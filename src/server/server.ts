import type { WebSocket } from 'ws';
import { systemClock } from '../adapters/node/clock.ts';
import { nodeNetwork } from '../adapters/node/network.ts';
import { cryptoRandom } from '../adapters/node/random.ts';
import type { TimerHandle } from '../core/clock.ts';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import { silentLog } from '../core/log.ts';
import {
  createRendezvousEngine,
  defaultServerLimits,
  type EngineAction,
  type RendezvousCounters,
} from '../protocol/rendezvous/index.ts';
import type { StunServerCounters } from '../protocol/stun/server.ts';
import { type ClientSocket, createClientSocket } from './client-socket.ts';
import { openHttpFront } from './http-front.ts';
import { checkAccess, type ServerOptions } from './options.ts';
import { openStunService } from './stun-service.ts';

export interface RunningServer {
  /** `ws://address:port` or `wss://..`, as it was bound. */
  readonly url: string;
  /** Where STUN listens; empty without it. */
  readonly stun: readonly Endpoint[];
  counters(): ServerCounters;
  /** Tells every client, and resolves when all is closed. */
  close(): Promise<void>;
}

export interface ServerCounters extends RendezvousCounters {
  /** Relayed datagrams dropped because their reader was slow, and clients disconnected for the same reason. */
  readonly slowDatagrams: number;
  readonly slowClients: number;
  readonly stun: Readonly<StunServerCounters> | undefined;
}

/**
 * The rendezvous server with its sockets: WebSocket rendezvous and datagram relay on TCP, STUN on UDP.
 * Errors: `ERR_USAGE`, `ERR_PORT_IN_USE`, `ERR_PORT_NOT_PERMITTED`, `ERR_RESOLVE`, `ERR_NETWORK`.
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const { host = '127.0.0.1', port = 8790, stunPort = 3478, relay = true, token, tls } = options;
  const { clock = systemClock(), random = cryptoRandom(), log = silentLog } = options;
  const limits = { ...defaultServerLimits, ...options.limits };
  const network = nodeNetwork();
  const [address = host] = await network.resolve(host);
  checkAccess(options, address);

  const stun =
    options.stun === false
      ? undefined
      : await openStunService({ network, clock, address, alternate: options.stunAlternate, port: stunPort });
  const clients = new Map<number, ClientSocket>();
  const slow = { slowDatagrams: 0, slowClients: 0 };
  const engine = createRendezvousEngine({
    name: formatEndpoint({ address, port, family: address.includes(':') ? 6 : 4 }),
    random,
    stun: stun?.names ?? [],
    relay,
    limits,
  });
  let lastClient = 0;

  function perform(actions: readonly EngineAction[]): void {
    for (const action of actions) {
      const client = clients.get(action.client);
      if (client === undefined) continue;
      if (action.type === 'close') client.close(action.code, action.reason);
      else if (action.type === 'relay') {
        if (!client.sendDatagram(action.frame)) slow.slowDatagrams++;
      } else if (!client.sendControl(action.frame)) {
        clients.delete(action.client);
        slow.slowClients++;
      }
    }
  }

  function accept(socket: WebSocket): void {
    const id = ++lastClient;
    const client = createClientSocket(socket, {
      log,
      onFrame: (frame) => perform(engine.receive(id, frame, clock.now())),
      onClose(silent) {
        clients.delete(id);
        perform(engine.disconnect(id, clock.now(), silent));
      },
    });
    clients.set(id, client);
    perform(engine.connect(id, clock.now()));
  }

  const front = await openHttpFront({
    address,
    port,
    token,
    tls,
    log,
    connections: limits.clients + SPARE_CONNECTIONS,
    onWebSocket: accept,
  }).catch((error: unknown) => {
    stun?.close();
    throw error;
  });

  let timer: TimerHandle = clock.setTimeout(probeClients, PROBE_INTERVAL);
  function probeClients(): void {
    for (const client of clients.values()) client.probe();
    timer = clock.setTimeout(probeClients, PROBE_INTERVAL);
  }

  async function close(): Promise<void> {
    clock.clearTimeout(timer);
    stun?.close();
    for (const client of clients.values()) client.close(CLOSE_GOING_AWAY, 'the server is stopping');
    const grace = clock.setTimeout(() => {
      for (const client of clients.values()) client.terminate();
    }, CLOSE_GRACE);
    await front.close();
    clock.clearTimeout(grace);
  }

  let closing: Promise<void> | undefined;
  const url = `${tls === undefined ? 'ws' : 'wss'}://${formatEndpoint(front.local)}`;
  log('server.listening', { url, stun: stun?.endpoints.map(formatEndpoint) });
  return {
    url,
    stun: stun?.endpoints ?? [],
    counters: () => ({ ...engine.counters(), ...slow, stun: stun?.counters }),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** How often clients are asked for a sign of life, in ms. */
const PROBE_INTERVAL = 30_000;
/** How long clients may take to confirm the end, in ms. */
const CLOSE_GRACE = 1_000;
/** RFC 6455 section 7.4.1. */
const CLOSE_GOING_AWAY = 1001;
/** For health checks and for telling a client that the server is full. */
const SPARE_CONNECTIONS = 64;
