import { systemClock } from '../adapters/node/clock.ts';
import { nodeNetwork } from '../adapters/node/network.ts';
import { cryptoRandom } from '../adapters/node/random.ts';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import { silentLog } from '../core/log.ts';
import { createRendezvousEngine, createServerSources, defaultServerLimits } from '../protocol/rendezvous/index.ts';
import { createClients } from './clients.ts';
import type { ServerCounters } from './counters.ts';
import { createDoor } from './door.ts';
import { openHttpFront } from './http-front.ts';
import { formatMetrics } from './metrics.ts';
import { openMetricsListener } from './metrics-listener.ts';
import { checkAccess, type ServerOptions } from './options.ts';
import { createServerNames } from './server-names.ts';
import { openStunService } from './stun-service.ts';

export interface RunningServer {
  /** `ws://address:port` or `wss://..`, as it was bound. */
  readonly url: string;
  /** Where STUN listens, on UDP and on TCP; empty without it. */
  readonly stun: readonly Endpoint[];
  /** Where `/metrics` is; `undefined` without. */
  readonly metricsAt: Endpoint | undefined;
  counters(): ServerCounters;
  /** The counters, and the process' memory and CPU time, in Prometheus' text format. */
  metrics(): string;
  /** Tells every client, and resolves when all is closed. */
  close(): Promise<void>;
}

/**
 * The rendezvous server with its sockets: WebSocket rendezvous and datagram relay on TCP, STUN on UDP and TCP.
 * Errors: `ERR_USAGE`, `ERR_PORT_IN_USE`, `ERR_PORT_NOT_PERMITTED`, `ERR_RESOLVE`, `ERR_NETWORK`.
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const { host = '127.0.0.1', port = 8790, stunPort = 3478, relay = true, token, tls, trustProxy = false } = options;
  const { clock = systemClock(), random = cryptoRandom(), log = silentLog } = options;
  const limits = { ...defaultServerLimits, ...options.limits };
  const network = nodeNetwork();
  const resolve = async (name: string): Promise<string> => (await network.resolve(name))[0] ?? name;
  const address = await resolve(host);
  checkAccess(options, address);
  const names = createServerNames({ names: options.names ?? [], certificate: tls?.cert });

  /** What is open, in this order; closed when a later part cannot be opened. */
  const parts: { close(): void | Promise<void> }[] = [];
  const opened = async <Part extends { close(): void | Promise<void> }>(part: Promise<Part>): Promise<Part> => {
    try {
      parts.push(await part);
      return await part;
    } catch (error) {
      await Promise.all(parts.map((one) => one.close()));
      throw error;
    }
  };

  const stun =
    options.stun === false
      ? undefined
      : await opened(openStunService({ network, clock, address, alternate: options.stunAlternate, port: stunPort }));
  const engine = createRendezvousEngine({ random, stun: stun?.names ?? [], relay, limits });
  const sources = createServerSources(limits);
  const door = createDoor({ clock, limits, sources, trustProxy });
  const clients = createClients({ engine, clock, limits, log });
  parts.push(clients);
  const front = await opened(
    openHttpFront({
      address,
      port,
      token,
      tls,
      door,
      clock,
      log,
      connections: limits.clients + limits.halfOpen + SPARE_CONNECTIONS,
      onArrival: (arrival) => clients.add(arrival, names.nameFor(arrival.host, arrival.local)),
    }),
  );
  const metricsListener =
    options.metrics &&
    (await opened(
      openMetricsListener({
        ...options.metrics,
        address: await resolve(options.metrics.host),
        clock,
        limits,
        log,
        metrics,
      }),
    ));

  function counters(): ServerCounters {
    return {
      ...clients.counters(),
      halfOpen: door.halfOpen,
      sources: sources.size,
      rejected: { ...front.rejected },
      stun: stun?.counters,
      stunTcp: stun?.tcp,
    };
  }

  function metrics(): string {
    const { user, system } = process.cpuUsage();
    return formatMetrics(counters(), {
      residentBytes: process.memoryUsage.rss(),
      cpuSeconds: (user + system) / 1_000_000,
    });
  }

  let closing: Promise<void> | undefined;
  const url = `${tls === undefined ? 'ws' : 'wss'}://${formatEndpoint(front.local)}`;
  log('server.listening', { url, stun: stun?.endpoints.map(formatEndpoint) });
  return {
    url,
    stun: stun?.endpoints ?? [],
    metricsAt: metricsListener?.local,
    counters,
    metrics,
    close: () => {
      closing ??= Promise.all(parts.map((part) => part.close())).then(() => {});
      return closing;
    },
  };
}

/** For telling clients that the server is full. */
const SPARE_CONNECTIONS = 64;
