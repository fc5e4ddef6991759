import { type Random, randomInteger } from '../../core/random.ts';

/** ms between consent checks on a pair that carries data (RFC 7675 section 5.1). */
const USED_INTERVAL = 5000;
/** The same on a valid pair that stands by. */
const STANDBY_INTERVAL = 15_000;
/** ms between checks while one is unanswered. */
const PROBE_INTERVAL = 500;
/** Probes that must have gone unanswered: one late timer is no evidence. */
const LEAST_PROBES = 3;
/** ms after the last answer at which consent ends whatever else is the case (RFC 7675 section 5.1). */
const CONSENT_LIFETIME = 30_000;

export type ConsentStep =
  | { readonly type: 'check'; readonly pairId: string }
  | { readonly type: 'lost'; readonly pairId: string; readonly reason: 'unanswered' | 'consent-expired' };

/**
 * When to ask valid pairs whether the other side still wants our packets (RFC 7675), and when to give one up: a check every
 * 5 s, or 15 s on standby; while one is unanswered every 500 ms; lost when nothing was answered for `lostAfter` ms since the
 * first unanswered check, so that a dead path is noticed long before the 30 s of the RFC.
 */
export interface Consent {
  /** A pair became valid. */
  start(pairId: string, now: number): void;
  stop(pairId: string): void;
  /** These pairs, and no others, carry data; may name pairs that are not valid yet. */
  use(pairIds: readonly string[], now: number): void;
  /** Asks at once, unless a check is unanswered already. */
  hurry(pairId: string, now: number): void;
  answered(pairId: string, now: number): void;
  /** What is due now; a check counts as sent, and a lost pair is stopped. */
  take(now: number): readonly ConsentStep[];
  nextAt(): number;
}

export function createConsent({ random, lostAfter }: { random: Random; lostAfter: number }): Consent {
  const pairs = new Map<string, Freshness>();
  let used: ReadonlySet<string> = new Set();

  /** Times 0.8..1.2, so that checks of many pairs do not fall into step. */
  function interval(pairId: string): number {
    return ((used.has(pairId) ? USED_INTERVAL : STANDBY_INTERVAL) * (800 + randomInteger(random, 401))) / 1000;
  }

  const fresh = (pairId: string, now: number): Freshness => ({
    lastAnswer: now,
    nextCheck: now + interval(pairId),
    probes: 0,
  });

  /** When a pair is lost unless it answers. */
  function lostAt({ firstUnanswered, probes }: Freshness): number {
    if (firstUnanswered === undefined || probes < LEAST_PROBES) return Number.POSITIVE_INFINITY;
    return firstUnanswered + lostAfter;
  }

  return {
    start(pairId, now) {
      pairs.set(pairId, fresh(pairId, now));
    },
    stop(pairId) {
      pairs.delete(pairId);
    },
    use(pairIds, now) {
      const before = used;
      used = new Set(pairIds);
      for (const [pairId, pair] of pairs) {
        if (used.has(pairId) && !before.has(pairId)) pair.nextCheck = Math.min(pair.nextCheck, now + interval(pairId));
      }
    },
    hurry(pairId, now) {
      const pair = pairs.get(pairId);
      if (pair !== undefined && pair.firstUnanswered === undefined) pair.nextCheck = now;
    },
    answered(pairId, now) {
      if (pairs.has(pairId)) pairs.set(pairId, fresh(pairId, now));
    },
    take(now) {
      const steps: ConsentStep[] = [];
      for (const [pairId, pair] of pairs) {
        if (now >= lostAt(pair)) {
          steps.push({ type: 'lost', pairId, reason: 'unanswered' });
          pairs.delete(pairId);
        } else if (now >= pair.lastAnswer + CONSENT_LIFETIME) {
          steps.push({ type: 'lost', pairId, reason: 'consent-expired' });
          pairs.delete(pairId);
        } else if (now >= pair.nextCheck) {
          steps.push({ type: 'check', pairId });
          pair.firstUnanswered ??= now;
          pair.probes++;
          pair.nextCheck = now + PROBE_INTERVAL;
        }
      }
      return steps;
    },
    nextAt() {
      const times = [...pairs.values()].flatMap((pair) => [
        pair.nextCheck,
        pair.lastAnswer + CONSENT_LIFETIME,
        lostAt(pair),
      ]);
      return Math.min(...times);
    },
  };
}

interface Freshness {
  readonly lastAnswer: number;
  nextCheck: number;
  /** When the first check since the last answer was sent. */
  firstUnanswered?: number;
  /** Checks sent since the last answer. */
  probes: number;
}
