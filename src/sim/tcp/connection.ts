import type { Clock, TimerHandle } from '../../core/clock.ts';
import { type Endpoint, type Family, formatEndpoint } from '../../core/endpoint.ts';
import { type ErrorCode, TraversalError } from '../../core/errors.ts';
import { type IcmpType, TCP_HEADER, type TcpSegment } from '../packet.ts';
import { Handshake, type PeerStart } from './handshake.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import { advance } from './sequence.ts';

/** RFC 9293 section 3.3.2, LISTEN aside. */
export type TcpState =
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'close-wait'
  | 'closing'
  | 'last-ack'
  | 'time-wait'
  | 'closed';

/** What a connection needs of the world, and whom it tells. */
export interface TcpEvents {
  /** Sends a segment. */
  readonly transmit: (segment: Partial<TcpSegment>) => void;
  /** Both sides have agreed. */
  readonly onOpen: () => void;
  readonly onData: (bytes: Uint8Array) => void;
  /** The other side's FIN has come. */
  readonly onEnd: () => void;
  /** There is room for more to write. */
  readonly onRoom: () => void;
  /** The connection is broken: refused, reset, silent, unreachable. */
  readonly onBroken: (error: TraversalError) => void;
  /** Nothing is left of the connection; comes last. */
  readonly onGone: () => void;
}

export interface TcpConnectionOptions {
  readonly clock: Clock;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Initial sequence number, 0..2^32-1. */
  readonly sequence: number;
  /** Maximum segment size that this side can take, in bytes. */
  readonly mss: number;
}

/**
 * One end of a TCP connection (RFC 9293): handshake, simultaneous open, data, half-close, RST. No urgent data, no
 * delayed acknowledgements; windows are unscaled.
 */
export class TcpConnection {
  readonly #clock: Clock;
  readonly #events: TcpEvents;
  readonly #options: TcpConnectionOptions;
  readonly #handshake: Handshake;
  #state: TcpState = 'closed';
  /** Once both sides have agreed. */
  #halves: Halves | undefined;
  #timer: TimerHandle | undefined;
  /** Nobody reads here any more. */
  #unwanted = false;

  constructor(options: TcpConnectionOptions, events: TcpEvents) {
    this.#options = options;
    this.#clock = options.clock;
    this.#events = events;
    this.#handshake = new Handshake(options.clock, options, {
      transmit: events.transmit,
      onAgreed: (peer, segment) => this.#establish(peer, segment),
      onBroken: (code, why) => this.#break(code, why),
    });
  }

  get state(): TcpState {
    return this.#state === 'syn-sent' ? this.#handshake.state : this.#state;
  }

  /** Active OPEN or, with the SYN of the other side, a listener's answer. */
  open(syn?: TcpSegment): void {
    this.#state = 'syn-sent';
    this.#handshake.begin(syn);
  }

  /** A segment of the other side has come. */
  receive(segment: TcpSegment): void {
    if (this.#state === 'closed') return;
    if (this.#halves === undefined) this.#handshake.receive(segment);
    else if (segment.rst) this.#whenReset(segment, this.#halves);
    else this.#whileOpen(segment, this.#halves);
  }

  /** Takes as many bytes to send as there is room for, and says how many. Before both sides have agreed, none. */
  write(bytes: Uint8Array): number {
    return this.#halves?.sender.write(bytes) ?? 0;
  }

  /** The user has read `bytes` of what came in. */
  read(bytes: number): void {
    if (this.#state !== 'closed' && this.#halves?.receiver.read(bytes)) this.#sendAck(this.#halves);
  }

  /** CLOSE: nothing more to say; what was written still goes out. */
  end(): void {
    if (this.#state === 'established') this.#state = 'fin-wait-1';
    else if (this.#state === 'close-wait') this.#state = 'last-ack';
    else return;
    this.#halves?.sender.finish();
  }

  /** Nobody reads here any more: says FIN, and answers what else comes with RST (RFC 1122 section 4.2.2.13). */
  leave(): void {
    this.#unwanted = true;
    this.end();
    if (this.#state === 'fin-wait-2') this.#goAfter(ORPHANED);
  }

  /** ABORT: the other side is told by RST, where it knows of the connection. */
  abort(): void {
    if (!UNTOLD.has(this.state)) {
      const sequence = this.#halves?.sender.next ?? advance(this.#options.sequence, 1);
      this.#events.transmit({ rst: true, sequence });
    }
    this.#go();
  }

  /** Gone without a word, as by loss of power. */
  vanish(): void {
    this.#break('ERR_NETWORK', 'the host went down');
  }

  /**
   * An ICMP error about this connection has come: it ends an attempt, and no standing connection (RFC 1122 section
   * 4.2.3.9). `mtu`: what would have gone through, in bytes.
   */
  reported(type: IcmpType, mtu: number | undefined): void {
    const meaning = HARD_ERRORS[type];
    if (mtu !== undefined) {
      this.#halves?.sender.shrink(Math.max(SMALLEST_MSS, segmentSize(mtu, this.#options.local.family)));
    } else if (meaning !== undefined && this.#halves === undefined) {
      this.#break(meaning, `${type} was reported by the network`);
    }
  }

  #establish(peer: PeerStart, segment: TcpSegment): void {
    const { sequence, mss } = this.#options;
    const start = { first: advance(sequence, 1), window: segment.window, mss: Math.min(peer.mss, mss) };
    const halves: Halves = {
      sender: new Sender(this.#clock, start, {
        transmit: (from, payload, fin) => this.#transmit(halves, { sequence: from, payload, fin }),
        onRoom: this.#events.onRoom,
        onSilence: () => this.#break('ERR_TIMEOUT', 'the other side has not answered for many minutes'),
      }),
      receiver: new Receiver(advance(peer.sequence, 1), {
        onData: this.#events.onData,
        onEnd: () => this.#otherEndArrived(),
      }),
    };
    this.#state = 'established';
    this.#halves = halves;
    if (segment.syn) this.#sendAck(halves);
    this.#events.onOpen();
    if (!segment.syn) this.receive(segment);
  }

  #whenReset({ sequence }: TcpSegment, { receiver }: Halves): void {
    if (!receiver.isInWindow(sequence)) return;
    if (this.#state === 'time-wait') this.#go();
    else this.#break('ERR_CONNECTION_RESET', 'the other side ended the connection abruptly');
  }

  #whileOpen(segment: TcpSegment, halves: Halves): void {
    const carries = segment.payload.length > 0 || segment.fin;
    // A SYN here is an old one, or forged (RFC 5961 section 4).
    const acceptable = segment.ack && !segment.syn;
    if (!acceptable || !halves.sender.acknowledge(segment.acknowledgement, segment.window, !carries)) {
      this.#sendAck(halves);
      return;
    }
    if (halves.sender.finished) this.#ownEndArrived();
    if (this.#state !== 'closed' && carries) this.#take(segment, halves);
  }

  #take({ sequence, payload, fin }: TcpSegment, halves: Halves): void {
    if (this.#unwanted && payload.length > 0) {
      this.abort();
    } else {
      halves.receiver.accept(sequence, payload, fin);
      this.#sendAck(halves);
    }
  }

  #otherEndArrived(): void {
    if (this.#state === 'established') this.#state = 'close-wait';
    else if (this.#state === 'fin-wait-1') this.#state = 'closing';
    else if (this.#state === 'fin-wait-2') this.#waitOut();
    this.#events.onEnd();
  }

  #ownEndArrived(): void {
    if (this.#state === 'last-ack') {
      this.#go();
    } else if (this.#state === 'closing') {
      this.#waitOut();
    } else if (this.#state === 'fin-wait-1') {
      this.#state = 'fin-wait-2';
      if (this.#unwanted) this.#goAfter(ORPHANED);
    }
  }

  /** Late segments of this connection must not disturb the next one. */
  #waitOut(): void {
    this.#state = 'time-wait';
    this.#goAfter(TIME_WAIT);
  }

  #sendAck(halves: Halves): void {
    this.#transmit(halves, { sequence: halves.sender.next });
  }

  #transmit({ receiver }: Halves, segment: Partial<TcpSegment>): void {
    const [acknowledgement, window] = [receiver.next, receiver.advertise()];
    this.#events.transmit({ ...segment, ack: true, acknowledgement, window });
  }

  #break(code: ErrorCode, why: string): void {
    if (this.#state === 'closed') return;
    const { remote } = this.#options;
    this.#events.onBroken(new TraversalError(code, `TCP connection with ${formatEndpoint(remote)}: ${why}`));
    this.#go();
  }

  #goAfter(delay: number): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.#go(), delay);
  }

  #go(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#clock.clearTimeout(this.#timer);
    this.#handshake.stop();
    this.#halves?.sender.stop();
    this.#events.onGone();
  }
}

/** Bytes of data in a segment that fills a packet of `mtu` bytes. */
export function segmentSize(mtu: number, family: Family): number {
  return mtu - (family === 4 ? 20 : 40) - TCP_HEADER;
}

interface Halves {
  readonly sender: Sender;
  readonly receiver: Receiver;
}

/** States in which the other side knows of no connection any more, or not yet. */
const UNTOLD: ReadonlySet<TcpState> = new Set(['closed', 'syn-sent', 'time-wait']);
/** ICMP errors that say that an attempt cannot succeed. */
const HARD_ERRORS: Partial<Record<IcmpType, ErrorCode>> = {
  'net-unreachable': 'ERR_NETWORK',
  'host-unreachable': 'ERR_NETWORK',
  'port-unreachable': 'ERR_CONNECTION_REFUSED',
  'administratively-prohibited': 'ERR_NETWORK',
};
/** Bytes: what a forged ICMP error can bring segments down to. */
const SMALLEST_MSS = 512;
/** ms: 2 MSL, as Linux takes it. */
const TIME_WAIT = 60_000;
/** ms that a side which has left waits for the other's FIN, as Linux does. */
const ORPHANED = 60_000;
