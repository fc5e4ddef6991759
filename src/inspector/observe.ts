import type { InspectionEvent } from 'xstate';
import type { PeerObserver, Reachability } from '../index.ts';
import { createPeerRecorder, type PeerRecorder } from '../trace/peer-recorder.ts';
import { TRACE_FORMAT, TRACE_VERSION, type TraceRecord } from '../trace/trace-format.ts';
import { SALLYPORT_VERSION } from '../trace/version.ts';
import { Captures } from './captures.ts';
import { LiveActors } from './live-actors.ts';
import { checkLocalUrl } from './local-url.ts';
import { Uplink } from './uplink.ts';
import { WIRE_FORMAT, WIRE_VERSION } from './wire.ts';

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

class ObservedProgram implements Inspector {
  readonly inspect: (event: InspectionEvent) => void;
  readonly #observed: ObservedPeer[] = [];
  readonly #captures = new Captures(() => this.#uplink.wake());
  readonly #uplink: Uplink;

  constructor({ url, name }: InspectorOptions) {
    const began = Date.now();
    this.#uplink = new Uplink(checkLocalUrl(url, 'ws://127.0.0.1:port/program?token=..'), {
      hello: () => writeHello(name, began),
      frames: (lines) => [JSON.stringify({ lines })],
      begin: () => this.#begin(),
      next: () => this.#next(),
      waiting: () => this.#captures.waiting,
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
      (tell) => this.#captures.capture(tell),
      (record) => this.#write({ t: this.#captures.t, ...record }),
    );
    this.#observed.push(observed);
    return observed;
  }

  /** A hub is there: it is told everything, if it is all there, or else what is now. */
  #begin(): void {
    const isWhole = this.#captures.begin();
    for (const observed of this.#observed) observed.renew();
    if (!isWhole) {
      this.#tellLost();
      for (const observed of this.#observed) observed.tellPresent();
    }
  }

  #next(): void {
    this.#tellLost();
    this.#captures.tellNext();
  }

  #tellLost(): void {
    const records = this.#captures.takeLost();
    if (records > 0) this.#write({ t: this.#captures.t, what: 'gap', records });
  }

  #write(record: TraceRecord): void {
    const line = JSON.stringify(record);
    this.#uplink.write(line.length > MAX_LINE ? tooLong(record, line.length) : line);
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

function writeHello(name: string, began: number): string {
  const header = { format: TRACE_FORMAT, version: TRACE_VERSION, sallyport: SALLYPORT_VERSION, world: 'real', began };
  const program = { name, pid: process.pid };
  return JSON.stringify({ format: WIRE_FORMAT, version: WIRE_VERSION, program, header });
}

function tooLong(record: TraceRecord, length: number): string {
  const who = 'who' in record ? record.who : '';
  const fields = { what: record.what, length };
  return JSON.stringify({ t: record.t, who, what: 'log', event: 'inspector.record-too-long', fields });
}

/** Characters of a record. */
const MAX_LINE = 64 * 2 ** 10;
