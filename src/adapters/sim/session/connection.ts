import type { Identity } from '../../../core/identity.ts';
import type { Random } from '../../../core/random.ts';
import type { DatagramQueue } from './datagram-queue.ts';
import { earlier } from './earlier.ts';
import { FlightTimer } from './flight-timer.ts';
import type { Frame } from './frames.ts';
import { clientHandshake, type Handshake, serverHandshake } from './handshake.ts';
import { CONNECTION_ID_LENGTH, type LongPacket, MAX_PACKET, readPackets, type ShortPacket } from './packet.ts';
import type { Role } from './proof.ts';
import { RoundTrip } from './round-trip.ts';
import type { StreamTable } from './stream-table.ts';
import { Transport } from './transport.ts';

export interface ConnectionOptions {
  readonly role: Role;
  readonly identity: Identity;
  readonly expectedKey: Uint8Array;
  readonly random: Random;
  /** What packets are filled with. */
  readonly streams: StreamTable;
  readonly datagrams: DatagramQueue;
  /** Something is to be sent. */
  readonly wake: () => void;
  /** The other side has shown its key; `proven`: it is the expected one. */
  readonly onKey: (proven: boolean) => void;
  readonly onFrame: (frame: Frame) => void;
}

/** What became of a datagram: only `authentic` ones come from the other side for sure; anybody may say hello. */
export type Reception = 'ignored' | 'taken' | 'authentic';

/** Packets in, packets out: the handshake, and what comes after it. Times in ms. */
export class Connection {
  readonly id: Uint8Array;
  readonly #options: ConnectionOptions;
  readonly #roundTrip = new RoundTrip();
  readonly #handshake: Handshake;
  readonly #flightTimer = new FlightTimer(this.#roundTrip);
  /** The packet of the handshake is to be sent. */
  #flightDue: boolean;
  #transport: Transport | undefined;

  constructor(options: ConnectionOptions) {
    const { role, identity, expectedKey, random } = options;
    this.#options = options;
    this.id = random.bytes(CONNECTION_ID_LENGTH);
    const handshake = role === 'client' ? clientHandshake : serverHandshake;
    this.#handshake = handshake({ identity, expectedKey, random, connectionId: this.id });
    this.#flightDue = role === 'client';
  }

  /** Whether this side holds the keys to be understood by the other one. */
  get hasKeys(): boolean {
    return this.#transport !== undefined;
  }

  /** Something is unacknowledged, or an acknowledgement owed. */
  get isWaiting(): boolean {
    return this.#flightTimer.deadline !== undefined || this.#transport?.isWaiting === true;
  }

  /** Smoothed round trip; 0 while unknown. */
  get rtt(): number {
    return this.#roundTrip.smoothed;
  }

  get lostPackets(): number {
    return this.#transport?.lostPackets ?? 0;
  }

  /** When {@link onTime} is due; `undefined` while nothing is waited for. */
  get deadline(): number | undefined {
    return earlier(this.#flightTimer.deadline, this.#transport?.deadline);
  }

  /** Throws `ERR_PROTOCOL` or {@link DecodeError} when the other side broke a rule. */
  receive(datagram: Uint8Array, now: number): Reception {
    if (datagram.length > MAX_PACKET) return 'ignored';
    let best: Reception = 'ignored';
    for (const packet of readPackets(datagram)) {
      const reception = packet.form === 'long' ? this.#receiveLong(packet, now) : this.#receiveShort(packet, now);
      if (best !== 'authentic' && reception !== 'ignored') best = reception;
    }
    return best;
  }

  /** Time has come to {@link deadline}, or not yet. */
  onTime(now: number): void {
    this.#transport?.onTime(now);
    const { deadline } = this.#flightTimer;
    if (deadline === undefined || deadline > now) return;
    this.#flightTimer.onTimeout();
    this.#flightDue = true;
  }

  /** Asks at once whether the other side is there, on a path of which nothing is known. */
  onPathChanged(now: number): void {
    this.#flightTimer.resetBackoff();
    if (this.#flightTimer.deadline !== undefined) this.#flightDue = true;
    this.#transport?.onPathChanged(now);
  }

  /** The next datagram to send; `undefined` when there is none for now. A client's last flight takes other packets along. */
  next(now: number): Uint8Array | undefined {
    const { flight } = this.#handshake;
    if (!this.#flightDue || flight === undefined) return this.#transport?.nextPacket(now);
    this.#flightDue = false;
    this.#flightTimer.onSent(now);
    const packet = this.#transport?.nextPacket(now, MAX_PACKET - flight.length);
    return packet === undefined ? flight : Buffer.concat([flight, packet]);
  }

  /** The last packet of all; `undefined` when the other side has no keys to understand it. */
  farewell(code: number, reason: string): Uint8Array | undefined {
    return this.#transport?.closePacket(code, reason);
  }

  #receiveLong(packet: LongPacket, now: number): Reception {
    const result = this.#handshake.receive(packet);
    if (result === 'ignored') return 'ignored';
    const { outcome } = this.#handshake;
    this.#flightDue = this.#handshake.flight !== undefined;
    this.#options.wake();
    if (result !== 'ended' || outcome === undefined) return result === 'answered' ? 'taken' : 'ignored';
    this.#flightTimer.onAnswer(now);
    const { role, streams, datagrams } = this.#options;
    // What a client says to a server that it does not trust would show who it is.
    if (outcome.proven || role === 'server') {
      this.#transport = new Transport({ role, outcome, roundTrip: this.#roundTrip, streams, datagrams });
    }
    this.#options.onKey(outcome.proven);
    return outcome.proven ? 'authentic' : 'taken';
  }

  #receiveShort(packet: ShortPacket, now: number): Reception {
    const transport = this.#transport;
    const frames = transport?.open(packet, now);
    if (transport === undefined || frames === undefined) return 'ignored';
    // A server that seals with the keys of the session has got the client's last flight.
    if (this.#flightTimer.deadline !== undefined) this.#flightTimer.onAnswer(now);
    this.#flightDue = false;
    for (const frame of frames) {
      if (frame.type === 'ack') transport.onAck(frame, now);
      else this.#options.onFrame(frame);
    }
    return 'authentic';
  }
}
