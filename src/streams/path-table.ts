import { type Observable, Subject, type Subscription } from 'rxjs';
import type { Clock, TimerHandle } from '../core/clock.ts';
import type { Path, PathInfo } from '../core/path.ts';

/** What the table saw: `suspect` and `alive` of the path that is sent on, `heard` once of each path. */
export interface PathObservation {
  readonly type: 'heard' | 'suspect' | 'alive';
  readonly id: string;
}

/** The paths of one connection: which one is sent on, and whether it still answers. The session stands above it. */
export interface PathTable {
  readonly current: PathInfo | undefined;
  /** There is no path to send on, only a relayed one, or one that does not answer. */
  readonly isDoubtful: boolean;
  /** The path that last carried an authentic packet to us. */
  readonly lastHeard: PathInfo | undefined;
  /** The first authentic packet of a path; silence of the sending path, and its end. */
  readonly observations$: Observable<PathObservation>;
  add(path: Path): void;
  remove(id: string): void;
  has(id: string): boolean;
  /**
   * Sends on this path from now on; `undefined` sends nothing. Until it has carried a packet to us, packets go out on
   * the path that was heard last as well: checks prove an address, not that the session gets through there.
   */
  use(id: string | undefined): void;
  /** A path check of this path was answered. */
  confirm(id: string): void;
  /** Path checks of this path were not. */
  doubt(id: string): void;
  /** While on, every packet goes out on all paths, so that the session's loss recovery never backs off. */
  hedge(on: boolean): void;
  /** False when no path took the packet. */
  send(packet: Uint8Array): boolean;
  close(): void;
}

export interface PathTableOptions {
  readonly clock: Clock;
  /** A packet of the session came in, on whatever path. */
  readonly receive: (packet: Uint8Array) => void;
  /** The same, and says whether it was authentic and new. */
  readonly authenticate: (packet: Uint8Array) => boolean;
  /** Whether the session awaits an acknowledgement: silence without expectation is no symptom. */
  readonly isWaiting: () => boolean;
  /** Smoothed round trip of the session in ms, 0 while unknown. */
  readonly rtt: () => number;
}

/** A path is suspect when data is unacknowledged for longer than max(3 smoothed round trips, this), in ms. */
const SUSPECT_FLOOR = 300;
/**
 * A path is suspect, too, when the other side is heard on another one only, for this long in ms: it may have lost ours.
 */
const ELSEWHERE = 1000;
/**
 * ms between two packets of a path that are asked whether they are authentic, after one that was and one that was not.
 */
const EVIDENCE = { fresh: 50, missing: 5 };

export function createPathTable({ clock, receive, authenticate, isWaiting, rtt }: PathTableOptions): PathTable {
  const entries = new Map<string, { path: Path; subscription: Subscription }>();
  const observations = new Subject<PathObservation>();
  let current: Path | undefined;
  let lastHeard: PathInfo | undefined;
  /** The same path, while it is here: sent on as well, as long as it is not the one in use. */
  let proven: Path | undefined;
  let hedging = false;
  let suspect = false;
  /** When the sending path last carried something to us, or was confirmed, or chosen. */
  let answeredAt = clock.now();
  /** When the first packet was sent that nothing has come back for since. */
  let unansweredSince: number | undefined;
  let timer: TimerHandle | undefined;

  /**
   * Whoever forges a source address can send what looks like the session's: that a path works is said by authentic
   * packets alone.
   */
  const take = (path: Path): ((packet: Uint8Array) => void) => {
    let askAgain = clock.now();
    let silent = true;
    return (packet) => {
      const now = clock.now();
      if (now < askAgain) {
        receive(packet);
        return;
      }
      const authentic = authenticate(packet);
      askAgain = now + (authentic ? EVIDENCE.fresh : EVIDENCE.missing);
      if (!authentic) return;
      heard(path);
      if (silent) observations.next({ type: 'heard', id: path.info.id });
      silent = false;
    };
  };

  const heard = (path: Path): void => {
    lastHeard = path.info;
    proven = path;
    if (path === current) {
      answeredAt = clock.now();
      unansweredSince = undefined;
      revive(path);
    } else if (current !== undefined && clock.now() - answeredAt > ELSEWHERE) {
      suspectCurrent(current);
    } else {
      unansweredSince = undefined;
    }
  };

  const suspectCurrent = (path: Path): void => {
    if (suspect) return;
    suspect = true;
    observations.next({ type: 'suspect', id: path.info.id });
  };

  const revive = (path: Path): void => {
    if (!suspect) return;
    suspect = false;
    // What checks prove and packets do not is proven anew from here.
    unansweredSince = undefined;
    observations.next({ type: 'alive', id: path.info.id });
  };

  const expectAnswer = (): void => {
    if (unansweredSince !== undefined) return;
    unansweredSince = clock.now();
    timer ??= clock.setTimeout(look, threshold());
  };

  const threshold = (): number => Math.max(3 * rtt(), SUSPECT_FLOOR);

  const look = (): void => {
    timer = undefined;
    if (unansweredSince === undefined || current === undefined) return;
    const rest = unansweredSince + threshold() - clock.now();
    if (rest > 0) {
      timer = clock.setTimeout(look, rest);
    } else if (!isWaiting()) {
      unansweredSince = undefined;
    } else {
      suspectCurrent(current);
    }
  };

  const forget = (): void => {
    clock.clearTimeout(timer);
    timer = undefined;
    unansweredSince = undefined;
    suspect = false;
  };

  return {
    get current() {
      return current?.info;
    },
    get isDoubtful() {
      return suspect || current?.info.kind !== 'direct';
    },
    get lastHeard() {
      return lastHeard;
    },
    observations$: observations,
    add(path) {
      this.remove(path.info.id);
      const subscription = path.datagrams$.subscribe(take(path));
      entries.set(path.info.id, { path, subscription });
    },
    remove(id) {
      const entry = entries.get(id);
      if (entry === undefined) return;
      entries.delete(id);
      entry.subscription.unsubscribe();
      if (proven === entry.path) proven = undefined;
      if (current === entry.path) this.use(undefined);
      entry.path.close();
    },
    has: (id) => entries.has(id),
    use(id) {
      const next = id === undefined ? undefined : entries.get(id)?.path;
      if (next === current) return;
      forget();
      current = next;
      answeredAt = clock.now();
    },
    confirm(id) {
      if (current?.info.id !== id) return;
      answeredAt = clock.now();
      revive(current);
    },
    doubt(id) {
      if (current?.info.id === id) suspectCurrent(current);
    },
    hedge(on) {
      hedging = on;
    },
    send(packet) {
      if (current === undefined) return false;
      expectAnswer();
      if (!hedging) {
        const sent = current.send(packet);
        return (proven !== undefined && proven !== current && proven.send(packet)) || sent;
      }
      let taken = false;
      for (const { path } of entries.values()) taken = path.send(packet) || taken;
      return taken;
    },
    close() {
      forget();
      for (const id of [...entries.keys()]) this.remove(id);
      observations.complete();
    },
  };
}
