import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endpoint } from '../../src/core/endpoint.ts';
import { createIceLink } from '../../src/peer/ice-link.ts';
import type { IceLink } from '../../src/peer/ice-link-contract.ts';
import { createCheckBudget } from '../../src/protocol/ice/index.ts';
import { createPacketRouter } from '../../src/streams/packet-router.ts';
import { candidate, signalled } from '../protocol/ice/internet.ts';
import { seededRandom } from '../seeded-random.ts';
import { Wire } from '../streams/ice/wire.ts';

const MINUTE = 60_000;
const DIALER = candidate('host', endpoint('198.51.100.2', 5000));
const LISTENER = candidate('host', endpoint('203.0.113.2', 6000));

describe('checks while the offer is carried by hand', () => {
  let wire: Wire;
  let dialer: IceLink;
  let listener: IceLink;
  let seen: string[];

  function create(role: 'dialer' | 'listener', at: typeof DIALER, to: typeof DIALER): IceLink {
    const link = createIceLink({
      dialer: role === 'dialer',
      byHand: true,
      credentials: (generation) => {
        const dialer = { ufrag: `dial${generation}`, pwd: `password of the dialer ${generation}` };
        const listener = { ufrag: `list${generation}`, pwd: `password of the listener ${generation}` };
        return role === 'dialer' ? { mine: dialer, theirs: listener } : { mine: listener, theirs: dialer };
      },
      routers: [createPacketRouter(wire.socket(at.endpoint.address, at.endpoint.port))],
      network: { connect: () => Promise.reject(new Error('no TCP here')) },
      lobby: undefined,
      clock: wire.clock,
      random: seededRandom(role.length),
      loopback: false,
      budget: createCheckBudget().share('the other side'),
      on: {
        validated: () => seen.push(`${role} validated`),
        lost: (_, reason) => seen.push(`${role} ${reason}`),
        confirmed: () => {},
        doubtful: () => {},
        early: () => {},
      },
    });
    link.addLocal([at]);
    link.addRemote([signalled(to)]);
    return link;
  }

  /** Checks everything, until it is stopped. */
  const check = (link: IceLink): void => {
    link.findPath().catch((error) => seen.push(error.code));
  };

  const sent = (): number => wire.sent.get('198.51.100.2:5000') ?? 0;

  beforeEach(() => {
    wire = new Wire();
    seen = [];
    dialer = create('dialer', DIALER, LISTENER);
    listener = create('listener', LISTENER, DIALER);
  });
  afterEach(() => {
    dialer.stop();
    listener.stop();
    // What is still on the wire.
    wire.clock.advance(10);
    expect(wire.clock.pending).toBe(0);
  });

  it('leave the dialer at least every 4 s for 10 minutes, about 32 times a minute', () => {
    check(dialer);
    let before = 0;
    for (let time = 0; time < 10 * MINUTE; time += 4_000) {
      wire.clock.advance(4_000);
      expect(sent()).toBeGreaterThan(before);
      before = sent();
    }
    expect(before).toBeLessThanOrEqual(330);
    expect(seen).toEqual([]);
  });

  it.each([1, 29_990, 30_001, 45_000, 9.9 * MINUTE])('meet those of a listener that begins after %d ms', (delay) => {
    check(dialer);
    wire.clock.advance(delay);
    check(listener);
    wire.clock.advance(2_000);
    expect(seen.sort()).toEqual(['dialer validated', 'listener validated']);
    const before = sent();
    wire.clock.advance(MINUTE);
    // Consent only.
    expect(sent() - before).toBeLessThan(40);
    expect(seen).toHaveLength(2);
  });

  it('begin again with the same credentials and candidates when the path is lost on both sides', () => {
    for (const link of [dialer, listener]) check(link);
    wire.clock.advance(1_000);
    wire.open = false;
    wire.clock.advance(MINUTE);
    wire.open = true;
    for (const [link, own] of [
      [dialer, DIALER],
      [listener, LISTENER],
    ] as const) {
      link.restart(1);
      link.addLocal([own]);
      check(link);
      expect(link.generation).toBe(0);
    }
    wire.clock.advance(1_000);
    expect(seen.filter((line) => line.endsWith('validated'))).toHaveLength(4);
  });
});
