import { BehaviorSubject, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Signaling, SignalingEvent, SignalingStatus } from '../../src/core/signaling.ts';
import { createCarriers } from '../../src/peer/carriers.ts';
import { type Acquaintance, knownIntroduction } from '../../src/peer/introduction.ts';
import { createSignalLink } from '../../src/peer/signal-link.ts';
import { createEnvelopeChannel } from '../../src/protocol/rendezvous/index.ts';
import { manualClock } from '../manual-clock.ts';
import { filled, sampleOffer, seededRandom } from '../protocol/rendezvous/support.ts';

const session = filled(16, 1);
const listenerKey = filled(32, 2);
const secret = filled(16, 3);
const silent: SignalingEvent = { type: 'unreachable', session, reason: 'silent' };

/** The waits in ms, one after the other, of a dialer whose listener was there and is silent now. */
function waits(seed: string, count: number): number[] {
  const clock = manualClock();
  const random = seededRandom(seed);
  const offered: number[] = [];
  const carrier: Signaling = {
    name: 'a',
    status$: new BehaviorSubject<SignalingStatus>({ state: 'online', stun: [], relays: false }),
    events$: new Subject(),
    register: () => {},
    lookup: () => {},
    offer: () => offered.push(clock.now()),
    send: () => true,
    relay: () => undefined,
    leave: () => {},
    close: () => {},
  };
  const channel = (role: 'dialer' | 'listener') =>
    createEnvelopeChannel({ secret, session, listenerKey, role, random });
  const acquaintance: Acquaintance = {
    secret,
    id: filled(16, 4),
    preface: new Uint8Array(0),
    channel: channel('dialer'),
  };
  const carriers = createCarriers(() => carrier, clock);
  const nothing = () => {};
  const link = createSignalLink({
    role: 'dialer',
    introduction: knownIntroduction(listenerKey, acquaintance),
    session,
    carriers,
    servers: carriers.ensure(['ws://a']),
    clock,
    random,
    log: nothing,
    on: { message: nothing, bound: nothing, unbound: nothing, gone: nothing, refused: nothing, failed: nothing },
  });
  link.start(() => sampleOffer());
  const candidates = { type: 'candidates', generation: 0, candidates: [], end: true } as const;
  link.handle(carrier, { type: 'envelope', session, envelope: channel('listener').seal(candidates) });
  const result = Array.from({ length: count }, () => {
    link.handle(carrier, silent);
    const before = offered.length;
    const since = clock.now();
    while (offered.length === before) clock.advance(1);
    return offered.at(-1)! - since;
  });
  link.close();
  expect(clock.pending).toBe(0);
  return result;
}

describe('an offer to a listener that is away', () => {
  const ceilings = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];

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
