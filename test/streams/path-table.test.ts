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
  /** How many of the packets were asked whether they are authentic. */
  const judged = { count: 0 };
  const table = createPathTable({
    clock,
    receive: (packet) => void received.push(packet[0]!),
    authenticate(packet) {
      judged.count++;
      received.push(packet[0]!);
      return packet[0] !== FORGED;
    },
    isWaiting: () => session.waiting,
    rtt: () => session.rtt,
  });
  const [a, b] = [fakePath('a'), fakePath('b')];
  const seen: string[] = [];
  /** Paths by the first packet that was heard on them. */
  const heard: string[] = [];
  table.observations$.subscribe({
    next: ({ type, id }) => void (type === 'heard' ? heard.push(id) : seen.push(`${clock.now()} ${type} ${id}`)),
    complete: () => seen.push(`${clock.now()} complete`),
  });
  table.add(a.path);
  table.add(b.path);
  table.use('a');
  const send = (byte = 1): boolean => table.send(Uint8Array.of(byte));
  return { clock, session, received, judged, table, a, b, seen, heard, send };
}

/** The first byte of what is not from the other side. */
const FORGED = 0xff;

describe('sending', () => {
  it('takes the path in use and no other', () => {
    const { table, a, b, send } = setUp();
    expect(send(1)).toBe(true);
    table.use('b');
    expect(send(2)).toBe(true);
    expect([a.sent, b.sent]).toEqual([[1], [2]]);
    expect(table.current?.id).toBe('b');
  });

  it('takes the path that was heard last as well, until the one in use has been heard', () => {
    const { clock, table, a, b, send } = setUp();
    a.receive(1);
    send(1);
    table.use('b');
    send(2);
    b.receive(FORGED);
    send(3);
    clock.advance(5);
    b.receive(4);
    send(4);
    expect([a.sent, b.sent]).toEqual([
      [1, 2, 3],
      [2, 3, 4],
    ]);
  });

  it('counts as sent when the path that was heard last took it, and forgets that path with its removal', () => {
    const { table, a, send } = setUp();
    const full = fakePath('full', { takes: false });
    table.add(full.path);
    a.receive(1);
    table.use('full');
    expect(send(1)).toBe(true);
    table.remove('a');
    expect(send(2)).toBe(false);
    expect([a.sent, full.sent]).toEqual([[1], [1, 2]]);
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

  it('comes when checks of the path in use went unanswered, though nothing was sent, not for those of another', () => {
    const { table, seen } = setUp();
    table.doubt('b');
    expect(seen).toEqual([]);
    table.doubt('a');
    table.doubt('a');
    table.confirm('a');
    expect(seen).toEqual(['0 suspect a', '0 alive a']);
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

describe('evidence', () => {
  it('is never a forged packet: a dead path is suspect as soon as without them', () => {
    const { clock, table, a, seen, send, received } = setUp();
    a.receive(1);
    clock.advance(100);
    send();
    for (let i = 0; i < 300; i++) {
      clock.advance(1);
      a.receive(FORGED);
    }
    expect(seen).toEqual(['400 suspect a']);
    for (let i = 0; i < 100; i++) {
      clock.advance(10);
      a.receive(FORGED);
    }
    expect(seen).toEqual(['400 suspect a']);
    expect(table.lastHeard?.id).toBe('a');
    expect(received).toHaveLength(401);
  });

  it('of another path is not moved by forged packets on it', () => {
    const { clock, table, a, b } = setUp();
    a.receive(1);
    for (let i = 0; i < 50; i++) {
      clock.advance(20);
      b.receive(FORGED);
    }
    expect(table.lastHeard?.id).toBe('a');
  });

  it('of the other side on another path only is not made of forged packets, nor undone by them', () => {
    const { clock, a, b, seen } = setUp();
    for (let i = 0; i < 200; i++) {
      clock.advance(10);
      b.receive(FORGED);
    }
    expect(seen).toEqual([]);
    for (let i = 0; i < 10; i++) {
      clock.advance(10);
      a.receive(FORGED);
      b.receive(1);
    }
    expect(seen).toEqual(['2010 suspect a']);
  });

  it('of a path is told once, and again of another path of the same id', () => {
    const { clock, table, a, b, heard } = setUp();
    b.receive(FORGED);
    expect(heard).toEqual([]);
    clock.advance(10);
    for (const path of [b, b, a]) {
      path.receive(1);
      clock.advance(100);
    }
    expect(heard).toEqual(['b', 'a']);
    const other = fakePath('b');
    table.add(other.path);
    other.receive(1);
    expect(heard).toEqual(['b', 'a', 'b']);
  });

  it('is asked for every 50 ms of a path that gives it, and every 5 ms of one that does not', () => {
    const { clock, a, b, judged } = setUp();
    for (let i = 0; i < 1000; i++) {
      clock.advance(1);
      a.receive(1);
    }
    expect(judged.count).toBe(20);
    for (let i = 0; i < 1000; i++) {
      clock.advance(1);
      b.receive(FORGED);
    }
    expect(judged.count).toBe(220);
  });

  it('is found among many forged packets', () => {
    const { clock, a, seen, send } = setUp();
    for (let i = 0; i < 10_000; i++) {
      clock.advance(1);
      send();
      a.receive(i % 4 === 0 ? 1 : FORGED);
    }
    expect(seen).toEqual([]);
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
