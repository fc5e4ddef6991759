import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../../src/adapters/sim/session/delivery.ts';
import { ReceiveWindow } from '../../../src/adapters/sim/session/flow-control.ts';
import { decodeFrames, type Frame, FrameWriter } from '../../../src/adapters/sim/session/frames.ts';
import { ReceiveHalf } from '../../../src/adapters/sim/session/receive-half.ts';
import { SendHalf } from '../../../src/adapters/sim/session/send-half.ts';
import { MAX_STREAMS, StreamLimit } from '../../../src/adapters/sim/session/stream-limit.ts';
import { WindowUpdates } from '../../../src/adapters/sim/session/window-updates.ts';

const violation = expect.objectContaining({ code: 'ERR_PROTOCOL' });

describe('SendHalf', () => {
  function half() {
    const events = { work: 0, sent: 0, settled: 0 };
    const send = new SendHalf({
      id: 4,
      limit: 1_000,
      onWork: () => events.work++,
      onSent: (bytes) => {
        events.sent += bytes;
      },
      onSettled: () => events.settled++,
    });
    return { send, events };
  }

  it('sends what it took, in packets as they have room, and the end with the last bytes', () => {
    const { send, events } = half();
    send.take(Buffer.from('hello world'));
    send.finish();
    const [first, second] = [written(send, 5 + 6), written(send, 100)];
    expect(first.frame).toMatchObject({ offset: 0, bytes: Buffer.from('hello '), fin: false });
    expect(second.frame).toMatchObject({ offset: 6, bytes: Buffer.from('world'), fin: true });
    expect([send.hasWork, events.sent, send.credit]).toEqual([false, 11, 989]);
    second.delivery.onArrived();
    expect([send.isSettled, send.outstanding]).toEqual([false, 11]);
    first.delivery.onArrived();
    expect([send.isSettled, send.outstanding, events.settled]).toEqual([true, 0, 1]);
  });

  it('sends again what is lost, and the end with it, but nothing that has arrived since', () => {
    const { send, events } = half();
    send.take(Buffer.alloc(300, 1));
    send.finish();
    const parts = [written(send, 105), written(send, 106), written(send, 200)];
    expect(parts.map(({ frame }) => frame.offset)).toEqual([0, 100, 200]);
    parts[1]!.delivery.onArrived();
    for (const { delivery } of parts) delivery.onLost();
    const again = [written(send, 1_000), written(send, 1_000)];
    expect(again.map(({ frame }) => [frame.offset, frame.bytes.length, frame.fin])).toEqual([
      [0, 100, false],
      [200, 100, true],
    ]);
    expect([send.hasWork, events.sent]).toEqual([false, 300]);
  });

  it('sends an end again that was lost alone', () => {
    const { send } = half();
    send.finish();
    const { delivery, frame } = written(send, 100);
    expect(frame).toMatchObject({ offset: 0, fin: true });
    delivery.onLost();
    expect(send.hasWork).toBe(true);
    written(send, 100).delivery.onArrived();
    delivery.onLost(); // told late
    expect([send.hasWork, send.isSettled]).toEqual([false, true]);
  });

  it('gives up by a reset, which is sent again until it arrives', () => {
    const { send, events } = half();
    send.take(Buffer.alloc(300));
    const part = written(send, 105);
    expect(send.reset(7)).toBe(200);
    expect(send.reset(8)).toBe(0);
    const first = reset(send);
    expect(first.frame).toEqual({ type: 'reset-stream', id: 4, code: 7, finalSize: 100 });
    part.delivery.onLost();
    expect(send.hasWork).toBe(false);
    first.delivery.onLost();
    expect(send.hasWork).toBe(true);
    reset(send).delivery.onArrived();
    expect([send.isSettled, events.settled]).toEqual([true, 1]);
  });

  it('writes nothing where there is no room for a frame', () => {
    const { send } = half();
    send.take(Buffer.alloc(5));
    expect(send.write(begun(4))).toBeUndefined();
    expect(send.hasWork).toBe(true);
  });

  type StreamFrame = Extract<Frame, { type: 'stream' }>;

  function written(send: SendHalf, room: number): { frame: StreamFrame; delivery: Delivery } {
    const writer = begun(room);
    const delivery = send.write(writer)!;
    return { frame: decodeFrames(Buffer.from(writer.payload))[0] as StreamFrame, delivery };
  }

  function reset(send: SendHalf): { frame: Frame; delivery: Delivery } {
    const writer = begun(100);
    const delivery = send.write(writer)!;
    return { frame: decodeFrames(writer.payload)[0]!, delivery };
  }
});

describe('ReceiveHalf', () => {
  function half(size = 1_000) {
    const session = new ReceiveWindow(size);
    return { session, receive: new ReceiveHalf(4, session) };
  }

  it('puts bytes in order, and takes each once', () => {
    const { receive } = half();
    receive.receive(6, Buffer.from('world'), true);
    expect(receive.read(100)).toBeUndefined();
    receive.receive(0, Buffer.from('hel'), false);
    receive.receive(0, Buffer.from('hello '), false);
    expect(receive.read(4)).toEqual(Buffer.from('hell'));
    receive.receive(2, Buffer.from('llo wor'), false);
    expect(receive.read(100)).toEqual(Buffer.from('o world'));
    expect([receive.read(100), receive.isSettled]).toEqual([null, true]);
  });

  it('gives room back as it is read, or thrown away, whenever it comes', () => {
    const { session, receive } = half();
    receive.receive(0, Buffer.alloc(400), false);
    expect(session.isLow).toBe(false);
    receive.discard();
    receive.receive(400, Buffer.alloc(200), false);
    expect(session.isLow).toBe(true);
    expect(session.announce()).toBe(1_600);
    receive.reset(1_000);
    expect(session.announce()).toBe(2_000);
    expect(receive.isSettled).toBe(true);
  });

  it('is a violation beyond the window of the session, and with two ends', () => {
    expect(() => half(100).receive.receive(0, Buffer.alloc(101), false)).toThrow(violation);
    const { receive } = half();
    receive.receive(0, Buffer.alloc(10), true);
    expect(() => receive.receive(0, Buffer.alloc(9), true)).toThrow(violation);
    expect(() => receive.receive(5, Buffer.alloc(6), false)).toThrow(violation);
    expect(() => receive.reset(11)).toThrow(violation);
  });
});

describe('WindowUpdates', () => {
  function updates() {
    const session = new ReceiveWindow(1_000);
    const limit = new StreamLimit(0);
    const made = new WindowUpdates(session, limit, () => {});
    return { session, limit, made, half: new ReceiveHalf(4, session) };
  }

  it('tells of room again when that was lost', () => {
    const { made, half } = updates();
    half.receive(0, Buffer.alloc(600), false);
    half.read(600);
    made.onRead(half);
    const told = [];
    for (let i = 0; i < 3; i++) {
      expect(made.areDue).toBe(true);
      const { frames, deliveries } = written(made);
      told.push(frames);
      for (const { onLost } of deliveries) onLost();
    }
    expect(told).toEqual(Array.from({ length: 3 }, () => [{ type: 'max-data', limit: 1_600 }]));
    written(made);
    expect(made.areDue).toBe(false);
  });

  it('tells of more streams as those before are over, and again when that was lost', () => {
    const { made, half, limit } = updates();
    for (let i = 0; i < MAX_STREAMS / 2; i++) limit.isOver(4 * i);
    limit.end(0);
    made.onStreamOver(half);
    const first = written(made);
    expect(first.frames).toEqual([{ type: 'max-streams', limit: MAX_STREAMS + 1 }]);
    expect(made.areDue).toBe(false);
    for (const { onLost } of first.deliveries) onLost();
    expect(written(made).frames).toEqual(first.frames);
  });

  it('tells of a stream’s room, again when that was lost, and not any more once its end is known', () => {
    const session = new ReceiveWindow(100 * 2 ** 20);
    const made = new WindowUpdates(session, new StreamLimit(0), () => {});
    const half = new ReceiveHalf(4, session);
    const chunk = Buffer.alloc(2 ** 20);
    for (let i = 0; i < 6; i++) {
      half.receive(i * chunk.length, chunk, false);
      half.read(chunk.length);
      made.onRead(half);
    }
    const first = written(made);
    expect(first.frames).toEqual([{ type: 'max-stream-data', id: 4, limit: 18 * 2 ** 20 }]);
    for (const { onLost } of first.deliveries) onLost();
    const second = written(made);
    expect(second.frames).toEqual(first.frames);
    half.reset(6 * 2 ** 20);
    for (const { onLost } of second.deliveries) onLost();
    expect(made.areDue).toBe(false);
  });

  function written(made: WindowUpdates) {
    const writer = begun(1_000);
    const deliveries: Delivery[] = [];
    made.write(writer, deliveries);
    return { frames: decodeFrames(Buffer.from(writer.payload)), deliveries };
  }
});

function begun(size: number): FrameWriter {
  const writer = new FrameWriter(size);
  writer.begin(size);
  return writer;
}
