import { BehaviorSubject, Observable, Subject } from 'rxjs';
import type { Clock, TimerHandle } from '../core/clock.ts';
import { normalizeServerUrl } from '../core/server-url.ts';
import type { Signaling, SignalingEvent, SignalingStatus } from '../core/signaling.ts';

export interface CarrierEvent {
  readonly carrier: Signaling;
  readonly event: SignalingEvent;
}

export interface CarrierStatus {
  readonly carrier: Signaling;
  readonly status: SignalingStatus;
}

/** Carriers that are in use until they are released. */
export interface CarrierLease {
  readonly carriers: readonly Signaling[];
  /** Those that nobody uses for a minute from now on are closed. */
  release(): void;
}

/** The rendezvous carriers of a peer, one a URL, opened when first asked for. */
export interface Carriers {
  /** Opens what is not open yet and gives the carriers of these URLs, to be used until `close`. */
  ensure(urls: readonly string[]): readonly Signaling[];
  /**
   * The same for a while: a peer that dials tickets of ever other servers does not stay connected to them all. `stun`:
   * `host:port` of STUN servers that are hinted at for as long.
   */
  lease(urls: readonly string[], stun?: readonly string[]): CarrierLease;
  readonly events$: Observable<CarrierEvent>;
  /** The last status of each carrier first, then each change. */
  readonly statuses$: Observable<CarrierStatus>;
  statusOf(carrier: Signaling): SignalingStatus;
  /** Whether some carrier has not yet told if its server can be reached. */
  readonly connecting: boolean;
  /** `host:port` of the STUN servers that belong to the carriers, as far as they have told. */
  readonly stun: readonly string[];
  /** Those that were hinted at with the leases that stand, at most 16. */
  readonly hintedStun: readonly string[];
  /**
   * Whether another registration of the same key has taken over here. One carrier of several says little: two URLs may
   * lead to one server, where the later registration replaces the earlier one.
   */
  isReplaced(carrier: Signaling): boolean;
  close(): void;
}

interface OpenCarrier {
  readonly url: string;
  readonly carrier: Signaling;
  readonly status$: BehaviorSubject<SignalingStatus>;
  /** How many use it now. */
  users: number;
  /** Closes it, while nobody uses it. */
  idle: TimerHandle;
}

/** ms for which a carrier that nobody uses is kept: who has just dialled a server often dials it again. */
export const CARRIER_IDLE = 60_000;

/** STUN servers that are taken from hints. */
const MAX_HINTED = 16;

/** What is said of a carrier that was closed. */
const UNUSED: SignalingStatus = {
  state: 'offline',
  reason: 'no longer in use',
  code: 'ERR_CLOSED',
  retryIn: undefined,
};

export function createCarriers(open: (url: string) => Signaling, clock: Clock): Carriers {
  const carriers = new Map<string, OpenCarrier>();
  /** Each status of each carrier: one subject for all, as every connection of a peer listens. */
  const statuses = new Subject<CarrierStatus>();
  const events = new Subject<CarrierEvent>();
  /** What each carrier said last, kept while it is away: its STUN servers may well be there. */
  const stun = new Map<Signaling, readonly string[]>();
  const replaced = new Set<Signaling>();
  /** One list a lease. */
  const hints = new Set<readonly string[]>();
  let closed = false;

  const openOne = (url: string): OpenCarrier => {
    const known = carriers.get(url);
    if (known !== undefined) return known;
    const carrier = open(url);
    const status$ = new BehaviorSubject<SignalingStatus>({ state: 'connecting', attempt: 1 });
    const made: OpenCarrier = { url, carrier, status$, users: 0, idle: undefined };
    carriers.set(url, made);
    carrier.status$.subscribe((status) => {
      if (status.state === 'online') stun.set(carrier, status.stun);
      status$.next(status);
    });
    carrier.events$.subscribe((event) => {
      if (event.type === 'registered') replaced.delete(carrier);
      if (event.type === 'replaced') replaced.add(carrier);
      events.next({ carrier, event });
    });
    status$.subscribe((status) => statuses.next({ carrier, status }));
    return made;
  };

  const openAll = (urls: readonly string[]): readonly OpenCarrier[] =>
    [...new Set(urls.map(normalizeServerUrl))].map(openOne);

  const closeUnused = ({ url, carrier, status$ }: OpenCarrier): void => {
    carriers.delete(url);
    stun.delete(carrier);
    replaced.delete(carrier);
    carrier.close();
    status$.next(UNUSED);
    status$.complete();
  };

  const lease = (urls: readonly string[], stunServers: readonly string[] = []): CarrierLease => {
    const leased = openAll(urls);
    const hint = [...stunServers];
    hints.add(hint);
    for (const one of leased) {
      one.users++;
      clock.clearTimeout(one.idle);
    }
    return {
      carriers: leased.map(({ carrier }) => carrier),
      release() {
        hints.delete(hint);
        for (const one of leased) {
          if (--one.users === 0 && !closed) one.idle = clock.setTimeout(() => closeUnused(one), CARRIER_IDLE);
        }
      },
    };
  };

  return {
    // A lease that nobody releases.
    ensure: (urls) => lease(urls).carriers,
    lease,
    events$: events,
    statuses$: new Observable((subscriber) => {
      const subscription = statuses.subscribe(subscriber);
      for (const { carrier, status$ } of [...carriers.values()]) subscriber.next({ carrier, status: status$.value });
      return subscription;
    }),
    statusOf(wanted) {
      const found = [...carriers.values()].find(({ carrier }) => carrier === wanted);
      return found?.status$.value ?? UNUSED;
    },
    get connecting() {
      return [...carriers.values()].some(({ status$ }) => status$.value.state === 'connecting');
    },
    get stun() {
      return [...new Set([...stun.values()].flat())];
    },
    get hintedStun() {
      return [...new Set([...hints].flat())].slice(0, MAX_HINTED);
    },
    isReplaced: (carrier) => replaced.has(carrier),
    close() {
      closed = true;
      for (const { carrier, status$, idle } of carriers.values()) {
        clock.clearTimeout(idle);
        carrier.close();
        status$.complete();
      }
      statuses.complete();
      events.complete();
    },
  };
}
