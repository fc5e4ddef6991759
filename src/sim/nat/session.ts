import type { TcpPacket, TcpSegment, UdpPacket } from '../packet.ts';
import type { SessionTimers } from './session-timers.ts';

/** What has ports, and so sessions. */
export type TransportPacket = UdpPacket | TcpPacket;

/**
 * What a NAT or firewall remembers of one flow: which ways packets have gone, how far a TCP connection is, and so when
 * it may be forgotten (RFC 4787 section 4.3, RFC 5382 section 5). Times are in ms.
 */
export class Session {
  readonly #timers: SessionTimers;
  readonly #protocol: TransportPacket['protocol'];
  #refreshedAt: number;
  #sent = false;
  #received = false;
  #tcp: TcpFlags = CLOSED;

  constructor(timers: SessionTimers, protocol: TransportPacket['protocol'], now: number) {
    this.#timers = timers;
    this.#protocol = protocol;
    this.#refreshedAt = now;
  }

  /** Whether the inside has sent: only that opens a filter. */
  get isOpened(): boolean {
    return this.#sent;
  }

  /** Whether our SYN is out and the other side's is not in: what comes now makes a simultaneous open (RFC 5382 section 4.2). */
  get isOpening(): boolean {
    return this.#tcp.synSent && !this.#tcp.synReceived;
  }

  isAlive(now: number): boolean {
    return now < this.#refreshedAt + this.#timeout();
  }

  /** A packet of the flow has gone out. */
  sent(packet: TransportPacket, now: number): void {
    // Both sides' SYNs have been before.
    if (!this.#sent && !this.#received && packet.protocol === 'tcp' && isInMidstream(packet.segment))
      this.#tcp = ESTABLISHED;
    this.#sent = true;
    if (packet.protocol === 'tcp') {
      this.#follow(packet.segment, true, now);
    } else if (this.#timers.refresh !== 'inbound') {
      this.#refreshedAt = now;
    }
  }

  /** A packet of the flow has come in. */
  received(packet: TransportPacket, now: number): void {
    this.#received = true;
    if (packet.protocol === 'tcp') {
      this.#follow(packet.segment, false, now);
    } else if (this.#timers.refresh !== 'outbound') {
      this.#refreshedAt = now;
    }
  }

  #timeout(): number {
    const { udp, tcp } = this.#timers;
    if (this.#protocol === 'udp') return this.#sent && this.#received ? udp.answered : udp.unanswered;
    return isEstablished(this.#tcp) ? tcp.established : tcp.transitory;
  }

  /**
   * An RST on an established connection begins the transitory time, and refreshes nothing else (RFC 7857 sections 2.2 and 8).
   * Whatever comes after it but another RST shows that the connection stands (RFC 6146 section 3.5.2.2). A SYN on what was
   * closed begins anew.
   */
  #follow({ syn, ack, fin, rst }: TcpSegment, isOutbound: boolean, now: number): void {
    const before = this.#tcp;
    if (rst) {
      if (isEstablished(before)) this.#refreshedAt = now;
      this.#tcp = { ...before, isReset: true };
      return;
    }
    this.#refreshedAt = now;
    const isOver = before.isReset || (before.finSent && before.finReceived);
    const state = syn && !ack && isOver ? CLOSED : { ...before, isReset: false };
    this.#tcp = isOutbound
      ? { ...state, synSent: state.synSent || syn, finSent: state.finSent || fin }
      : { ...state, synReceived: state.synReceived || syn, finReceived: state.finReceived || fin };
  }
}

type TcpFlags = Readonly<Record<'synSent' | 'synReceived' | 'finSent' | 'finReceived' | 'isReset', boolean>>;

function isEstablished({ synSent, synReceived, finSent, finReceived, isReset }: TcpFlags): boolean {
  return synSent && synReceived && !(finSent && finReceived) && !isReset;
}

/** A segment as they come between opening and closing a connection. */
export function isInMidstream({ syn, ack, fin, rst }: TcpSegment): boolean {
  return ack && !syn && !fin && !rst;
}

const CLOSED = { synSent: false, synReceived: false, finSent: false, finReceived: false, isReset: false };
const ESTABLISHED = { ...CLOSED, synSent: true, synReceived: true };
