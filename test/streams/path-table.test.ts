import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Path } from '../../src/core/path.ts';
import { createPathTable } from '../../src/streams/path-table.ts';
import { manualClock } from '../manual-clock.ts';

/** A path that writes down what it is given. */
function fakePath(id: string, { takes = true } = {}) {
  const datagrams = new Subject<Uint8Array>();
  const sent: number[] = [];
  let closed = 0;
  const path: Path = {
    info: { id, kind: 'direct', transport: 'udp', local: '192.0.2.1:1', remote: '192.0.2.2:2', strategy: 'test' },
    send(bytes) {
      sent.push(bytes[0]!);
      return takes;
    },
    datagrams$: datagrams,
    close: () => closed++,
  };
  return {
    path,
    sent,
    receive: (byte: number) => datagrams.next(Uint8Array.of(byte)),
    get closed() {
      return closed;
    },
    get watched() {
      return datagrams.observed;
    },
  };
}

function setUp({ rtt = 0 } = {}) {
  const clock = manualClock();
  const session = { waiting: true, rtt };
  const received: number[] = [];
  const table = createPathTable({
    clock,
    receive: (packet) => received.push(packet[0]!),
    isWaiting: () => session.waiting,
    rtt: () => session.rtt,
  });
  const [a, b] = [fakePath('a'), fakePath('b')];
  const seen: string[] = [];
  table.observations$.subscribe({
    next: ({ type, id }) => seen.push(`${clock.now()} ${type} ${id}`),
    complete: () => seen.push(`${clock.now()} complete`),
  });
  table.add(a.path);
  table.add(b.path);
  table.use('a');
  const send = (byte = 1): boolean => table.send(Uint8Array.of(byte));
  return { clock, session, received, table, a, b, seen, send };
}

describe('sending', () => {
  it('takes the path in use and no other', () => {
    const { table, a, b, send } = setUp();
    expect(send(1)).toBe(true);
    table.use('b');
    expect(send(2)).toBe(true);
    expect([a.sent, b.sent]).toEqual([[1], [2]]);
    expect(table.current?.id).toBe('b');
  });

  it('fails without a path in use, and on one that takes nothing', () => {
    const { table, clock, send } = setUp();
    table.add(fakePath('full', { takes: false }).path);
    table.use('full');
    expect(send()).toBe(false);
    for (const id of [undefined, 'no such path']) {
      table.use(id);
      expect(table.current).toBeUndefined();
      expect(send()).toBe(false);
    }
    expect(clock.pending).toBe(0);
  });

  it('takes every path while hedging, and counts as sent when one of them took it', () => {
    const { table, a, b, send } = setUp();
    const full = fakePath('full', { takes: false });
    table.add(full.path);
    table.use('full');
    table.hedge(true);
    expect(send(1)).toBe(true);
    table.hedge(false);
    expect(send(2)).toBe(false);
    expect([a.sent, b.sent, full.sent]).toEqual([[1], [1], [1, 2]]);
  });
});

describe('receiving', () => {
  it('hands on what comes in on any path, and remembers the last of them', () => {
    const { table, a, b, received } = setUp();
    expect(table.lastHeard).toBeUndefined();
    b.receive(1);
    expect(table.lastHeard?.id).toBe('b');
    a.receive(2);
    expect(table.lastHeard?.id).toBe('a');
    expect(received).toEqual([1, 2]);
  });

  it('ends with the path’s removal, which closes it and leaves nothing in use', () => {
    const { table, a, received, send, clock } = setUp();
    send();
    table.remove('a');
    a.receive(1);
    expect([received, a.closed, a.watched, table.has('a')]).toEqual([[], 1, false, false]);
    expect(table.current).toBeUndefined();
    expect(clock.pending).toBe(0);
    table.remove('a');
    expect(a.closed).toBe(1);
  });

  it('goes over to a new path of the same id', () => {
    const { table, a, received } = setUp();
    const again = fakePath('a');
    table.add(again.path);
    a.receive(1);
    again.receive(2);
    expect([received, a.closed, again.closed]).toEqual([[2], 1, 0]);
  });
});

describe('suspicion', () => {
  it.each([
    [0, 300],
    [99, 300],
    [101, 303],
    [1000, 3000],
  ])('comes with a smoothed round trip of %i ms after %i ms of silence', (rtt, threshold) => {
    const { clock, seen, send } = setUp({ rtt });
    clock.advance(50);
    send();
    clock.advance(threshold - 1);
    send();
    expect(seen).toEqual([]);
    clock.advance(1);
    expect(seen).toEqual([`${50 + threshold} suspect a`]);
  });

  it('waits longer when the round trip turns out longer', () => {
    const { clock, session, seen, send } = setUp();
    send();
    session.rtt = 200;
    clock.advance(599);
    expect(seen).toEqual([]);
    clock.advance(1);
    expect(seen).toEqual(['600 suspect a']);
  });

  it('counts from the first packet after the last answer, whichever path brought it', () => {
    const { clock, b, seen, send } = setUp();
    send();
    clock.advance(290);
    b.receive(1);
    clock.advance(100);
    send();
    clock.advance(299);
    expect(seen).toEqual([]);
    clock.advance(1);
    expect(seen).toEqual(['690 suspect a']);
  });

  it('does not come while the session waits for nothing, or nothing is sent', () => {
    const { clock, session, seen, send } = setUp();
    clock.advance(10_000);
    session.waiting = false;
    send();
    clock.advance(10_000);
    expect(seen).toEqual([]);
    expect(clock.pending).toBe(0);
    session.waiting = true;
    send();
    clock.advance(300);
    expect(seen).toEqual(['20300 suspect a']);
  });

  it('is told once, and leaves no timer', () => {
    const { clock, seen, send } = setUp();
    for (let i = 0; i < 100; i++) {
      send();
      clock.advance(50);
    }
    expect(seen).toEqual(['300 suspect a']);
    expect(clock.pending).toBe(0);
  });

  it('ends with a packet on the path in use, not with one on another', () => {
    const { clock, a, b, seen, send } = setUp();
    send();
    clock.advance(300);
    b.receive(1);
    expect(seen).toEqual(['300 suspect a']);
    a.receive(2);
    a.receive(3);
    expect(seen).toEqual(['300 suspect a', '300 alive a']);
  });

  it('ends with the answer to a check of the path in use, not of another', () => {
    const { clock, table, seen, send } = setUp();
    send();
    clock.advance(300);
    table.confirm('b');
    expect(seen).toEqual(['300 suspect a']);
    table.confirm('a');
    table.confirm('a');
    expect(seen).toEqual(['300 suspect a', '300 alive a']);
  });

  it('comes again on a path that answers checks and swallows the session', () => {
    const { clock, table, seen, send } = setUp();
    send();
    clock.advance(300);
    table.confirm('a');
    send();
    clock.advance(300);
    expect(seen).toEqual(['300 suspect a', '300 alive a', '600 suspect a']);
  });

  it('is not inherited by the next path in use', () => {
    const { clock, table, b, seen, send } = setUp();
    send();
    clock.advance(299);
    table.use('b');
    clock.advance(1000);
    send();
    clock.advance(300);
    b.receive(1);
    expect(seen).toEqual(['1599 suspect b', '1599 alive b']);
  });

  it('is not disturbed by choosing the same path again', () => {
    const { clock, table, seen, send } = setUp();
    send();
    clock.advance(200);
    table.use('a');
    clock.advance(100);
    expect(seen).toEqual(['300 suspect a']);
  });
});

it('does nothing after close, and leaves no timer and no subscription', () => {
  const { clock, table, a, b, seen, received, send } = setUp();
  send();
  table.close();
  expect(clock.pending).toBe(0);
  expect([a.watched, b.watched, a.closed, b.closed]).toEqual([false, false, 1, 1]);
  a.receive(1);
  table.use('a');
  table.confirm('a');
  expect(send()).toBe(false);
  clock.advance(10_000);
  expect(received).toEqual([]);
  expect(seen).toEqual(['0 complete']);
});
