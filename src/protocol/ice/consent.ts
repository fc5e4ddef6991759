import { type Random, randomInteger } from '../../core/random.ts';

/** ms between checks of a pair that carries data, and of a valid one that stands by. */
const INTERVAL = {
  /** Each side keeps its own time: 5 s (RFC 7675 section 5.1), and 15 s to keep NATs open (RFC 8445 section 11). */
  alone: { used: 5000, standby: 15_000 },
  /** The two sides take turns, so that each hears of the other twice as often as it asks: within 4.8 to 6 s again. */
  turns: { used: 3000, standby: 12_000 },
};
/**
 * Regular checks leave at multiples of this, in ms: a thousand idle pairs that wake together cost a fraction of what
 * they do one by one.
 */
const GRID = 250;
/** ms between checks while one is unanswered. */
const PROBE_INTERVAL = 500;
/** Probes that must have gone unanswered: one late timer is no evidence. */
const LEAST_PROBES = 3;
/** ms after the last answer at which consent ends whatever else is the case (RFC 7675 section 5.1). */
const CONSENT_LIFETIME = 30_000;
const NEVER = Number.POSITIVE_INFINITY;

export type ConsentStep =
  | { readonly type: 'check'; readonly pairId: string }
  | { readonly type: 'doubtful'; readonly pairId: string }
  | {
      readonly type: 'lost';
      readonly pairId: string;
      readonly reason: 'unanswered' | 'consent-expired' | 'superseded';
    };

/**
 * When to ask valid pairs whether the other side still wants our packets (RFC 7675), and when to give one up. While a
 * check is unanswered another follows every 500 ms; with the third the pair is doubtful; it is lost when nothing was
 * answered for `lostAfter` ms since the first, so that a dead path is noticed long before the 30 s of the RFC.
 *
 * In turns, a check of the other side stands for one of ours, and who was asked last asks first: on a pair that carries
 * data there is a check every 2.4 to 3 s, from this side and that. Where the other side does not take its turn, we ask
 * after 3 to 3.6 s.
 */
export interface Consent {
  /** A pair became valid. */
  start(pairId: string, now: number): void;
  stop(pairId: string): void;
  /** These pairs, and no others, carry data; may name pairs that are not valid yet. */
  use(pairIds: readonly string[], now: number): void;
  isUsed(pairId: string): boolean;
  /**
   * Of the pairs that carry no data only these are asked from now on, others end as their consent expires; `undefined`:
   * all are.
   */
  keep(pairIds: readonly string[] | undefined): void;
  /** Asks at once, unless a check is unanswered already. */
  hurry(pairId: string, now: number): void;
  answered(pairId: string, now: number): void;
  /** The other side has asked for our consent on the pair, with the right password. */
  heard(pairId: string, now: number): void;
  /** What is due now; a check counts as sent, and a lost pair is stopped. */
  take(now: number): readonly ConsentStep[];
  nextAt(): number;
}

/** `pace`: whether the other side is known to take turns. */
export function createConsent(options: {
  readonly random: Random;
  readonly lostAfter: number;
  readonly pace: keyof typeof INTERVAL;
}): Consent {
  const { random, lostAfter, pace } = options;
  const pairs = new Map<string, Freshness>();
  let used: ReadonlySet<string> = new Set();
  let kept: ReadonlySet<string> | undefined;

  const isAsked = (pairId: string): boolean => kept === undefined || kept.has(pairId) || used.has(pairId);

  const basicInterval = (pairId: string): number => INTERVAL[pace][used.has(pairId) ? 'used' : 'standby'];

  /**
   * `least` to `most` x the basic interval from then, by chance, so that not all checks fall on one point of the grid.
   */
  const schedule = (pairId: string, from: number, least: number, most: number): number => {
    const earliest = from + least * basicInterval(pairId);
    const at = earliest + ((most - least) * basicInterval(pairId) * randomInteger(random, 1001)) / 1000;
    return GRID * Math.max(Math.floor(at / GRID), Math.ceil(earliest / GRID));
  };

  const fresh = (pairId: string, now: number): Freshness => ({
    lastAnswer: now,
    nextCheck: isAsked(pairId) ? schedule(pairId, now, pace === 'turns' ? 1 : 0.8, 1.2) : NEVER,
    probes: 0,
  });

  /** When a pair is lost unless it answers. */
  function lostAt({ firstUnanswered, probes }: Freshness): number {
    if (firstUnanswered === undefined || probes < LEAST_PROBES) return NEVER;
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
        if (used.has(pairId) && !before.has(pairId))
          pair.nextCheck = Math.min(pair.nextCheck, schedule(pairId, now, 0.8, 1.2));
      }
    },
    isUsed: (pairId) => used.has(pairId),
    keep(pairIds) {
      kept = pairIds && new Set(pairIds);
      for (const [pairId, pair] of pairs) {
        if (!isAsked(pairId)) {
          if (pair.firstUnanswered === undefined) pair.nextCheck = NEVER;
        } else if (pair.nextCheck === NEVER) {
          pair.nextCheck = schedule(pairId, pair.lastAnswer, 0.8, 1.2);
        }
      }
    },
    hurry(pairId, now) {
      const pair = pairs.get(pairId);
      if (pair !== undefined && pair.firstUnanswered === undefined) pair.nextCheck = now;
    },
    answered(pairId, now) {
      if (pairs.has(pairId)) pairs.set(pairId, fresh(pairId, now));
    },
    heard(pairId, now) {
      const pair = pairs.get(pairId);
      if (pace === 'alone' || pair === undefined) return;
      // What is unanswered, or due already, is not put off.
      if (pair.firstUnanswered !== undefined || pair.nextCheck <= now || pair.nextCheck === NEVER) return;
      // Who asks all the time must not keep us from asking.
      pair.nextCheck = Math.min(schedule(pairId, now, 0.8, 1), pair.lastAnswer + 2 * basicInterval(pairId));
    },
    take(now) {
      const steps: ConsentStep[] = [];
      for (const [pairId, pair] of pairs) {
        if (now >= lostAt(pair)) {
          steps.push({ type: 'lost', pairId, reason: 'unanswered' });
          pairs.delete(pairId);
        } else if (now >= pair.lastAnswer + CONSENT_LIFETIME) {
          steps.push({ type: 'lost', pairId, reason: isAsked(pairId) ? 'consent-expired' : 'superseded' });
          pairs.delete(pairId);
        } else if (now >= pair.nextCheck) {
          steps.push({ type: 'check', pairId });
          pair.firstUnanswered ??= now;
          pair.probes++;
          pair.nextCheck = now + PROBE_INTERVAL;
          if (pair.probes === LEAST_PROBES) steps.push({ type: 'doubtful', pairId });
        }
      }
      return steps;
    },
    nextAt() {
      let next = NEVER;
      for (const pair of pairs.values()) {
        next = Math.min(next, pair.nextCheck, pair.lastAnswer + CONSENT_LIFETIME, lostAt(pair));
      }
      return next;
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
