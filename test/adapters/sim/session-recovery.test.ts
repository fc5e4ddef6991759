import { describe, expect, it } from 'vitest';
import { Congestion } from '../../../src/adapters/sim/session/congestion.ts';
import { ControlStream } from '../../../src/adapters/sim/session/control-stream.ts';
import type { AckRange } from '../../../src/adapters/sim/session/frames.ts';
import { decodeFrames, FrameWriter } from '../../../src/adapters/sim/session/frames.ts';
import { ReceivedPackets } from '../../../src/adapters/sim/session/received-packets.ts';
import { RoundTrip } from '../../../src/adapters/sim/session/round-trip.ts';
import { SentPackets } from '../../../src/adapters/sim/session/sent-packets.ts';

describe('RoundTrip', () => {
  it('smooths as RFC 9002 section 5.3 says', () => {
    const roundTrip = new RoundTrip();
    expect([roundTrip.smoothed, roundTrip.probeTimeout]).toEqual([0, 999]);
    roundTrip.measured(80);
    expect([roundTrip.smoothed, roundTrip.probeTimeout]).toEqual([80, 80 + 4 * 40]);
    roundTrip.measured(120, 8);
    // 112 ms without the delay: 7/8 x 80 + 1/8 x 112, and 3/4 x 40 + 1/4 x |80 - 112|.
    expect([roundTrip.smoothed, roundTrip.probeTimeout]).toEqual([84, 84 + 4 * 38]);
    expect(roundTrip.lossDelay).toBe((9 / 8) * 120);
  });

  it('takes no delay off that would make it shorter than the shortest', () => {
    const roundTrip = new RoundTrip();
    roundTrip.measured(80);
    roundTrip.measured(88, 25);
    expect(roundTrip.smoothed).toBe(81);
  });

  it('measures 0 ms, on which nothing is waited for less than a millisecond', () => {
    const roundTrip = new RoundTrip();
    roundTrip.measured(0);
    expect([roundTrip.probeTimeout, roundTrip.lossDelay]).toEqual([1, 1]);
  });
});

describe('SentPackets', () => {
  function sent(...moments: number[]) {
    const roundTrip = new RoundTrip();
    roundTrip.measured(80);
    const packets = new SentPackets(roundTrip);
    const events: string[] = [];
    for (const [number, at] of moments.entries()) {
      const delivery = {
        onArrived: () => void events.push(`${number} arrived`),
        onLost: () => void events.push(`${number} lost`),
      };
      packets.onSent({ number, at, bytes: 1_000, deliveries: [delivery] });
    }
    const acked = (...ranges: [number, number][]): AckRange[] => ranges.map(([first, last]) => ({ first, last }));
    return { packets, events, acked };
  }

  it('takes a packet for lost when one that was sent three later has arrived', () => {
    const { packets, events, acked } = sent(0, 0, 0, 0, 0);
    packets.onAck(acked([2, 2]), 0, 80);
    expect(events).toEqual(['2 arrived']);
    packets.onAck(acked([3, 3]), 0, 80);
    expect(events).toEqual(['2 arrived', '3 arrived', '0 lost']);
    expect(packets.lostPackets).toBe(1);
  });

  it('takes it for lost 9/8 round trips after it was sent, when a later one has arrived', () => {
    const { packets, events, acked } = sent(0, 20, 90);
    packets.onAck(acked([1, 1]), 0, 85);
    expect(events).toEqual(['1 arrived']);
    // Smoothed 0.875 x 80 + 0.125 x 65.
    expect(packets.deadline).toBe((9 / 8) * 78.125);
    expect(packets.onTimeout(packets.deadline!)).toBe(0);
    expect(events).toEqual(['1 arrived', '0 lost']);
  });

  it('probes after the probe timeout and 25 ms, with one packet, then two, twice as long each time', () => {
    const { packets, events } = sent(10);
    expect(packets.deadline).toBe(10 + 240 + 25);
    expect(packets.onTimeout(275)).toBe(1);
    packets.repeatOldest(1);
    expect(events).toEqual(['0 lost']);
    expect(packets.lostPackets).toBe(0);
    packets.onSent({ number: 1, at: 275, bytes: 100, deliveries: [] });
    expect(packets.deadline).toBe(275 + 2 * 265);
    expect(packets.onTimeout(805)).toBe(2);
    packets.onSent({ number: 2, at: 805, bytes: 100, deliveries: [] });
    expect(packets.deadline).toBe(805 + 4 * 265);
    packets.onPathChanged(900);
    expect(packets.deadline).toBe(805 + 265);
  });

  it('waits for nothing once all has arrived', () => {
    const { packets, events, acked } = sent(0, 0);
    packets.onAck(acked([0, 1]), 0, 80);
    expect([packets.deadline, packets.isEmpty]).toEqual([undefined, true]);
    packets.onAck(acked([0, 1]), 0, 90);
    expect(events).toEqual(['0 arrived', '1 arrived']);
  });

  it('counts what is under way against the window', () => {
    const { packets, acked } = sent(...Array.from({ length: 12 }, () => 0));
    expect(packets.room).toBe(0);
    packets.onAck(acked([0, 3]), 0, 80);
    expect(packets.room).toBe(4_000 + 4_000);
  });
});

describe('Congestion', () => {
  it('doubles each round trip until something is lost, then halves, and grows by a packet each round trip', () => {
    const congestion = new Congestion();
    expect(congestion.window).toBe(12_000);
    for (let i = 0; i < 10; i++) congestion.arrived(1_200, 10 + i, 12_000);
    expect(congestion.window).toBe(24_000);
    congestion.lost(20, 100);
    congestion.lost(30, 100); // of the same loss
    expect(congestion.window).toBe(12_000);
    congestion.arrived(1_200, 50, 12_000); // sent before it
    expect(congestion.window).toBe(12_000);
    for (let i = 0; i < 10; i++) congestion.arrived(1_200, 110 + i, 12_000);
    expect(congestion.window).toBeGreaterThan(13_000);
    expect(congestion.window).toBeLessThanOrEqual(13_200);
  });

  it('does not grow by what it did not need, nor shrinks below two packets', () => {
    const congestion = new Congestion();
    congestion.arrived(1_200, 10, 1_200);
    expect(congestion.window).toBe(12_000);
    for (let i = 1; i < 10; i++) congestion.lost(100 * i, 100 * i + 1);
    expect(congestion.window).toBe(2_400);
  });

  it('begins anew on another path, and does not count what was sent on the one before', () => {
    const congestion = new Congestion();
    congestion.lost(10, 20);
    congestion.begin(100);
    congestion.lost(90, 110);
    congestion.arrived(1_200, 95, 12_000);
    expect(congestion.window).toBe(12_000);
    congestion.arrived(1_200, 101, 12_000);
    expect(congestion.window).toBe(13_200);
  });
});

describe('ReceivedPackets', () => {
  it('tells what is new, and of what is long past says that it came', () => {
    const received = new ReceivedPackets();
    for (let number = 0; number < 400; number += 2) received.add(number, 'soon', 0);
    expect([received.isNew(398), received.isNew(399), received.isNew(397), received.isNew(1)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('acknowledges a packet after 25 ms, two at once, one out of order at once, and no acknowledgements', () => {
    const received = new ReceivedPackets();
    received.add(0, 'none', 0);
    expect(received.deadline).toBeUndefined();
    received.add(1, 'soon', 10);
    expect(received.deadline).toBe(35);
    received.add(2, 'soon', 12);
    expect(received.deadline).toBe(12);
    expect(acknowledged(received, 15)).toEqual([{ type: 'ack', ranges: [{ first: 0, last: 2 }], delay: 3_000 }]);
    expect(received.deadline).toBeUndefined();
    expect(acknowledged(received, 15)).toEqual([]);
    received.add(5, 'soon', 20);
    expect(received.deadline).toBe(20);
    expect(acknowledged(received, 20)).toMatchObject([
      {
        ranges: [
          { first: 5, last: 5 },
          { first: 0, last: 2 },
        ],
      },
    ]);
    received.add(6, 'now', 30);
    expect(received.deadline).toBe(30);
  });

  function acknowledged(received: ReceivedPackets, now: number) {
    const writer = new FrameWriter(1_000);
    writer.begin(1_000);
    received.write(writer, now);
    return decodeFrames(writer.payload);
  }
});

describe('ControlStream', () => {
  it('is a violation when 64 KiB of it are not acknowledged', () => {
    const control = new ControlStream('client', () => {});
    for (let i = 0; i < 9_362; i++) control.tell({ type: 'finished', streamId: 4 * i });
    expect(() => control.check()).not.toThrow();
    control.tell({ type: 'finished', streamId: 1 });
    expect(() => control.check()).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL' }));
  });

  it('reads messages however they are cut, for as long as it is read', () => {
    const [mine, theirs] = [new ControlStream('client', () => {}), new ControlStream('server', () => {})];
    const told = Array.from({ length: 20_000 }, (_, i) => ({ type: 'finished', streamId: i }) as const);
    const seen: unknown[] = [];
    const writer = new FrameWriter(100);
    for (const message of told) {
      mine.tell(message);
      while (mine.send.hasWork) {
        writer.begin(27);
        const delivery = mine.send.write(writer)!;
        for (const frame of decodeFrames(writer.payload)) {
          if (frame.type === 'stream') seen.push(...theirs.receive(frame.offset, frame.bytes, frame.fin));
        }
        delivery.onArrived();
      }
    }
    expect(seen).toEqual(told);
  });
});
