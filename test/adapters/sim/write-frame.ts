import type { Frame, FrameWriter } from '../../../src/adapters/sim/session/frames.ts';

/** Writes a frame as it was decoded. */
export function writeFrame(writer: FrameWriter, frame: Frame): void {
  switch (frame.type) {
    case 'ping':
      writer.ping();
      break;
    case 'handshake-done':
      writer.handshakeDone();
      break;
    case 'ack':
      writer.ack(frame.ranges, frame.delay);
      break;
    case 'reset-stream':
      writer.resetStream(frame.id, frame.code, frame.finalSize);
      break;
    case 'stream':
      writer.stream(frame.id, frame.offset, frame.bytes.length, frame.fin, (target, at) => {
        frame.bytes.copy(target, at);
      });
      break;
    case 'max-data':
      writer.maxData(frame.limit);
      break;
    case 'max-streams':
      writer.maxStreams(frame.limit);
      break;
    case 'max-stream-data':
      writer.maxStreamData(frame.id, frame.limit);
      break;
    case 'connection-close':
      writer.connectionClose(frame.code, Buffer.from(frame.reason));
      break;
    case 'datagram':
      writer.datagram(frame.bytes);
      break;
  }
}
