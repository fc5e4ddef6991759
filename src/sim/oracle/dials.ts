import { type Endpoint, sameEndpoint } from '../../core/endpoint.ts';
import { type TcpSegment, tcpPacket } from '../packet.ts';
import type { Arena } from './arena.ts';
import { type Run, type SendingOrder, takeTurns } from './checks.ts';
import type { Side, Stage } from './stage.ts';

/**
 * TCP simultaneous open (RFC 9293 section 3.5): each side dials the other's endpoint from the port that it has it for, and
 * dials again at once when it is refused. After the first dials, in the order, both go on together.
 */
export function runDials(stage: Stage, told: { a: Endpoint; b: Endpoint }, order: SendingOrder): Run {
  const { arena } = stage;
  const a = new Dialer(arena, stage.a, told.b);
  const b = new Dialer(arena, stage.b, told.a);
  const result = (): Run => ({
    isJoined: a.state === 'open' && b.state === 'open',
    packets: a.sent + b.sent,
    isHairpinned: a.isHairpinned || b.isHairpinned,
  });
  takeTurns(order, arena, a, b);
  for (let round = 1; round < ROUNDS && !result().isJoined; round++) takeTurns('together', arena, a, b);
  return result();
}

class Dialer {
  state: 'closed' | 'syn-sent' | 'syn-received' | 'open' = 'closed';
  isHairpinned = false;
  sent = 0;
  readonly #arena: Arena;
  readonly #side: Side;
  readonly #remote: Endpoint;

  constructor(arena: Arena, side: Side, remote: Endpoint) {
    this.#arena = arena;
    this.#side = side;
    this.#remote = remote;
    arena.bind('tcp', side.local, (packet, isHairpinned) => {
      if (packet.protocol === 'tcp') this.#receive(packet.source, packet.segment, isHairpinned);
    });
  }

  /** Dials, or sends the SYN again. */
  send(): void {
    if (this.state === 'open') return;
    this.state = 'syn-sent';
    this.#transmit(this.#remote, { syn: true });
  }

  /** RFC 9293 section 3.10.7, as far as opening goes. */
  #receive(from: Endpoint, { syn, ack, rst }: TcpSegment, isHairpinned: boolean): void {
    if (!sameEndpoint(from, this.#remote) || this.state === 'closed') {
      if (!rst) this.#transmit(from, { rst: true });
      return;
    }
    this.isHairpinned ||= isHairpinned;
    if (rst) {
      this.state = 'closed';
    } else if (syn && !ack) {
      this.state = 'syn-received';
      this.#transmit(from, { syn: true, ack: true });
    } else if (this.state !== 'open') {
      const isOurSynAnswered = this.state === 'syn-sent';
      this.state = 'open';
      if (isOurSynAnswered) this.#transmit(from, { ack: true });
    }
  }

  #transmit(to: Endpoint, flags: Partial<TcpSegment>): void {
    this.sent++;
    this.#arena.send(this.#side.location, tcpPacket(this.#side.local, to, flags));
  }
}

/** The first dials may be refused; the second ones cross. */
const ROUNDS = 3;
