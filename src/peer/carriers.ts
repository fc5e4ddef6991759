import { BehaviorSubject, map, mergeMap, type Observable, ReplaySubject, Subject } from 'rxjs';
import type { Registration, Signaling, SignalingEvent, SignalingStatus } from '../core/signaling.ts';

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
  /** `host:port` of the STUN servers that belong to the carriers online. */
  readonly stun: readonly string[];
  /** Announces this registration on every carrier, those opened later included. */
  register(registration: Registration): void;
  close(): void;
}

export function createCarriers(open: (url: string) => Signaling): Carriers {
  const carriers = new Map<string, { carrier: Signaling; status$: BehaviorSubject<SignalingStatus> }>();
  const opened = new ReplaySubject<{ carrier: Signaling; status$: Observable<SignalingStatus> }>();
  const events = new Subject<CarrierEvent>();
  let registration: Registration | undefined;

  const openOne = (url: string): Signaling => {
    const known = carriers.get(url);
    if (known !== undefined) return known.carrier;
    const carrier = open(url);
    const status$ = new BehaviorSubject<SignalingStatus>({ state: 'connecting', attempt: 1 });
    carriers.set(url, { carrier, status$ });
    carrier.status$.subscribe(status$);
    carrier.events$.subscribe((event) => events.next({ carrier, event }));
    if (registration !== undefined) carrier.register(registration);
    opened.next({ carrier, status$ });
    return carrier;
  };

  return {
    ensure: (urls) => [...new Set(urls.map(normalize))].map(openOne),
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
      const known = [...carriers.values()].flatMap(({ status$ }) =>
        'stun' in status$.value ? status$.value.stun : [],
      );
      return [...new Set(known)];
    },
    register(next) {
      registration = next;
      for (const { carrier } of carriers.values()) carrier.register(next);
    },
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

/** `ws://host:8790` and `ws://host:8790/` are one server. */
function normalize(url: string): string {
  return URL.canParse(url) ? new URL(url).href : url;
}
