import { byteKey } from '../../core/byte-key.ts';
import { TraversalError } from '../../core/errors.ts';

/** Lets each offer in once. Asked after an offer was authenticated, so that only holders of a ticket can fill it. */
export interface OfferGuard {
  /**
   * Throws `ERR_OFFER_EXPIRED` when `issuedAt` is more than 10 minutes from `now` (both wall time, ms),
   * `ERR_OFFER_REJECTED` for a session that was accepted before, `ERR_BUSY` when no more can be remembered.
   */
  accept(offer: { readonly session: Uint8Array; readonly issuedAt: number }, now: number): void;
}

/** `capacity`: sessions remembered; a full guard refuses, since forgetting early would let a replay in. */
export function createOfferGuard({ capacity = 10_000 }: { capacity?: number } = {}): OfferGuard {
  /** By session: until when (wall time, ms) a replay of the offer could still look fresh. */
  const accepted = new Map<string, number>();

  function forgetExpired(now: number): void {
    for (const [session, until] of accepted) if (until < now) accepted.delete(session);
  }

  return {
    accept({ session, issuedAt }, now) {
      if (Math.abs(now - issuedAt) > TOLERANCE) {
        const minutes = Math.round((now - issuedAt) / 60_000);
        const age = minutes > 0 ? `${minutes} minutes old` : `${-minutes} minutes in the future`;
        throw new TraversalError('ERR_OFFER_EXPIRED', `the offer is ${age}; the two clocks may differ by 10 minutes`);
      }
      const key = byteKey(session);
      if (accepted.has(key)) throw new TraversalError('ERR_OFFER_REJECTED', 'this offer has been used before');
      if (accepted.size >= capacity) forgetExpired(now);
      if (accepted.size >= capacity) throw new TraversalError('ERR_BUSY', `${capacity} offers in the last minutes`);
      accepted.set(key, issuedAt + TOLERANCE);
    },
  };
}

const TOLERANCE = 10 * 60_000;
