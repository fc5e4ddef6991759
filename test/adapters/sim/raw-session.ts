import { simIdentity, simSessions } from '../../../src/adapters/sim/index.ts';
import { decodeFrames, type Frame, FrameWriter } from '../../../src/adapters/sim/session/frames.ts';
import {
  clientHandshake,
  type HandshakeOutcome,
  serverHandshake,
} from '../../../src/adapters/sim/session/handshake.ts';
import { readPackets, shortHeader } from '../../../src/adapters/sim/session/packet.ts';
import type { Session } from '../../../src/core/session.ts';
import { seededRandom, VirtualClock } from '../../../src/sim/index.ts';

/** A peer that has shaken hands and then keeps to no rule, and the session that it talks to, in one place. */
export interface RawSession {
  readonly session: Session;
  readonly clock: VirtualClock;
  /** What came from the session, in order. */
  readonly frames: Frame[];
  /** Sends a packet with these frames, which is authentic, whatever they are. */
  send(write: (writer: FrameWriter) => void): void;
  /** The same with bytes that may be no frames. */
  sendBytes(payload: Uint8Array): void;
  /** Whether packets are acknowledged, which they are not by themselves. */
  acknowledges: boolean;
}

/** `role`: of the raw peer; the session has the other one. */
export async function rawSession(role: 'client' | 'server', seed = 1): Promise<RawSession> {
  const clock = new VirtualClock();
  const random = seededRandom(seed).stream('raw');
  const [mine, theirs] = [simIdentity(random), simIdentity(random)];
  const factory = await simSessions(theirs, { clock, random });
  const connectionId = random.bytes(16);
  const handshake = (role === 'client' ? clientHandshake : serverHandshake)({
    identity: mine,
    expectedKey: theirs.publicKey,
    random,
    connectionId,
  });
  let number = 0;
  let largest = -1;
  const outcome = (): HandshakeOutcome => handshake.outcome!;
  const receive = (datagram: Uint8Array): void => {
    for (const packet of readPackets(datagram)) {
      if (packet.form === 'long') {
        handshake.receive(packet);
        if (handshake.flight !== undefined) session.receive(handshake.flight);
        continue;
      }
      const { client, server } = outcome().keys;
      const payload = (role === 'client' ? server : client).open(packet.header, packet.number, packet.body)!;
      raw.frames.push(...decodeFrames(payload));
      largest = Math.max(largest, packet.number);
      if (raw.acknowledges) raw.send((writer) => writer.ack([{ first: 0, last: largest }], 0));
    }
  };
  const raw: RawSession = {
    clock,
    frames: [],
    acknowledges: false,
    get session() {
      return session;
    },
    send(write) {
      const writer = new FrameWriter(1_163);
      writer.begin(1_163);
      write(writer);
      this.sendBytes(writer.payload);
    },
    sendBytes(payload) {
      const { keys, peerConnectionId } = outcome();
      const header = shortHeader(peerConnectionId, number);
      session.receive((role === 'client' ? keys.client : keys.server).seal(header, number++, payload));
    },
  };
  const session: Session = factory.create({
    role: role === 'client' ? 'server' : 'client',
    expectedKey: mine.publicKey,
    transmit: (packet) => {
      const copy = Uint8Array.from(packet);
      clock.setTimeout(() => receive(copy), 0);
    },
  });
  if (role === 'client') session.receive(handshake.flight!);
  await clock.runUntil(session.established);
  await clock.advance(100);
  return raw;
}
