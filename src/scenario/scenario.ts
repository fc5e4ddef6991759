import type { Policy } from '../core/policy.ts';
import type { InternetPlan } from '../sim/plan.ts';

/**
 * Peers on a simulated internet and what they do, as plain data (JSON): what {@link runScenario} runs. Times are in ms of virtual
 * time, 0 at the beginning. Every peer listens: it lets in whoever has its ticket or is to dial its key, and echoes each stream. A restart
 * of its host kills it.
 */
export interface Scenario {
  /** Networks, hosts with their services, what happens to them, and the seed of all chance. */
  readonly internet: InternetPlan;
  readonly peers: readonly PeerPlan[];
  readonly dials: readonly DialPlan[];
  /** The run ends then at the latest. Default {@link DEFAULT_UNTIL}, at most a year. */
  readonly until?: number;
}

/** ms: two minutes. */
export const DEFAULT_UNTIL = 120_000;

export interface PeerPlan {
  /** Its own among the peers; its identity and its chance come of it. */
  readonly name: string;
  /** Name of the host that it runs on. */
  readonly host: string;
  /** When it is started. Default 0. */
  readonly startsAt?: number;
  /** Rendezvous servers, `ws://name:port`; default: all rendezvous services of the internet. */
  readonly servers?: readonly string[];
  /** STUN servers, `name:port`; default: those that the rendezvous servers tell. */
  readonly stun?: readonly string[];
  /** TURN servers, `turn:user:password@name:port[?transport=tcp]`. Default: none. */
  readonly turn?: readonly string[];
  /** Name of its flow among those that the run is given; default: the default flow. */
  readonly flow?: string;
  /** Default: that of the flow, hence `relay-first`. */
  readonly policy?: Policy;
  /** Whether it asks gateways for port mappings. Default true. */
  readonly mapping?: boolean;
}

/** One peer dials another, says something on a stream, and waits until it comes back. */
export interface DialPlan {
  readonly at: number;
  /** Names of peers. */
  readonly from: string;
  readonly to: string;
  /** By a ticket of the other side, or by its key. Default `ticket`. */
  readonly by?: 'ticket' | 'key';
  /** ms until the session must be established; default: the peer's own, 30 s. */
  readonly timeout?: number;
  /**
   * ms for which it is kept, from `at` on. By default no longer than until it has settled: on a direct path, on a relay after both
   * sides have tried for a direct one, or failed.
   */
  readonly lasts?: number;
  /** ms between two pings for as long as the connection is kept, 1 at least; absent: none. */
  readonly pingEvery?: number;
}
