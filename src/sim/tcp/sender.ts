import type { Clock, TimerHandle } from '../../core/clock.ts';
import { ByteRing } from './byte-ring.ts';
import { Congestion } from './congestion.ts';
import { RoundTrip } from './round-trip.ts';
import { advance, distance } from './sequence.ts';

/** What the sending half of a connection needs of it. */
export interface SenderEvents {
  readonly transmit: (sequence: number, payload: Uint8Array, fin: boolean) => void;
  /** Something was acknowledged: there is room again. */
  readonly onRoom: () => void;
  /** Nobody has answered for so long that the connection is given up. */
  readonly onSilence: () => void;
}

/**
 * Gets bytes and the FIN after them across: windows, retransmission with backoff, and at once after three duplicate
 * acknowledgements. There are no selective acknowledgements: what follows a lost segment is sent again until it turns out
 * that it had arrived.
 */
export class Sender {
  readonly #clock: Clock;
  #mss: number;
  readonly #events: SenderEvents;
  readonly #bytes = new ByteRing(SEND_BUFFER);
  readonly #congestion: Congestion;
  readonly #roundTrip = new RoundTrip();
  /** SND.UNA, SND.NXT, and the highest that SND.NXT has been before something was sent again. */
  #unacknowledged: number;
  #next: number;
  #highest: number;
  /** SND.WND. */
  #window: number;
  #fin: 'none' | 'queued' | 'acknowledged' = 'none';
  #timer: TimerHandle | undefined;
  #attempts = 0;
  #duplicates = 0;
  /** The highest that had been sent when a loss was noticed last: once it is acknowledged, the next loss is another one. */
  #recover: number;
  #timed: { readonly end: number; readonly at: number } | undefined;

  /** `first`: sequence number of the first byte; `window`: what the other side takes. */
  constructor(
    clock: Clock,
    { first, window, mss }: { first: number; window: number; mss: number },
    events: SenderEvents,
  ) {
    this.#clock = clock;
    this.#unacknowledged = first;
    this.#next = first;
    this.#highest = first;
    this.#recover = first;
    this.#window = window;
    this.#mss = mss;
    this.#events = events;
    this.#congestion = new Congestion(mss);
  }

  /** SND.NXT. */
  get next(): number {
    return this.#highest;
  }

  /** Whether the other side has everything, the FIN included. */
  get finished(): boolean {
    return this.#fin === 'acknowledged';
  }

  /** Takes as much as there is room for, and says how much that was. */
  write(bytes: Uint8Array): number {
    const taken = this.#bytes.push(bytes);
    this.#pump();
    return taken;
  }

  /** Nothing comes after what was written. */
  finish(): void {
    if (this.#fin !== 'none') return;
    this.#fin = 'queued';
    this.#pump();
  }

  /** An acknowledgement has come, on a segment that carries nothing when it is `bare`. False when it is of what was never sent. */
  acknowledge(acknowledgement: number, window: number, bare: boolean): boolean {
    const acknowledged = distance(this.#unacknowledged, acknowledgement);
    if (distance(this.#highest, acknowledgement) > 0) return false;
    if (acknowledged < 0) return true;
    const isDuplicate = bare && window === this.#window && this.#inFlight > 0;
    this.#window = window;
    if (acknowledged > 0) this.#advance(acknowledged);
    else if (window === 0) this.#attempts = 0;
    else if (isDuplicate) this.#duplicate();
    this.#pump();
    return true;
  }

  /** The network takes smaller segments only, of `mss` bytes: what is under way is sent again in such (RFC 1191 section 6.5). */
  shrink(mss: number): void {
    if (mss >= this.#mss) return;
    this.#mss = mss;
    this.#sendAgain();
    this.#pump();
  }

  /** Nothing more is sent. */
  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  get #inFlight(): number {
    return distance(this.#unacknowledged, this.#next);
  }

  /** Length in sequence numbers of all that is to be sent and not acknowledged yet. */
  get #outstanding(): number {
    return this.#bytes.length + (this.#fin === 'queued' ? 1 : 0);
  }

  #pump(): void {
    const limit = Math.min(this.#window, this.#congestion.window);
    for (;;) {
      const offset = this.#inFlight;
      const unsent = this.#bytes.length - offset;
      const size = Math.min(this.#mss, unsent, limit - offset);
      // Less than a whole segment only when it is the rest, or nothing else is under way (RFC 1122 section 4.2.3.4).
      if (size > 0 && (size === this.#mss || size === unsent || offset === 0)) this.#send(offset, size);
      else if (unsent === 0 && this.#fin === 'queued') this.#send(offset, 0);
      else break;
    }
    if (this.#timer === undefined && this.#outstanding > 0) this.#arm();
  }

  /** Sends `size` bytes, and the FIN when they are the last ones. */
  #send(offset: number, size: number): void {
    const sequence = advance(this.#unacknowledged, offset);
    const fin = this.#fin === 'queued' && offset + size === this.#bytes.length;
    const end = advance(sequence, size + (fin ? 1 : 0));
    const isNew = distance(this.#highest, end) > 0;
    if (isNew && this.#timed === undefined) this.#timed = { end, at: this.#clock.now() };
    if (distance(this.#next, end) > 0) this.#next = end;
    if (isNew) this.#highest = end;
    this.#events.transmit(sequence, this.#bytes.slice(offset, size), fin);
  }

  #advance(acknowledged: number): void {
    const bytes = Math.min(acknowledged, this.#bytes.length);
    this.#bytes.drop(bytes);
    if (acknowledged > bytes) this.#fin = 'acknowledged';
    this.#unacknowledged = advance(this.#unacknowledged, acknowledged);
    if (this.#inFlight < 0) this.#next = this.#unacknowledged;
    this.#attempts = 0;
    this.#duplicates = 0;
    this.#roundTrip.recovered();
    this.#measure();
    this.#congestion.acknowledged(acknowledged);
    this.stop();
    this.#events.onRoom();
  }

  #measure(): void {
    if (this.#timed === undefined || distance(this.#timed.end, this.#unacknowledged) < 0) return;
    this.#roundTrip.measured(this.#clock.now() - this.#timed.at);
    this.#timed = undefined;
  }

  /** The third one means that a segment is lost (RFC 5681 section 3.2); those that follow are about the same loss. */
  #duplicate(): void {
    if (++this.#duplicates !== 3 || distance(this.#recover, this.#unacknowledged) < 0) return;
    this.#recover = this.#highest;
    this.#congestion.lostOne(this.#inFlight);
    this.#sendAgain();
  }

  #sendAgain(): void {
    this.#timed = undefined;
    this.#next = this.#unacknowledged;
  }

  #arm(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#timedOut();
    }, this.#roundTrip.timeout);
  }

  /** Everything is sent again, beginning with one segment; into a closed window, one byte is (RFC 9293 section 3.8.6.1). */
  #timedOut(): void {
    if (++this.#attempts > ATTEMPTS) {
      this.#events.onSilence();
      return;
    }
    this.#roundTrip.backOff();
    this.#duplicates = 0;
    this.#recover = this.#highest;
    const probes = this.#window === 0 && this.#bytes.length > 0;
    if (!probes) this.#congestion.lostAll(this.#inFlight);
    this.#sendAgain();
    if (probes) this.#send(0, 1);
    this.#pump();
  }
}

/** Bytes that wait for the other side at most. */
const SEND_BUFFER = 2 ** 20;
/** Retransmissions of one segment, as `tcp_retries2` of Linux: some quarter of an hour. */
const ATTEMPTS = 15;
