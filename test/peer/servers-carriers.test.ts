import { BehaviorSubject } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Signaling, SignalingStatus } from '../../src/core/signaling.ts';
import { type Carriers, createCarriers } from '../../src/peer/carriers.ts';
import { type ManualClock, manualClock } from '../manual-clock.ts';
import { inertSignaling } from './inert-signaling.ts';

const MINUTE = 60_000;

let clock: ManualClock;
let opened: string[];
let closed: string[];
let carriers: Carriers;

/** A carrier that is online from the start. */
function open(url: string): Signaling {
  opened.push(url);
  const status$ = new BehaviorSubject<SignalingStatus>({ state: 'online', stun: [`${url}:3478`], relays: true });
  return inertSignaling({ name: url, status$, close: () => void closed.push(url) });
}

beforeEach(() => {
  clock = manualClock();
  opened = [];
  closed = [];
  carriers = createCarriers(open, clock);
});

describe('a carrier of somebody else’s server', () => {
  it('is closed when nobody has used it for a minute', () => {
    const leases = [carriers.lease(['ws://a']), carriers.lease(['ws://a/'])];
    expect(opened).toHaveLength(1);
    leases[0]!.release();
    clock.advance(2 * MINUTE);
    leases[1]!.release();
    clock.advance(MINUTE - 1);
    expect(closed).toEqual([]);
    clock.advance(1);
    expect(closed).toEqual(opened);
    expect(carriers.stun).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('is kept for the next who asks within that time', () => {
    carriers.lease(['ws://a']).release();
    clock.advance(MINUTE - 1);
    const lease = carriers.lease(['ws://a']);
    clock.advance(2 * MINUTE);
    expect(closed).toEqual([]);
    lease.release();
    clock.advance(MINUTE);
    expect(closed).toEqual(opened);
    expect(opened).toHaveLength(1);
  });

  it('says that it is offline then, and is opened anew when it is needed again', () => {
    const told: string[] = [];
    carriers.statuses$.subscribe(({ carrier, status }) => told.push(`${carrier.name} ${status.state}`));
    carriers.lease(['ws://a/']).release();
    clock.advance(MINUTE);
    carriers.lease(['ws://a/']);
    expect(told).toEqual(['ws://a/ online', 'ws://a/ offline', 'ws://a/ online']);
    const late: string[] = [];
    carriers.statuses$.subscribe(({ carrier, status }) => late.push(`${carrier.name} ${status.state}`));
    expect(late).toEqual(['ws://a/ online']);
  });

  it('is still offline for who asks about it once it is closed', () => {
    const { carriers: leased, release } = carriers.lease(['ws://a']);
    release();
    clock.advance(MINUTE);
    expect(carriers.statusOf(leased[0]!)).toMatchObject({ state: 'offline', code: 'ERR_CLOSED' });
  });

  it('brings hints at STUN servers, which end with its lease, and of which 16 are taken', () => {
    const one = carriers.lease(['ws://a'], ['stun:1', 'stun:2']);
    const two = carriers.lease(['ws://a'], ['stun:2', 'stun:3']);
    expect(carriers.hintedStun).toEqual(['stun:1', 'stun:2', 'stun:3']);
    one.release();
    expect(carriers.hintedStun).toEqual(['stun:2', 'stun:3']);
    two.release();
    expect(carriers.hintedStun).toEqual([]);
    carriers.lease(
      ['ws://b'],
      Array.from({ length: 20 }, (_, i) => `stun:${i}`),
    );
    expect(carriers.hintedStun).toHaveLength(16);
  });
});

describe('a carrier of the peer’s own servers', () => {
  it('stays, whoever else has used it', () => {
    carriers.ensure(['ws://a']);
    carriers.lease(['ws://a']).release();
    clock.advance(10 * MINUTE);
    expect(closed).toEqual([]);
  });

  it('is closed with the peer, and nothing is left to come', () => {
    carriers.ensure(['ws://a']);
    const lease = carriers.lease(['ws://b']);
    carriers.lease(['ws://c']).release();
    carriers.close();
    lease.release();
    expect(closed).toHaveLength(3);
    expect(clock.pending).toBe(0);
  });
});
