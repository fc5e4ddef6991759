import type { DatagramQueue } from './datagram-queue.ts';
import type { Delivery } from './delivery.ts';
import { earlier } from './earlier.ts';
import { decodeFrames, type Frame, FrameWriter } from './frames.ts';
import type { HandshakeOutcome } from './handshake.ts';
import { MAX_PACKET, SHORT_HEADER_LENGTH, type ShortPacket, shortHeader } from './packet.ts';
import { type PacketKeys, SEAL_LENGTH } from './packet-keys.ts';
import type { Role } from './proof.ts';
import { ReceivedPackets } from './received-packets.ts';
import type { RoundTrip } from './round-trip.ts';
import { SentPackets } from './sent-packets.ts';
import type { StreamTable } from './stream-table.ts';
import { violation } from './violation.ts';

export interface TransportOptions {
  readonly role: Role;
  readonly outcome: HandshakeOutcome;
  readonly roundTrip: RoundTrip;
  readonly streams: StreamTable;
  readonly datagrams: DatagramQueue;
}

/** The packets after the handshake: sealed, numbered, acknowledged, and what they carried sent again where they are lost. Times in ms. */
export class Transport {
  readonly #outgoing: PacketKeys;
  readonly #incoming: PacketKeys;
  readonly #peerConnectionId: Uint8Array;
  readonly #streams: StreamTable;
  readonly #datagrams: DatagramQueue;
  readonly #received = new ReceivedPackets();
  readonly #sent: SentPackets;
  #nextNumber = 0;
  #datagramsFirst = false;
  /** Packets to send whatever the congestion window says. */
  #probes = 0;
  /** A server tells its client that the handshake is over (RFC 9001 section 4.1.2). */
  #handshakeDoneDue: boolean;

  constructor({ role, outcome, roundTrip, streams, datagrams }: TransportOptions) {
    const { client, server } = outcome.keys;
    this.#outgoing = role === 'client' ? client : server;
    this.#incoming = role === 'client' ? server : client;
    this.#peerConnectionId = outcome.peerConnectionId;
    this.#streams = streams;
    this.#datagrams = datagrams;
    this.#sent = new SentPackets(roundTrip);
    this.#handshakeDoneDue = role === 'server';
  }

  get lostPackets(): number {
    return this.#sent.lostPackets;
  }

  /** Something is unacknowledged, or an acknowledgement owed. */
  get isWaiting(): boolean {
    return !this.#sent.isEmpty || this.#received.deadline !== undefined;
  }

  /** When {@link onTime} is due; `undefined` while nothing is waited for. */
  get deadline(): number | undefined {
    return earlier(this.#received.deadline, this.#sent.deadline);
  }

  /** The frames of a packet that is authentic and new; `undefined` for any other. Throws {@link DecodeError}. */
  open(packet: ShortPacket, now: number): Frame[] | undefined {
    if (!this.#received.isNew(packet.number)) return undefined;
    const payload = this.#incoming.open(packet.header, packet.number, packet.body);
    if (payload === undefined) return undefined;
    const frames = decodeFrames(payload);
    this.#received.add(packet.number, wantedAck(frames), now);
    return frames;
  }

  /** Throws `ERR_PROTOCOL` for an acknowledgement of what was never sent. */
  onAck({ ranges, delay }: Extract<Frame, { type: 'ack' }>, now: number): void {
    if (ranges[0]!.last >= this.#nextNumber) throw violation('acknowledged what was not sent');
    this.#sent.onAck(ranges, delay / 1_000, now);
  }

  /** Time has come to {@link deadline}, or not yet. */
  onTime(now: number): void {
    const { deadline } = this.#sent;
    if (deadline === undefined || deadline > now) return;
    this.#probe(this.#sent.onTimeout(now));
  }

  /** Asks at once whether the other side is there, on a path of which nothing is known. */
  onPathChanged(now: number): void {
    this.#sent.onPathChanged(now);
    this.#probe(1);
  }

  /** The next packet to send, of `size` bytes at most; `undefined` when there is none, or no room for it. */
  nextPacket(now: number, size = MAX_PACKET): Buffer | undefined {
    const mayLoad = this.#probes > 0 || this.#sent.room > 0;
    const load = mayLoad && this.#hasLoad;
    if (!load && this.#probes === 0 && (this.#received.deadline ?? Number.POSITIVE_INFINITY) > now) return undefined;
    writer.begin(size - SHORT_HEADER_LENGTH - SEAL_LENGTH);
    this.#received.write(writer, now);
    const deliveries: Delivery[] = [];
    if (load) this.#load(deliveries);
    if (this.#probes > 0) {
      this.#probes--;
      if (deliveries.length === 0) this.#ping(deliveries);
    }
    if (writer.isEmpty) return undefined;
    const number = this.#nextNumber++;
    const packet = this.#seal(number);
    if (deliveries.length > 0) this.#sent.onSent({ number, at: now, bytes: packet.length, deliveries });
    return packet;
  }

  /** The last packet of all: why the session has ended. */
  closePacket(code: number, reason: string): Buffer {
    writer.begin(MAX_PACKET - SHORT_HEADER_LENGTH - SEAL_LENGTH);
    writer.connectionClose(code, Buffer.from(reason).subarray(0, 255));
    return this.#seal(this.#nextNumber++);
  }

  get #hasLoad(): boolean {
    return this.#handshakeDoneDue || this.#streams.hasWork || this.#datagrams.hasWork;
  }

  #load(deliveries: Delivery[]): void {
    if (this.#handshakeDoneDue) {
      this.#handshakeDoneDue = false;
      writer.handshakeDone();
      deliveries.push(this.#handshakeDone);
    }
    // Neither may keep the other from being sent.
    this.#datagramsFirst = !this.#datagramsFirst;
    if (this.#datagramsFirst) this.#datagrams.write(writer, deliveries);
    this.#streams.write(writer, deliveries);
    if (!this.#datagramsFirst) this.#datagrams.write(writer, deliveries);
  }

  #ping(deliveries: Delivery[]): void {
    writer.ping();
    deliveries.push(PING);
  }

  #probe(packets: number): void {
    if (packets === 0) return;
    this.#sent.repeatOldest(packets);
    this.#probes = packets;
  }

  #seal(number: number): Buffer {
    return this.#outgoing.seal(shortHeader(this.#peerConnectionId, number), number, writer.payload);
  }

  readonly #handshakeDone: Delivery = {
    onArrived: () => {},
    onLost: () => {
      this.#handshakeDoneDue = true;
    },
  };
}

/** PING is sent by whoever wants to know whether the other side is there. */
function wantedAck(frames: readonly Frame[]): 'none' | 'soon' | 'now' {
  if (frames.some(({ type }) => type === 'ping')) return 'now';
  return frames.every(({ type }) => type === 'ack' || type === 'connection-close') ? 'none' : 'soon';
}

/** One packet is written at a time, in whatever session. */
const writer = new FrameWriter(MAX_PACKET - SHORT_HEADER_LENGTH - SEAL_LENGTH);
const PING: Delivery = { onArrived: () => {}, onLost: () => {} };
