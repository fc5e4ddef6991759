import { BehaviorSubject, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Signaling, SignalingEvent, SignalingStatus } from '../../src/core/signaling.ts';
import { createCarriers } from '../../src/peer/carriers.ts';
import { type Acquaintance, knownIntroduction } from '../../src/peer/introduction.ts';
import { createSignalLink } from '../../src/peer/signal-link.ts';
import { createEnvelopeChannel } from '../../src/protocol/rendezvous/index.ts';
import { manualClock } from '../manual-clock.ts';
import { filled, sampleOffer } from '../protocol/rendezvous/support.ts';
import { seededRandom } from '../seeded-random.ts';

const session = filled(16, 1);
const listenerKey = filled(32, 2);
const secret = filled(16, 3);
const silent: SignalingEvent = { type: 'unreachable', session, reason: 'silent' };
const unknown: SignalingEvent = { type: 'unreachable', session, reason: 'unknown' };
const busy: SignalingEvent = { type: 'error', code: 'ERR_BUSY', message: 'too many offers', session };

/** A dialer at one server or more, in time that the test moves. */
function dialing(seed: string, servers: readonly string[] = ['ws://a']) {
  const clock = manualClock();
  const random = seededRandom(seed);
  /** When an offer was made, in ms. */
  const offered = new Map<string, number[]>();
  /** Codes of the failures that the connection was told. */
  const refusals: string[] = [];
  const carriers = createCarriers(
    (name): Signaling => ({
      name,
      status$: new BehaviorSubject<SignalingStatus>({ state: 'online', stun: [], relays: false }),
      events$: new Subject(),
      register: () => {},
      lookup: () => {},
      offer: () => offered.set(name, [...(offered.get(name) ?? []), clock.now()]),
      send: () => true,
      relay: () => undefined,
      leave: () => {},
      close: () => {},
    }),
    clock,
  );
  const channel = (role: 'dialer' | 'listener') =>
    createEnvelopeChannel({ secret, session, listenerKey, role, random });
  const acquaintance: Acquaintance = {
    secret,
    id: filled(16, 4),
    preface: new Uint8Array(0),
    channel: channel('dialer'),
  };
  const nothing = () => {};
  const at = carriers.ensure(servers);
  const link = createSignalLink({
    role: 'dialer',
    introduction: knownIntroduction(listenerKey, acquaintance),
    session,
    carriers,
    servers: at,
    clock,
    random,
    log: nothing,
    on: {
      message: nothing,
      bound: nothing,
      unbound: nothing,
      gone: nothing,
      refused: ({ code }) => refusals.push(code),
      failed: nothing,
    },
  });
  link.start(() => sampleOffer());
  const offersAt = (server = 0): readonly number[] => offered.get(at[server]!.name) ?? [];
  const say = (event: SignalingEvent, server = 0): void => link.handle(at[server]!, event);
  return {
    refusals,
    offered: offersAt,
    say,
    /** The listener says something, sealed. */
    hear(): void {
      const candidates = { type: 'candidates', generation: 0, candidates: [], end: true } as const;
      say({ type: 'envelope', session, envelope: channel('listener').seal(candidates) });
    },
    /** How long it takes after this event until the first server is offered the session again, in ms. */
    waitAfter(event: SignalingEvent): number {
      const since = clock.now();
      const before = offersAt().length;
      say(event);
      while (offersAt().length === before) clock.advance(1);
      return clock.now() - since;
    },
    /** Nothing more is to come of itself. */
    get idle(): boolean {
      return clock.pending === 0;
    },
    close: () => link.close(),
  };
}

describe('an offer to a listener that is away', () => {
  const ceilings = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];

  /** The waits in ms, one after the other, of a dialer whose listener was there and is silent now. */
  function waits(seed: string, count: number): number[] {
    const dialer = dialing(seed);
    dialer.hear();
    const result = Array.from({ length: count }, () => dialer.waitAfter(silent));
    dialer.close();
    expect(dialer.idle).toBe(true);
    return result;
  }

  it('is made again after a wait that doubles up to 30 s, cut by chance to between half and all of it', () => {
    for (const [i, wait] of waits('one', ceilings.length).entries()) {
      expect(wait).toBeGreaterThanOrEqual(ceilings[i]! / 2);
      expect(wait).toBeLessThanOrEqual(ceilings[i]!);
    }
  });

  it('is not made in step with other dialers of the same listener', () => {
    expect(waits('one', 4)).not.toEqual(waits('other', 4));
  });
});

describe('an offer that a server is too busy for', () => {
  it('is made again five times, later and later, and is refused then', () => {
    const dialer = dialing('busy');
    for (const ceiling of [500, 1_000, 2_000, 4_000, 8_000]) {
      const wait = dialer.waitAfter(busy);
      expect([wait >= ceiling / 2, wait <= ceiling]).toEqual([true, true]);
    }
    expect(dialer.refusals).toEqual([]);
    dialer.say(busy);
    expect([dialer.refusals, dialer.idle]).toEqual([['ERR_BUSY'], true]);
    expect(dialer.offered()).toHaveLength(6);
  });

  it('begins with the shortest wait again once the other side was heard', () => {
    const dialer = dialing('busy');
    for (let i = 0; i < 4; i++) dialer.waitAfter(busy);
    dialer.hear();
    expect(dialer.waitAfter(busy)).toBeLessThanOrEqual(500);
    dialer.close();
    expect(dialer.idle).toBe(true);
  });

  it('is refused when the server knows of no listener after all', () => {
    const dialer = dialing('busy');
    dialer.waitAfter(busy);
    dialer.say(unknown);
    expect([dialer.refusals, dialer.idle]).toEqual([['ERR_PEER_UNKNOWN'], true]);
  });

  it('is not refused because another server knows of no listener', () => {
    const dialer = dialing('busy', ['ws://a', 'ws://b']);
    dialer.say(busy, 0);
    dialer.say(unknown, 1);
    expect(dialer.refusals).toEqual([]);
    dialer.waitAfter(busy);
    dialer.say(unknown, 0);
    expect([dialer.refusals, dialer.idle]).toEqual([['ERR_PEER_UNKNOWN'], true]);
    expect([dialer.offered(0), dialer.offered(1)].map(({ length }) => length)).toEqual([2, 1]);
  });
});
