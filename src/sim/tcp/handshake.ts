import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { TcpSegment } from '../packet.ts';
import { RECEIVE_BUFFER } from './receiver.ts';
import { advance } from './sequence.ts';

/** What the other side has said in its SYN. */
export interface PeerStart {
  /** Sequence number of the SYN. */
  readonly sequence: number;
  /** Bytes of data that it takes in a segment. */
  readonly mss: number;
}

/** What a handshake needs of its connection. */
export interface HandshakeEvents {
  readonly transmit: (segment: Partial<TcpSegment>) => void;
  /** Both sides have agreed, by this segment. */
  readonly onAgreed: (peer: PeerStart, segment: TcpSegment) => void;
  readonly onBroken: (code: ErrorCode, why: string) => void;
}

/** Three segments, or four with simultaneous open (RFC 9293 section 3.5), repeated until they are answered. */
export class Handshake {
  readonly #clock: Clock;
  readonly #events: HandshakeEvents;
  /** ISS. */
  readonly #sequence: number;
  readonly #mss: number;
  #peer: PeerStart | undefined;
  #timer: TimerHandle | undefined;
  #attempts = 0;

  /** `sequence`: the initial one; `mss`: bytes of data in a segment that this side takes. */
  constructor(clock: Clock, { sequence, mss }: { sequence: number; mss: number }, events: HandshakeEvents) {
    this.#clock = clock;
    this.#sequence = sequence;
    this.#mss = mss;
    this.#events = events;
  }

  get state(): 'syn-sent' | 'syn-received' {
    return this.#peer === undefined ? 'syn-sent' : 'syn-received';
  }

  /** Says SYN, in answer to the other side's if that has come. */
  begin(syn?: TcpSegment): void {
    if (syn !== undefined) this.#learn(syn);
    this.#clock.clearTimeout(this.#timer);
    this.#transmitSyn();
    this.#timer = this.#clock.setTimeout(
      () => {
        if (++this.#attempts > SYN_ATTEMPTS) this.#events.onBroken('ERR_TIMEOUT', 'no answer');
        else this.begin();
      },
      SYN_TIMEOUT * 2 ** this.#attempts,
    );
  }

  /** A segment of the other side has come. */
  receive(segment: TcpSegment): void {
    if (this.#peer === undefined) this.#whileSynSent(segment);
    else this.#whileSynReceived(segment, this.#peer);
  }

  /** Nothing more is sent. */
  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  #whileSynSent(segment: TcpSegment): void {
    if (segment.ack && !this.#isAcknowledgedBy(segment)) this.#reset(segment);
    else if (segment.rst && segment.ack) this.#events.onBroken('ERR_CONNECTION_REFUSED', REFUSED);
    else if (segment.rst || !segment.syn) return;
    else if (segment.ack) this.#agree(this.#learn(segment), segment);
    else this.begin(segment);
  }

  #whileSynReceived(segment: TcpSegment, peer: PeerStart): void {
    if (segment.rst) {
      const isExpected = segment.sequence === advance(peer.sequence, 1);
      if (isExpected) this.#events.onBroken('ERR_CONNECTION_REFUSED', 'the other side took its SYN back');
    } else if (segment.syn && segment.sequence !== peer.sequence) {
      return;
    } else if (!segment.ack) {
      if (segment.syn) this.#transmitSyn();
    } else if (this.#isAcknowledgedBy(segment)) {
      this.#agree(peer, segment);
    } else {
      this.#reset(segment);
    }
  }

  #agree(peer: PeerStart, segment: TcpSegment): void {
    this.stop();
    this.#events.onAgreed(peer, segment);
  }

  #isAcknowledgedBy({ acknowledgement }: TcpSegment): boolean {
    return acknowledgement === advance(this.#sequence, 1);
  }

  /** Answers what belongs to an earlier connection (RFC 9293 section 3.5.2). */
  #reset({ rst, acknowledgement }: TcpSegment): void {
    if (!rst) this.#events.transmit({ rst: true, sequence: acknowledgement });
  }

  #learn({ sequence, mss = DEFAULT_MSS }: TcpSegment): PeerStart {
    this.#peer = { sequence, mss };
    return this.#peer;
  }

  #transmitSyn(): void {
    const syn = { syn: true, sequence: this.#sequence, mss: this.#mss, window: RECEIVE_BUFFER };
    const answer = this.#peer && { ack: true, acknowledgement: advance(this.#peer.sequence, 1) };
    this.#events.transmit({ ...syn, ...answer });
  }
}

const REFUSED = 'refused: nothing listens there, or a firewall turns it away';
/** Bytes, where a SYN says nothing (RFC 9293 section 3.7.1). */
const DEFAULT_MSS = 536;
/** ms; doubles with each of 6 repetitions, so that an attempt lasts 127 s, as on Linux. */
const SYN_TIMEOUT = 1_000;
const SYN_ATTEMPTS = 6;
