import { createIdentity } from './adapters/node/identity.ts';
import { cryptoRandom, nodeNetwork, systemClock } from './adapters/node/index.ts';
import { fileLeaseJournal } from './adapters/node/lease-journal.ts';
import { upnpIgdLater } from './adapters/port-mapper/deferred.ts';
import { natPmp } from './adapters/port-mapper/nat-pmp.ts';
import { pcp } from './adapters/port-mapper/pcp.ts';
import { type TurnServerAddress, turnRelay } from './adapters/relay/turn.ts';
import { quicSessions } from './adapters/session/quic/index.ts';
import { natsSignaling } from './adapters/signaling/nats.ts';
import { isNatsUrl } from './adapters/signaling/nats-access.ts';
import { websocketSignaling } from './adapters/signaling/websocket.ts';
import type { Environment } from './core/environment.ts';
import { classifyAddress, parseIp } from './core/ip-address.ts';
import type { LeaseJournal } from './core/lease-journal.ts';
import { type Log, silentLog } from './core/log.ts';
import type { PortLeases } from './core/port-lease.ts';
import type { PortMapperFactory } from './core/port-mapper.ts';
import { normalizeServerUrl } from './core/server-url.ts';
import { createPortLeases, type PortLeasesOptions } from './leases/port-leases.ts';

export { createIdentity } from './adapters/node/identity.ts';
export { loadIdentityFile } from './adapters/node/identity-file.ts';
export * from './adapters/node/index.ts';
export {
  fileLeaseJournal,
  type LeaseJournalOptions,
  type NotedMapping,
  readLeaseJournal,
} from './adapters/node/lease-journal.ts';
export type { TurnServerAddress } from './adapters/relay/turn.ts';
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
  /**
   * TURN servers, `turn:user:password@host:port[?transport=tcp]` or in parts, for paths where there is no direct one. Errors: `ERR_USAGE`
   * for what is none, without its password; `ERR_NOT_AVAILABLE` for TURN over TLS.
   */
  readonly turn?: readonly (string | TurnServerAddress)[];
  /** What the servers in `servers` were started with as `--token`, or `--auth` of NATS. */
  readonly token?: string;
  readonly log?: Log;
  /** Whether loopback addresses are candidates; by default when every rendezvous server is on this machine. */
  readonly loopback?: boolean;
  /**
   * Whether gateways may be asked for port mappings, or by which protocols; PCP, NAT-PMP and UPnP by default, and nothing
   * where loopback addresses are candidates. The flow says which of them are asked, and in which order.
   */
  readonly mapping?: boolean | readonly PortMapperFactory[];
}

/**
 * The operating system as an environment: real sockets, real time, QUIC sessions, signalling over WebSocket or NATS.
 */
export function nodeEnvironment(options: NodeEnvironmentOptions = {}): Environment {
  const { servers = [], stun = [], turn = [], token, log = silentLog } = options;
  const clock = systemClock();
  const random = cryptoRandom();
  const own = new Set(servers.map(normalizeServerUrl));
  const loopback = options.loopback ?? (servers.length > 0 && servers.every(isOnThisMachine));
  const { mapping = !loopback } = options;
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
    mappers: typeof mapping === 'boolean' ? (mapping ? DEFAULT_MAPPERS : []) : mapping,
    leaseJournal: () => fileLeaseJournal({ log }),
    relays: turn.map(turnRelay),
    loopback,
  };
}

export interface NodePortLeasesOptions {
  /** Protocols in the order in which they are asked; PCP, NAT-PMP and UPnP by default. */
  readonly mappers?: readonly PortMapperFactory[];
  /** Where mappings are noted, for the case that this process is killed; by default files of this user. */
  readonly journal?: LeaseJournal;
  readonly log?: Log;
  /** ms in which a mapping is to be had, and a renewal. Default 5000. */
  readonly within?: number;
  /** Sees the charts of the leases at work. */
  readonly inspect?: PortLeasesOptions['inspect'];
}

/** Port mappings at the gateways of this host. Close them before the process ends. */
export function nodePortLeases(options: NodePortLeasesOptions = {}): PortLeases {
  const { log = silentLog, within, inspect } = options;
  const { mappers = DEFAULT_MAPPERS, journal = fileLeaseJournal({ log }) } = options;
  const world = { network: nodeNetwork(), clock: systemClock(), random: cryptoRandom(), log };
  return createPortLeases({ ...world, mappers, journal, within, inspect });
}

const DEFAULT_MAPPERS: readonly PortMapperFactory[] = [pcp(), natPmp(), upnpIgdLater];

function isOnThisMachine(url: string): boolean {
  const host = URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
  return host === 'localhost' || (parseIp(host) !== undefined && classifyAddress(host) === 'loopback');
}
