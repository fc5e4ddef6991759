import { describe, expect, it } from 'vitest';
import { createOfferGuard } from '../../../src/protocol/rendezvous/index.ts';
import { filled } from './support.ts';

const MINUTE = 60_000;
const now = 1_700_000_000_000;
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('offer guard', () => {
  it('lets an offer in once', () => {
    const guard = createOfferGuard();
    guard.accept({ session: filled(16, 1), issuedAt: now }, now);
    guard.accept({ session: filled(16, 2), issuedAt: now }, now);
    expect(() => guard.accept({ session: filled(16, 1), issuedAt: now }, now + 1)).toThrow(code('ERR_OFFER_REJECTED'));
  });

  it('allows clocks to differ by ten minutes, no more', () => {
    const guard = createOfferGuard();
    expect(() => guard.accept({ session: filled(16, 1), issuedAt: now - 10 * MINUTE }, now)).not.toThrow();
    expect(() => guard.accept({ session: filled(16, 2), issuedAt: now + 10 * MINUTE }, now)).not.toThrow();
    const tooOld = { session: filled(16, 3), issuedAt: now - 10 * MINUTE - 1 };
    expect(() => guard.accept(tooOld, now)).toThrow(code('ERR_OFFER_EXPIRED'));
    const tooNew = { session: filled(16, 4), issuedAt: now + 10 * MINUTE + 1 };
    expect(() => guard.accept(tooNew, now)).toThrow(/in the future/);
  });

  it('refuses when full, and has room again once replays would be too old anyway', () => {
    const guard = createOfferGuard({ capacity: 2 });
    guard.accept({ session: filled(16, 1), issuedAt: now }, now);
    guard.accept({ session: filled(16, 2), issuedAt: now + 5 * MINUTE }, now);
    const third = (at: number) => ({ session: filled(16, 3), issuedAt: at });
    expect(() => guard.accept(third(now), now)).toThrow(code('ERR_BUSY'));
    const later = now + 10 * MINUTE + 1;
    guard.accept(third(later), later);
    expect(() => guard.accept({ session: filled(16, 2), issuedAt: now + 5 * MINUTE }, later)).toThrow(
      code('ERR_OFFER_REJECTED'),
    );
  });
});
