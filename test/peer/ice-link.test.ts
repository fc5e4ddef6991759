import { describe, expect, it } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import { createIceLink } from '../../src/peer/ice-link.ts';
import type { IceLink } from '../../src/peer/ice-link-contract.ts';
import { createCheckBudget } from '../../src/protocol/ice/index.ts';
import { createPacketRouter } from '../../src/streams/packet-router.ts';
import { candidate, signalled } from '../protocol/ice/internet.ts';
import { seededRandom } from '../seeded-random.ts';
import { Wire } from '../streams/ice/wire.ts';

const HOSTS = {
  dialer: candidate('host', endpoint('198.51.100.2', 5000)),
  listener: candidate('host', endpoint('203.0.113.2', 6000)),
};

interface Side {
  readonly link: IceLink;
  /** `<time> <what> <path>`. */
  readonly seen: string[];
  /** Of each path that was validated. */
  readonly preferences: Map<string, number>;
}

/** Both sides of a connection on one wire, 10 ms each way. */
function sides(): { wire: Wire; dialer: Side; listener: Side } {
  const wire = new Wire();
  const make = (role: 'dialer' | 'listener'): Side => {
    const seen: string[] = [];
    const preferences = new Map<string, number>();
    const note = (what: string) => (of: string) => void seen.push(`${wire.clock.now()} ${what} ${of}`);
    const at = HOSTS[role].endpoint;
    const link = createIceLink({
      dialer: role === 'dialer',
      byHand: false,
      credentials: (generation) => {
        const dialer = { ufrag: `dial${generation}`, pwd: `password of the dialer ${generation}` };
        const listener = { ufrag: `list${generation}`, pwd: `password of the listener ${generation}` };
        return role === 'dialer' ? { mine: dialer, theirs: listener } : { mine: listener, theirs: dialer };
      },
      routers: [createPacketRouter(wire.socket(at.address, at.port))],
      network: { connect: () => Promise.reject(new Error('no TCP here')) },
      lobby: undefined,
      clock: wire.clock,
      random: seededRandom(role.length),
      loopback: false,
      budget: createCheckBudget().share('the other side'),
      on: {
        validated({ info }, preference) {
          preferences.set(info.id, preference);
          note('validated')(info.id);
        },
        lost: (id, reason) => note(reason)(id),
        confirmed: note('confirmed'),
        doubtful: note('doubtful'),
        early: () => note('early')(''),
      },
    });
    return { link, seen, preferences };
  };
  return { wire, dialer: make('dialer'), listener: make('listener') };
}

function introduce({ link }: Side, own: 'dialer' | 'listener', other: 'dialer' | 'listener'): void {
  link.addLocal([HOSTS[own]]);
  link.addRemote([signalled(HOSTS[other])]);
  check(link);
}

/** Checks everything; what comes of it is seen by its paths. */
function check(link: IceLink): void {
  link.findPath().catch((error) => expect(error.code).toMatch(/ABORTED|EXHAUSTED/));
}

/** Both directions checked; the paths of both are valid 20 ms later. */
function connect(): ReturnType<typeof sides> {
  const all = sides();
  introduce(all.dialer, 'dialer', 'listener');
  introduce(all.listener, 'listener', 'dialer');
  all.wire.clock.advance(25);
  return all;
}

const dialerPath = (generation: number): string => `udp/${generation}/udp4:5000>203.0.113.2:6000`;
const nominated = ({ link }: Side): string | undefined => link.snapshot()?.selected;

describe('deferred nomination', () => {
  it('comes when a path has been in use for 2 s, with one check', () => {
    const { wire, dialer, listener } = connect();
    dialer.link.use(dialerPath(0));
    const before = wire.sent.get('198.51.100.2:5000')!;
    wire.clock.advance(1999);
    expect([nominated(dialer), wire.sent.get('198.51.100.2:5000')]).toEqual([undefined, before]);
    wire.clock.advance(21);
    expect(nominated(dialer)).toBe('udp4:5000>203.0.113.2:6000');
    expect(nominated(listener)).toBe('udp4:6000>198.51.100.2:5000');
    expect(wire.sent.get('198.51.100.2:5000')).toBe(before + 1);
  });

  it('waits for another 2 s without doubt when the path was suspect', () => {
    const { wire, dialer } = connect();
    dialer.link.use(dialerPath(0));
    wire.clock.advance(1900);
    dialer.link.check();
    wire.clock.advance(20 + 1999);
    expect(nominated(dialer)).toBeUndefined();
    wire.clock.advance(21);
    expect(nominated(dialer)).toBeDefined();
  });

  it('does not come while the path stays suspect, nor for one that is no longer in use', () => {
    const { wire, dialer } = connect();
    dialer.link.use(dialerPath(0));
    wire.open = false;
    dialer.link.check();
    wire.clock.advance(3500);
    wire.open = true;
    dialer.link.use(undefined);
    wire.clock.advance(10_000);
    expect(nominated(dialer)).toBeUndefined();
  });

  it('is the dialer’s to do', () => {
    const { wire, listener } = connect();
    listener.link.use('udp/0/udp4:6000>198.51.100.2:5000');
    wire.clock.advance(10_000);
    expect(nominated(listener)).toBeUndefined();
  });

  it('comes once a generation', () => {
    const { wire, dialer } = connect();
    dialer.link.use(dialerPath(0));
    wire.clock.advance(2100);
    const asked = dialer.link.snapshot()!.pairs[0]!.requestsSent;
    dialer.link.use(undefined);
    dialer.link.use(dialerPath(0));
    wire.clock.advance(2100);
    expect(dialer.link.snapshot()!.pairs[0]!.requestsSent).toBe(asked);
  });
});

describe('a mapped candidate that comes when all was told and has failed', () => {
  const dead = (address: string) => [signalled(candidate('host', endpoint(address, 7000)))];
  const mapped = candidate('mapped', HOSTS.listener.endpoint, endpoint('192.168.1.2', 6000));

  it('is checked at once, and makes a path on both sides', async () => {
    const { wire, dialer, listener } = sides();
    const found: Promise<string>[] = [];
    for (const [{ link }, own, other] of [
      [dialer, HOSTS.dialer, '203.0.113.200'],
      [listener, { ...HOSTS.listener, endpoint: mapped.base, base: mapped.base }, '198.51.100.200'],
    ] as const) {
      link.addLocal([own]);
      link.addRemote(dead(other));
      found.push(link.findPath());
      link.end('local');
      link.end('remote');
    }
    wire.clock.advance(30_000);
    for (const path of found) await expect(path).rejects.toMatchObject({ code: 'ERR_PUNCH_EXHAUSTED' });
    for (const { link } of [dialer, listener]) expect(link.isSpent).toBe(true);
    listener.link.addLocal([mapped]);
    dialer.link.addRemote([signalled(mapped)]);
    wire.clock.advance(45);
    expect(dialer.seen).toEqual([`30020 validated ${dialerPath(0)}`]);
    expect(listener.seen).toEqual(['30030 validated udp/0/udp4:6000>198.51.100.2:5000']);
  });
});

describe('a restart', () => {
  it('keeps the path until the session was heard on one of the new generation', () => {
    const { wire, dialer, listener } = connect();
    dialer.link.use(dialerPath(0));
    dialer.link.restart(1);
    listener.link.restart(1);
    wire.clock.advance(1000);
    dialer.seen.length = 0;
    introduce(dialer, 'dialer', 'listener');
    introduce(listener, 'listener', 'dialer');
    const began = wire.clock.now();
    wire.clock.advance(25);
    dialer.link.hear(dialerPath(0));
    wire.clock.advance(10_000);
    expect(dialer.seen.filter((line) => !line.includes('confirmed'))).toEqual([
      `${began + 20} validated ${dialerPath(1)}`,
    ]);
    dialer.seen.length = 0;
    for (let times = 0; times < 2; times++) dialer.link.hear(dialerPath(1));
    expect(dialer.seen).toEqual([`${began + 10_025} superseded ${dialerPath(0)}`]);
  });

  it('prefers each path of the new generation to each of the one before', () => {
    const { wire, dialer, listener } = connect();
    for (const { link } of [dialer, listener]) link.restart(1);
    dialer.link.addLocal([{ ...HOSTS.dialer, priority: 1 }]);
    dialer.link.addRemote([{ ...signalled(HOSTS.listener), priority: 1 }]);
    check(dialer.link);
    introduce(listener, 'listener', 'dialer');
    wire.clock.advance(25);
    const [before, after] = [dialer.preferences.get(dialerPath(0))!, dialer.preferences.get(dialerPath(1))!];
    expect(before).toBeGreaterThan(2 ** 31);
    expect(after).toBeGreaterThan(before);
  });

  it('ends a generation that the session was never heard on, and keeps the one before it', () => {
    const { wire, dialer, listener } = connect();
    dialer.link.hear(dialerPath(0));
    for (const generation of [1, 2]) {
      for (const { link } of [dialer, listener]) link.restart(generation);
      introduce(dialer, 'dialer', 'listener');
      introduce(listener, 'listener', 'dialer');
      wire.clock.advance(25);
    }
    const seen = dialer.seen.map((line) => line.replace(/^\d+ /, '')).filter((line) => !line.startsWith('confirmed'));
    expect(seen).toEqual([
      `validated ${dialerPath(0)}`,
      `validated ${dialerPath(1)}`,
      `restarted ${dialerPath(1)}`,
      `validated ${dialerPath(2)}`,
    ]);
    dialer.link.hear(dialerPath(2));
    expect(dialer.seen.at(-1)).toMatch(/superseded udp\/0\//);
  });

  it('goes on asking for consent on it, and tells when it is lost', () => {
    const { wire, dialer, listener } = connect();
    dialer.link.use(dialerPath(0));
    dialer.link.restart(1);
    wire.clock.advance(20_000);
    expect(dialer.seen.filter((line) => line.includes('confirmed')).length).toBeGreaterThanOrEqual(3);
    listener.link.stop();
    dialer.seen.length = 0;
    dialer.link.check();
    wire.clock.advance(4100);
    expect(dialer.seen).toEqual([
      `${20_025 + 1000} doubtful ${dialerPath(0)}`,
      `${20_025 + 4000} unanswered ${dialerPath(0)}`,
    ]);
    expect(dialer.link.isSpent).toBe(true);
  });

  it('ends the path of two generations ago, and does not let the loss of an old path spend the new generation', () => {
    const { wire, dialer, listener } = connect();
    for (const side of [dialer, listener]) side.link.restart(1);
    introduce(dialer, 'dialer', 'listener');
    introduce(listener, 'listener', 'dialer');
    wire.clock.advance(25);
    dialer.link.hear(dialerPath(1));
    for (const side of [dialer, listener]) side.link.restart(2);
    introduce(dialer, 'dialer', 'listener');
    wire.clock.advance(100);
    wire.open = false;
    dialer.link.check();
    wire.clock.advance(4500);
    const seen = dialer.seen.map((line) => line.replace(/^\d+ /, '')).filter((line) => !line.startsWith('confirmed'));
    expect(seen).toEqual([
      `validated ${dialerPath(0)}`,
      `validated ${dialerPath(1)}`,
      `superseded ${dialerPath(0)}`,
      `doubtful ${dialerPath(1)}`,
      `unanswered ${dialerPath(1)}`,
    ]);
    expect(dialer.link.isSpent).toBe(false);
  });

  it('leaves nothing behind once stopped', () => {
    const { wire, dialer, listener } = connect();
    dialer.link.use(dialerPath(0));
    for (const { link } of [dialer, listener]) link.restart(1);
    introduce(dialer, 'dialer', 'listener');
    for (const { link } of [dialer, listener]) link.stop();
    wire.clock.advance(20);
    expect(wire.clock.pending).toBe(0);
  });
});
