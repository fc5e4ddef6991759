import type { Signaling } from '../core/signaling.ts';
import type { CarrierEvent } from './carriers.ts';

/**
 * An offer while its listener makes up its mind: what else comes for the session, and whether its dialer is still
 * there.
 */
export interface Decision {
  /** What has come for the session meanwhile, from other servers too. */
  readonly waiting: readonly CarrierEvent[];
  /** The dialer has left every server that it knocked at. */
  readonly hasLeft: boolean;
  /** Fulfils when it has: nobody waits for the decision any more. */
  readonly left: Promise<void>;
  wait(event: CarrierEvent): void;
  /** The session cannot be reached by this carrier any more. */
  miss(carrier: Signaling): void;
  /** Nobody waits any more, wherever the dialer is. */
  abandon(): void;
}

/** Offers of one session that wait for a decision on the first of them: a ticket names at most 8 servers. */
const MAX_WAITING = 8;

/** `knockedAt`: where the first offer came from. */
export function createDecision(knockedAt: Signaling): Decision {
  const at = new Set([knockedAt]);
  const waiting: CarrierEvent[] = [];
  let leave = (): void => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  return {
    waiting,
    left,
    get hasLeft() {
      return at.size === 0;
    },
    wait(event) {
      if (waiting.length >= MAX_WAITING) return;
      waiting.push(event);
      at.add(event.carrier);
    },
    miss(carrier) {
      at.delete(carrier);
      if (at.size === 0) leave();
    },
    abandon() {
      at.clear();
      leave();
    },
  };
}
