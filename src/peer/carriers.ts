import { BehaviorSubject, map, mergeMap, type Observable, ReplaySubject, Subject } from 'rxjs';
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

/** The rendezvous carriers of a peer, one a URL, opened when first asked for. */
export interface Carriers {
  /** Opens what is not open yet and gives the carriers of these URLs. */
  ensure(urls: readonly string[]): readonly Signaling[];
  readonly events$: Observable<CarrierEvent>;
  /** The last status of each carrier first, then each change. */
  readonly statuses$: Observable<CarrierStatus>;
  statusOf(carrier: Signaling): SignalingStatus;
  /** Whether some carrier has not yet told if its server can be reached. */
  readonly connecting: boolean;
  /** `host:port` of the STUN servers that belong to the carriers, as far as they have told. */
  readonly stun: readonly string[];
  /**
   * Whether another registration of the same key has taken over on each of these. One of several says little: two URLs may lead to
   * one server, where the later registration replaces the earlier one.
   */
  isReplaced(at: readonly Signaling[]): boolean;
  close(): void;
}

export function createCarriers(open: (url: string) => Signaling): Carriers {
  const carriers = new Map<string, { carrier: Signaling; status$: BehaviorSubject<SignalingStatus> }>();
  const opened = new ReplaySubject<{ carrier: Signaling; status$: Observable<SignalingStatus> }>();
  const events = new Subject<CarrierEvent>();
  /** What each carrier said last, kept while it is away: its STUN servers may well be there. */
  const stun = new Map<Signaling, readonly string[]>();
  const replaced = new Set<Signaling>();

  const openOne = (url: string): Signaling => {
    const known = carriers.get(url);
    if (known !== undefined) return known.carrier;
    const carrier = open(url);
    const status$ = new BehaviorSubject<SignalingStatus>({ state: 'connecting', attempt: 1 });
    carriers.set(url, { carrier, status$ });
    carrier.status$.subscribe((status) => {
      if (status.state === 'online') stun.set(carrier, status.stun);
      status$.next(status);
    });
    carrier.events$.subscribe((event) => {
      if (event.type === 'registered') replaced.delete(carrier);
      if (event.type === 'replaced') replaced.add(carrier);
      events.next({ carrier, event });
    });
    opened.next({ carrier, status$ });
    return carrier;
  };

  return {
    ensure: (urls) => [...new Set(urls.map(normalizeServerUrl))].map(openOne),
    events$: events,
    statuses$: opened.pipe(mergeMap(({ carrier, status$ }) => status$.pipe(map((status) => ({ carrier, status }))))),
    statusOf(wanted) {
      const found = [...carriers.values()].find(({ carrier }) => carrier === wanted);
      return found?.status$.value ?? { state: 'connecting', attempt: 1 };
    },
    get connecting() {
      return [...carriers.values()].some(({ status$ }) => status$.value.state === 'connecting');
    },
    get stun() {
      return [...new Set([...stun.values()].flat())];
    },
    isReplaced: (at) => replaced.size > 0 && at.every((carrier) => replaced.has(carrier)),
    close() {
      for (const { carrier, status$ } of carriers.values()) {
        carrier.close();
        status$.complete();
      }
      opened.complete();
      events.complete();
    },
  };
}
