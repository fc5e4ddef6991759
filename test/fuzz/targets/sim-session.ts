import { type AckRange, decodeFrames, type Frame, FrameWriter } from '../../../src/adapters/sim/session/frames.ts';
import { longHeader, readPackets, shortHeader } from '../../../src/adapters/sim/session/packet.ts';
import { writeFrame } from '../../adapters/sim/write-frame.ts';
import { filled } from '../../protocol/rendezvous/support.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { attempt, must, mustEqual, type Target } from '../engine/target.ts';

/** Bytes: whatever a mutation makes of the seeds has room, written as it is written here. */
const ROOM = 2 ** 20;

const ranges: readonly AckRange[] = [
  { first: 90, last: 100 },
  { first: 3, last: 80 },
];

const frames: readonly Frame[] = [
  { type: 'ping' },
  { type: 'handshake-done' },
  { type: 'ack', ranges, delay: 25_000 },
  { type: 'reset-stream', id: 4, code: 2 ** 30, finalSize: 70_000 },
  { type: 'stream', id: 8, offset: 2 ** 33, bytes: Buffer.from('bytes'), fin: true },
  { type: 'max-data', limit: 2 ** 24 },
  { type: 'max-stream-data', id: 0, limit: 2 ** 14 },
  { type: 'connection-close', code: 7, reason: 'good bye' },
  { type: 'datagram', bytes: Buffer.from('datagram') },
];

/** What is in a packet of the simulated session. */
export const simSessionFrames: Target = {
  name: 'sim-session-frames',
  seeds: [encode(frames), ...frames.map((frame) => encode([frame]))],
  mutate: mutateBytes,
  run(input) {
    const read = attempt(() => decodeFrames(Buffer.from(input)));
    if ('outcome' in read) return read.outcome;
    must(read.value.length <= input.length, 'no more frames than bytes');
    mustEqual(decodeFrames(encode(read.value)), read.value, 'frames can be written and read again');
    return [...new Set(read.value.map(({ type }) => type))].sort().join(' ');
  },
};

/** The packets of a datagram of the simulated session. */
export const simSessionPackets: Target = {
  name: 'sim-session-packets',
  seeds: [
    Buffer.concat([longHeader('initial', filled(16, 1), filled(16, 2), 40), filled(40, 3)]),
    Buffer.concat([
      longHeader('handshake', filled(16, 1), filled(16, 2), 20),
      filled(20, 3),
      shortHeader(filled(16, 1), 9),
      filled(30, 4),
    ]),
    Buffer.concat([shortHeader(filled(16, 1), 2 ** 32 - 1), filled(1, 4)]),
  ],
  mutate: mutateBytes,
  run(input) {
    const packets = [...readPackets(input)];
    const length = packets.reduce((sum, { header, body }) => sum + header.length + body.length, 0);
    must(length <= input.length, 'packets lie one behind the other in their datagram');
    return packets.map((packet) => (packet.form === 'long' ? packet.type : packet.form)).join(' ') || 'none';
  },
};

function encode(list: readonly Frame[]): Buffer {
  const writer = new FrameWriter(ROOM);
  writer.begin(ROOM);
  for (const frame of list) writeFrame(writer, frame);
  return Buffer.from(writer.payload);
}
