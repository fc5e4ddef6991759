import { createIdentity } from './adapters/node/identity.ts';
import { cryptoRandom, nodeNetwork, systemClock } from './adapters/node/index.ts';
import { quicSessions } from './adapters/session/quic/index.ts';
import { natsSignaling } from './adapters/signaling/nats.ts';
import { isNatsUrl } from './adapters/signaling/nats-access.ts';
import { websocketSignaling } from './adapters/signaling/websocket.ts';
import type { Environment } from './core/environment.ts';
import { classifyAddress, parseIp } from './core/ip-address.ts';
import { type Log, silentLog } from './core/log.ts';
import { normalizeServerUrl } from './core/server-url.ts';

export { createIdentity } from './adapters/node/identity.ts';
export { loadIdentityFile } from './adapters/node/identity-file.ts';
export * from './adapters/node/index.ts';
export { MANUAL_URL, type ManualSignaling, manualSignaling } from './adapters/signaling/manual.ts';
export { type RunningServer, type ServerOptions, startServer } from './server/index.ts';

export interface NodeEnvironmentOptions {
  /**
   * Rendezvous servers, `ws://host:port` or `wss://..`, or NATS servers, `nats://host:port` or `tls://..`. A peer that
   * only dials takes them from its tickets.
   */
  readonly servers?: readonly string[];
  /** STUN servers, `host:port`; those of the rendezvous servers when absent. */
  readonly stun?: readonly string[];
  /** What the servers in `servers` were started with as `--token`, or `--auth` of NATS. */
  readonly token?: string;
  readonly log?: Log;
  /** Whether loopback addresses are candidates; by default when every rendezvous server is on this machine. */
  readonly loopback?: boolean;
}

/**
 * The operating system as an environment: real sockets, real time, QUIC sessions, signalling over WebSocket or NATS.
 */
export function nodeEnvironment(options: NodeEnvironmentOptions = {}): Environment {
  const { servers = [], stun = [], token, log = silentLog } = options;
  const clock = systemClock();
  const random = cryptoRandom();
  const own = new Set(servers.map(normalizeServerUrl));
  return {
    network: nodeNetwork(),
    clock,
    random,
    log,
    // The token is for the servers that it was given with, not for those that a stranger's ticket names.
    signaling(url) {
      const open = isNatsUrl(url) ? natsSignaling : websocketSignaling;
      return open({
        url,
        clock,
        random,
        log,
        ...(token !== undefined && own.has(normalizeServerUrl(url)) && { token }),
      });
    },
    sessions: (identity) => quicSessions(identity),
    newIdentity: createIdentity,
    servers,
    stun,
    loopback: options.loopback ?? (servers.length > 0 && servers.every(isOnThisMachine)),
  };
}

function isOnThisMachine(url: string): boolean {
  const host = URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
  return host === 'localhost' || (parseIp(host) !== undefined && classifyAddress(host) === 'loopback');
}
