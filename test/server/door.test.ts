import { describe, expect, it } from 'vitest';
import { createServerSources, defaultServerLimits, type ServerLimits } from '../../src/protocol/rendezvous/index.ts';
import { createDoor, type Visit } from '../../src/server/door.ts';
import type { Refusal } from '../../src/server/refusal.ts';
import { manualClock } from '../manual-clock.ts';

function world({ trustProxy = false, ...changes }: Partial<ServerLimits> & { trustProxy?: boolean } = {}) {
  const clock = manualClock();
  const limits = { ...defaultServerLimits, ...changes };
  const sources = createServerSources(limits);
  const door = createDoor({ clock, limits, sources, trustProxy });
  /** Refusals of visits after they were let in. */
  const ended: string[] = [];
  return {
    clock,
    door,
    sources,
    ended,
    knock: (address: string): Visit | Refusal => door.admit(address, ({ reason }) => ended.push(reason)),
    enter(address: string): Visit {
      const visit = door.admit(address, ({ reason }) => ended.push(reason));
      if ('reason' in visit) throw new Error(visit.reason);
      return visit;
    },
  };
}

describe('the door', () => {
  it('lets an address have so many connections that are no WebSocket yet, and no more', () => {
    const { door, knock, enter } = world({ halfOpenPerSource: 2 });
    const first = enter('192.0.2.1');
    enter('192.0.2.1');
    expect(knock('192.0.2.1')).toMatchObject({ reason: 'source-half-open', status: 429 });
    enter('192.0.2.2');
    first.leave();
    first.leave();
    enter('192.0.2.1');
    expect(door.halfOpen).toBe(3);
  });

  it('takes an IPv6 /64 for one address', () => {
    const { knock, enter } = world({ halfOpenPerSource: 1 });
    enter('2001:db8:0:1::1');
    expect(knock('2001:db8:0:1:ffff::2')).toMatchObject({ reason: 'source-half-open' });
    enter('2001:db8:0:2::1');
  });

  it('lets an address have so many new connections a second', () => {
    const { clock, knock, enter } = world({ connectionsPerSource: { rate: 10, burst: 3 } });
    for (let i = 0; i < 3; i++) enter('192.0.2.1').leave();
    expect(knock('192.0.2.1')).toMatchObject({ reason: 'source-rate', status: 429 });
    enter('192.0.2.2');
    clock.advance(100);
    enter('192.0.2.1').leave();
    expect(knock('192.0.2.1')).toMatchObject({ reason: 'source-rate' });
  });

  it('shows the oldest out when there are too many in all', () => {
    const { door, ended, enter } = world({ halfOpen: 2 });
    const first = enter('192.0.2.1');
    enter('192.0.2.2');
    enter('192.0.2.3');
    expect(ended).toEqual(['half-open']);
    expect(door.halfOpen).toBe(2);
    first.leave();
    expect(door.halfOpen).toBe(2);
  });

  it('shows out whoever takes too long, and leaves no timer behind', () => {
    const { clock, door, ended, enter } = world({ halfOpenFor: 10_000 });
    enter('192.0.2.1');
    enter('192.0.2.1').leave();
    clock.advance(9_999);
    expect(ended).toEqual([]);
    clock.advance(1);
    expect(ended).toEqual(['late']);
    expect([door.halfOpen, clock.pending]).toEqual([0, 0]);
  });

  it('does not hold one address to what another has done', () => {
    const { sources, enter } = world();
    expect(enter('192.0.2.1').client(undefined)).toBe(sources.find('192.0.2.1', 0));
    expect(enter('192.0.2.2').client(undefined)).not.toBe(sources.find('192.0.2.1', 0));
  });
});

describe('a proxy', () => {
  it('is nobody’s word for a client’s address, unless it is trusted', () => {
    const { sources, enter } = world();
    expect(enter('127.0.0.1').client('203.0.113.1')).toBe(sources.find('127.0.0.1', 0));
  });

  it('is not taken for one on a public address', () => {
    const { sources, enter } = world({ trustProxy: true });
    expect(enter('203.0.113.9').client('203.0.113.1')).toBe(sources.find('203.0.113.9', 0));
  });

  it.each([
    ['one entry', '203.0.113.1'],
    ['entries that the client made up', '198.51.100.1, 10.0.0.1 ,203.0.113.1'],
    ['a port', '203.0.113.1:4711'],
    ['another spelling', '::ffff:203.0.113.1'],
  ])('that is trusted names the client with its last entry: %s', (_name, field) => {
    const { sources, enter } = world({ trustProxy: true });
    for (const proxy of ['127.0.0.1', '10.1.2.3', '::1', 'fd00::1']) {
      expect(enter(proxy).client(field)).toBe(sources.find('203.0.113.1', 0));
    }
  });

  it.each(['unknown', '203.0.113.1, ', 'example.org', '203.0.113.1; DROP'])(
    'that names nobody is refused: %j',
    (field) => {
      const { enter } = world({ trustProxy: true });
      expect(enter('127.0.0.1').client(field)).toMatchObject({ reason: 'forwarded', status: 400 });
    },
  );

  it('without the field is a client itself: the peers on its machine', () => {
    const { sources, enter } = world({ trustProxy: true });
    expect(enter('127.0.0.1').client(undefined)).toBe(sources.find('127.0.0.1', 0));
  });

  it('may have more connections at a time than a client, each of whom is held to the rate', () => {
    const { enter } = world({ trustProxy: true, halfOpenPerSource: 1, connectionsPerSource: { rate: 1, burst: 2 } });
    const reasons = Array.from({ length: 4 }, () => enter('127.0.0.1').client('203.0.113.1')).map((found) =>
      'reason' in found ? found.reason : 'in',
    );
    expect(reasons).toEqual(['in', 'in', 'source-rate', 'source-rate']);
    expect('reason' in enter('127.0.0.1').client('203.0.113.2')).toBe(false);
  });
});
