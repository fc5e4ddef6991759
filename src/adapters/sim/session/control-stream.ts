import { ControlDecoder, type ControlMessage, encodeControl } from '../../../protocol/session/control.ts';
import { ReceiveWindow } from './flow-control.ts';
import type { Role } from './proof.ts';
import { ReceiveHalf } from './receive-half.ts';
import { SendHalf } from './send-half.ts';
import { violation } from './violation.ts';

/**
 * Both halves of the control channel: a unidirectional stream of each side, in order, and never ended. It is bounded by what its sender has
 * unacknowledged, and so needs no window.
 */
export class ControlStream {
  readonly send: SendHalf;
  /** Id of the other side's (RFC 9000 section 2.1). */
  readonly incomingId: number;
  readonly #window = new ReceiveWindow(MAX_PENDING);
  readonly #receive: ReceiveHalf;
  readonly #decoder = new ControlDecoder();

  constructor(role: Role, wake: () => void) {
    this.incomingId = role === 'client' ? 3 : 2;
    this.#receive = new ReceiveHalf(this.incomingId, this.#window);
    this.send = new SendHalf({
      id: role === 'client' ? 2 : 3,
      limit: Number.POSITIVE_INFINITY,
      onWork: wake,
      onSent: () => {},
      onSettled: () => {},
    });
  }

  tell(message: ControlMessage): void {
    this.send.take(encodeControl(message));
  }

  /** False when too much is unacknowledged already. */
  note(bytes: Uint8Array): boolean {
    if (this.send.outstanding > MAX_WAITING_NOTES) return false;
    this.tell({ type: 'note', bytes });
    return true;
  }

  /**
   * What the other side says. Throws `ERR_PROTOCOL` when it ends its stream or does not acknowledge ours, {@link DecodeError} for what is no
   * message.
   */
  receive(offset: number, bytes: Uint8Array, fin: boolean): ControlMessage[] {
    if (fin) throw violation('ended its control stream');
    this.#receive.receive(offset, bytes, false);
    const messages: ControlMessage[] = [];
    for (let part = this.#receive.read(MAX_PENDING); part; part = this.#receive.read(MAX_PENDING)) {
      messages.push(...this.#decoder.push(part));
    }
    this.#window.announce();
    this.#receive.window.announce();
    return messages;
  }

  /** Throws `ERR_PROTOCOL` when too much of ours is unacknowledged. */
  check(): void {
    if (this.send.outstanding > MAX_PENDING) throw violation('does not acknowledge our control stream');
  }
}

const MAX_PENDING = 2 ** 16;
/** Far from what is held against the other side. */
const MAX_WAITING_NOTES = 2 ** 14;
