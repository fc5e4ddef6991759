import type { Clock } from '../core/clock.ts';
import { parseEndpoint } from '../core/endpoint.ts';
import { classifyAddress, parseIp } from '../core/ip-address.ts';
import type { ServerLimits, ServerSource, ServerSources } from '../protocol/rendezvous/index.ts';
import type { Refusal } from './refusal.ts';

/** Watches the TCP connections that are no WebSocket yet: how many of an address, how many in all, and for how long. */
export interface Door {
  readonly halfOpen: number;
  /**
   * Lets a TCP connection from this numeric address in. `onEnd` is called, at most once, when it has been there for too
   * long or gives way to a newer one.
   */
  admit(address: string, onEnd: (refusal: Refusal) => void): Visit | Refusal;
}

/** A connection from its arrival until it has become a WebSocket or has ended. */
export interface Visit {
  /**
   * Where its client is. That is where the connection comes from, unless that is a trusted proxy: then the last entry
   * of X-Forwarded-For, which is the one that the proxy has put there itself.
   */
  client(forwardedFor: string | undefined): ServerSource | Refusal;
  /** Ends the visit. */
  leave(): void;
}

export interface DoorOptions {
  readonly clock: Clock;
  readonly limits: ServerLimits;
  readonly sources: ServerSources;
  /** Whether connections from loopback and private addresses are a proxy's, whose clients are counted one by one. */
  readonly trustProxy: boolean;
}

export function createDoor({ clock, limits, sources, trustProxy }: DoorOptions): Door {
  /** Oldest first. */
  const visits = new Map<Visit, (refusal: Refusal) => void>();

  function end(visit: Visit, refusal: Refusal): void {
    const onEnd = visits.get(visit);
    visit.leave();
    onEnd?.(refusal);
  }

  function open(source: ServerSource | undefined, find: () => ServerSource): Visit {
    const timer = clock.setTimeout(() => end(visit, LATE), limits.halfOpenFor);
    if (source !== undefined) source.halfOpen++;
    const visit: Visit = {
      client: (forwardedFor) => (source === undefined ? behindProxy(forwardedFor, find) : source),
      leave() {
        if (!visits.delete(visit)) return;
        clock.clearTimeout(timer);
        if (source !== undefined) source.halfOpen--;
      },
    };
    return visit;
  }

  function behindProxy(forwardedFor: string | undefined, proxy: () => ServerSource): ServerSource | Refusal {
    const last = forwardedFor?.slice(forwardedFor.lastIndexOf(',') + 1).trim();
    const address = last === undefined ? undefined : readAddress(last);
    if (last !== undefined && address === undefined) return NO_ADDRESS;
    const source = address === undefined ? proxy() : sources.find(address, clock.now());
    return source.connections.take(1, clock.now()) ? source : TOO_FAST;
  }

  return {
    get halfOpen() {
      return visits.size;
    },
    admit(address, onEnd) {
      const find = (): ServerSource => sources.find(address, clock.now());
      const source = trustProxy && isProxy(address) ? undefined : find();
      if (source !== undefined && !source.connections.take(1, clock.now())) return TOO_FAST;
      if (source !== undefined && source.halfOpen >= limits.halfOpenPerSource) return TOO_MANY;
      const [oldest] = visits.keys();
      if (oldest !== undefined && visits.size >= limits.halfOpen) end(oldest, GIVES_WAY);
      const visit = open(source, find);
      visits.set(visit, onEnd);
      return visit;
    },
  };
}

function isProxy(address: string): boolean {
  const kind = classifyAddress(address);
  return kind === 'loopback' || kind === 'private';
}

/** A numeric address, with or without a port: proxies write both. */
function readAddress(text: string): string | undefined {
  return parseIp(text) === undefined ? parseEndpoint(text)?.address : text;
}

const LATE: Refusal = { reason: 'late', status: 408, text: 'no WebSocket in time' };
const GIVES_WAY: Refusal = { reason: 'half-open', status: 503, text: 'this server is busy: try again later' };
const TOO_MANY: Refusal = {
  reason: 'source-half-open',
  status: 429,
  text: 'too many connections of your address that are no WebSocket yet',
};
const TOO_FAST: Refusal = { reason: 'source-rate', status: 429, text: 'too many new connections of your address' };
const NO_ADDRESS: Refusal = {
  reason: 'forwarded',
  status: 400,
  text: 'the last entry of X-Forwarded-For is no address',
};
