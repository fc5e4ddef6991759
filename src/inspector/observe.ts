import type { InspectionEvent } from 'xstate';
import type { PeerObserver, Reachability } from '../index.ts';
import { createPeerRecorder, type PeerRecorder } from '../trace/peer-recorder.ts';
import { CaptureRing } from './capture-ring.ts';
import { LiveActors } from './live-actors.ts';
import { Uplink } from './uplink.ts';

export interface InspectorOptions {
  /** Where programs join a hub: `ws://127.0.0.1:port/program?token=..`. */
  readonly url: string;
  /** What the program is called. */
  readonly name: string;
}

/**
 * Sees peers, and whatever actors, for a hub that may come and go. What is seen is noted at once and made plain later, in slices; nobody
 * who is seen waits for it, and no process stays alive for it. What was not told yet is bounded: of more the oldest is lost, which is told.
 */
export interface Inspector {
  /** For `PeerOptions.observer`: the peer of that name. */
  peer(who: string): PeerObserver;
  /** For `createActor(.., { inspect })`: any actor of this program, by the program's name. */
  readonly inspect: (event: InspectionEvent) => void;
  /** Tells what there is to tell, for half a second at most, and leaves the hub. */
  close(): Promise<void>;
}

/** Errors: `ERR_USAGE` for a URL that leads to no hub of this machine. */
export function observe(options: InspectorOptions): Inspector {
  return new ObservedProgram(options);
}

/** Something that was seen; `tell` gives it to the recorder of whoever it is about. */
interface Capture {
  /** ms since the program was first observed. */
  readonly t: number;
  readonly tell: () => void;
}

class ObservedProgram implements Inspector {
  readonly inspect: (event: InspectionEvent) => void;
  readonly #ring = new CaptureRing<Capture>(MAX_WAITING);
  readonly #observed: ObservedPeer[] = [];
  readonly #startedAt = performance.now();
  readonly #uplink: Uplink;
  /** Of the record that is being told. */
  #t = 0;
  #second = 0;
  #captured = 0;
  /** All that was ever seen is in the ring, or was told to the hub that is there. */
  #isWhole = true;

  constructor({ url, name }: InspectorOptions) {
    this.#uplink = new Uplink(url, name, {
      began: Date.now(),
      begin: () => this.#begin(),
      next: () => this.#next(),
      waiting: () => this.#ring.length,
    });
    this.inspect = this.#observe(name).observer.inspect!;
  }

  peer(who: string): PeerObserver {
    return this.#observe(who).observer;
  }

  close(): Promise<void> {
    return this.#uplink.close();
  }

  #observe(who: string): ObservedPeer {
    const observed = new ObservedPeer(
      who,
      (tell) => this.#capture(tell),
      (record) => this.#uplink.write({ t: this.#t, ...record }),
    );
    this.#observed.push(observed);
    return observed;
  }

  #capture(tell: () => void): void {
    const t = this.#now();
    const second = Math.floor(t / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#captured = 0;
    }
    if (++this.#captured > MAX_PER_SECOND) this.#ring.lose();
    else this.#ring.push({ t, tell });
    this.#uplink.wake();
  }

  /** A hub is there: it is told everything, if it is all there, or else what is now. */
  #begin(): void {
    const lost = this.#ring.takeLost();
    const isWhole = this.#isWhole && lost === 0;
    this.#isWhole = false;
    this.#t = this.#now();
    for (const observed of this.#observed) observed.renew();
    if (!isWhole) {
      this.#ring.clear();
      this.#tellLost(lost);
      for (const observed of this.#observed) observed.tellPresent();
    }
  }

  /** Tells the oldest of what waits. */
  #next(): void {
    this.#tellLost(0);
    const capture = this.#ring.shift();
    if (capture === undefined) return;
    this.#t = capture.t;
    try {
      capture.tell();
    } catch {
      // What cannot be made plain is left out, as what was lost is.
      this.#ring.lose();
    }
  }

  #tellLost(more: number): void {
    const records = this.#ring.takeLost() + more;
    if (records > 0) this.#uplink.write({ t: this.#t, what: 'gap', records });
  }

  #now(): number {
    return Math.round((performance.now() - this.#startedAt) * 1_000) / 1_000;
  }
}

/** A peer, or the program, and its recorder for the hub that is there. */
class ObservedPeer {
  readonly observer: PeerObserver;
  readonly #who: string;
  readonly #write: Parameters<typeof createPeerRecorder>[1];
  readonly #actors = new LiveActors();
  #recorder: PeerRecorder;
  #reachability: Reachability | undefined;

  constructor(who: string, capture: (tell: () => void) => void, write: Parameters<typeof createPeerRecorder>[1]) {
    this.#who = who;
    this.#write = write;
    this.#recorder = this.#record();
    this.observer = {
      inspect: (event) => {
        this.#actors.see(event);
        if (event.type !== '@xstate.event' && event.type !== '@xstate.action') {
          capture(() => this.#recorder.inspect(event));
        }
      },
      log: (event, fields) => capture(() => this.#recorder.log(event, fields)),
      reachability: (reachability) => {
        this.#reachability = reachability;
        capture(() => this.#recorder.reachability(reachability));
      },
      signal: (signal) => capture(() => this.#recorder.signal(signal)),
      packet: (packet) => capture(() => this.#recorder.packet(packet)),
      pairs: (connection, pairs) => capture(() => this.#recorder.pairs(connection, pairs)),
      stats: (connection, stats) => capture(() => this.#recorder.stats(connection, stats)),
      verdict: (connection, verdict) => capture(() => this.#recorder.verdict(connection, verdict)),
    };
  }

  /** Another hub knows nothing of what was told. */
  renew(): void {
    this.#recorder = this.#record();
  }

  tellPresent(): void {
    for (const actorRef of this.#actors) this.#recorder.begin(actorRef);
    if (this.#reachability !== undefined) this.#recorder.reachability(this.#reachability);
  }

  #record(): PeerRecorder {
    return createPeerRecorder(this.#who, this.#write, { contexts: true });
  }
}

/** Captures that wait for a hub, or to be told. */
const MAX_WAITING = 10_000;
const MAX_PER_SECOND = 20_000;
