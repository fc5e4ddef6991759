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
  /** Whether the path in use has been silent for too long. */
  readonly isSuspect: boolean;
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

export function createPathTable(options: PathTableOptions): PathTable {
  return new SwitchingTable(options);
}

interface Entry {
  readonly path: Path;
  readonly subscription: Subscription;
}

class SwitchingTable implements PathTable {
  readonly observations$ = new Subject<PathObservation>();
  readonly #clock: Clock;
  readonly #options: PathTableOptions;
  readonly #entries = new Map<string, Entry>();
  #current: Path | undefined;
  #lastHeard: PathInfo | undefined;
  /** The same path, while it is here: sent on as well, as long as it is not the one in use. */
  #proven: Path | undefined;
  #hedging = false;
  #suspect = false;
  /** When the sending path last carried something to us, or was confirmed, or chosen. */
  #answeredAt: number;
  /** When the first packet was sent that nothing has come back for since. */
  #unansweredSince: number | undefined;
  #timer: TimerHandle | undefined;

  constructor(options: PathTableOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#answeredAt = options.clock.now();
  }

  get current(): PathInfo | undefined {
    return this.#current?.info;
  }

  get isDoubtful(): boolean {
    return this.#suspect || this.#current?.info.kind !== 'direct';
  }

  get isSuspect(): boolean {
    return this.#suspect;
  }

  get lastHeard(): PathInfo | undefined {
    return this.#lastHeard;
  }

  add(path: Path): void {
    this.remove(path.info.id);
    // Whoever made the path tells of its end, with an error or without.
    const subscription = path.datagrams$.subscribe({ next: this.#take(path), error: () => {} });
    this.#entries.set(path.info.id, { path, subscription });
  }

  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    entry.subscription.unsubscribe();
    if (this.#proven === entry.path) this.#proven = undefined;
    if (this.#current === entry.path) this.use(undefined);
    entry.path.close();
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  use(id: string | undefined): void {
    const next = id === undefined ? undefined : this.#entries.get(id)?.path;
    if (next === this.#current) return;
    this.#forget();
    this.#current = next;
    this.#answeredAt = this.#clock.now();
  }

  confirm(id: string): void {
    if (this.#current?.info.id !== id) return;
    this.#answeredAt = this.#clock.now();
    this.#revive(this.#current);
  }

  doubt(id: string): void {
    if (this.#current?.info.id === id) this.#suspectCurrent(this.#current);
  }

  hedge(on: boolean): void {
    this.#hedging = on;
  }

  send(packet: Uint8Array): boolean {
    const current = this.#current;
    const proven = this.#proven;
    if (current === undefined) return false;
    this.#expectAnswer();
    if (!this.#hedging) {
      const sent = current.send(packet);
      return (proven !== undefined && proven !== current && proven.send(packet)) || sent;
    }
    let taken = false;
    for (const { path } of this.#entries.values()) taken = path.send(packet) || taken;
    return taken;
  }

  close(): void {
    this.#forget();
    for (const id of [...this.#entries.keys()]) this.remove(id);
    this.observations$.complete();
  }

  /**
   * Whoever forges a source address can send what looks like the session's: that a path works is said by authentic
   * packets alone.
   */
  #take(path: Path): (packet: Uint8Array) => void {
    const { receive, authenticate } = this.#options;
    let askAgain = this.#clock.now();
    let silent = true;
    return (packet) => {
      const now = this.#clock.now();
      if (now < askAgain) {
        receive(packet);
        return;
      }
      const authentic = authenticate(packet);
      askAgain = now + (authentic ? EVIDENCE.fresh : EVIDENCE.missing);
      if (!authentic) return;
      this.#heard(path);
      if (silent) this.observations$.next({ type: 'heard', id: path.info.id });
      silent = false;
    };
  }

  #heard(path: Path): void {
    this.#lastHeard = path.info;
    this.#proven = path;
    if (path === this.#current) {
      this.#answeredAt = this.#clock.now();
      this.#unansweredSince = undefined;
      this.#revive(path);
    } else if (this.#current !== undefined && this.#clock.now() - this.#answeredAt > ELSEWHERE) {
      this.#suspectCurrent(this.#current);
    } else {
      this.#unansweredSince = undefined;
    }
  }

  #suspectCurrent(path: Path): void {
    if (this.#suspect) return;
    this.#suspect = true;
    this.observations$.next({ type: 'suspect', id: path.info.id });
  }

  #revive(path: Path): void {
    if (!this.#suspect) return;
    this.#suspect = false;
    // What checks prove and packets do not is proven anew from here.
    this.#unansweredSince = undefined;
    this.observations$.next({ type: 'alive', id: path.info.id });
  }

  #expectAnswer(): void {
    if (this.#unansweredSince !== undefined) return;
    this.#unansweredSince = this.#clock.now();
    this.#timer ??= this.#clock.setTimeout(() => this.#look(), this.#threshold());
  }

  #threshold(): number {
    return Math.max(3 * this.#options.rtt(), SUSPECT_FLOOR);
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#unansweredSince === undefined || this.#current === undefined) return;
    const rest = this.#unansweredSince + this.#threshold() - this.#clock.now();
    if (rest > 0) {
      this.#timer = this.#clock.setTimeout(() => this.#look(), rest);
    } else if (!this.#options.isWaiting()) {
      this.#unansweredSince = undefined;
    } else {
      this.#suspectCurrent(this.#current);
    }
  }

  #forget(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#unansweredSince = undefined;
    this.#suspect = false;
  }
}
