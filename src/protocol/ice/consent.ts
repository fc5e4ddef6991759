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

export interface ConsentOptions {
  readonly random: Random;
  readonly lostAfter: number;
  /** Whether the other side is known to take turns. */
  readonly pace: keyof typeof INTERVAL;
}

export function createConsent(options: ConsentOptions): Consent {
  return new PairConsent(options);
}

class PairConsent implements Consent {
  readonly #random: Random;
  readonly #lostAfter: number;
  readonly #pace: keyof typeof INTERVAL;
  readonly #pairs = new Map<string, Freshness>();
  #used: readonly string[] = [];
  #kept: readonly string[] | undefined;

  constructor({ random, lostAfter, pace }: ConsentOptions) {
    this.#random = random;
    this.#lostAfter = lostAfter;
    this.#pace = pace;
  }

  start(pairId: string, now: number): void {
    this.#pairs.set(pairId, { lastAnswer: now, nextCheck: this.#afterAnswer(pairId, now), probes: 0 });
  }

  stop(pairId: string): void {
    this.#pairs.delete(pairId);
  }

  use(pairIds: readonly string[], now: number): void {
    const before = this.#used;
    this.#used = pairIds;
    for (const [pairId, pair] of this.#pairs) {
      if (this.isUsed(pairId) && !before.includes(pairId))
        pair.nextCheck = Math.min(pair.nextCheck, this.#schedule(pairId, now, 0.8, 1.2));
    }
  }

  isUsed(pairId: string): boolean {
    return this.#used.includes(pairId);
  }

  keep(pairIds: readonly string[] | undefined): void {
    this.#kept = pairIds;
    for (const [pairId, pair] of this.#pairs) {
      if (!this.#isAsked(pairId)) {
        if (pair.firstUnanswered === undefined) pair.nextCheck = NEVER;
      } else if (pair.nextCheck === NEVER) {
        pair.nextCheck = this.#schedule(pairId, pair.lastAnswer, 0.8, 1.2);
      }
    }
  }

  hurry(pairId: string, now: number): void {
    const pair = this.#pairs.get(pairId);
    if (pair !== undefined && pair.firstUnanswered === undefined) pair.nextCheck = now;
  }

  answered(pairId: string, now: number): void {
    const pair = this.#pairs.get(pairId);
    if (pair === undefined) return;
    pair.lastAnswer = now;
    pair.nextCheck = this.#afterAnswer(pairId, now);
    pair.firstUnanswered = undefined;
    pair.probes = 0;
  }

  heard(pairId: string, now: number): void {
    const pair = this.#pairs.get(pairId);
    if (this.#pace === 'alone' || pair === undefined) return;
    // What is unanswered, or due already, is not put off.
    if (pair.firstUnanswered !== undefined || pair.nextCheck <= now || pair.nextCheck === NEVER) return;
    // Who asks all the time must not keep us from asking.
    const latest = pair.lastAnswer + 2 * this.#basicInterval(pairId);
    pair.nextCheck = Math.min(this.#schedule(pairId, now, 0.8, 1), latest);
  }

  take(now: number): readonly ConsentStep[] {
    const steps: ConsentStep[] = [];
    for (const [pairId, pair] of this.#pairs) {
      if (now >= this.#lostAt(pair)) {
        steps.push({ type: 'lost', pairId, reason: 'unanswered' });
        this.#pairs.delete(pairId);
      } else if (now >= pair.lastAnswer + CONSENT_LIFETIME) {
        steps.push({ type: 'lost', pairId, reason: this.#isAsked(pairId) ? 'consent-expired' : 'superseded' });
        this.#pairs.delete(pairId);
      } else if (now >= pair.nextCheck) {
        steps.push({ type: 'check', pairId });
        pair.firstUnanswered ??= now;
        pair.probes++;
        pair.nextCheck = now + PROBE_INTERVAL;
        if (pair.probes === LEAST_PROBES) steps.push({ type: 'doubtful', pairId });
      }
    }
    return steps;
  }

  nextAt(): number {
    let next = NEVER;
    for (const pair of this.#pairs.values()) {
      next = Math.min(next, pair.nextCheck, pair.lastAnswer + CONSENT_LIFETIME, this.#lostAt(pair));
    }
    return next;
  }

  #isAsked(pairId: string): boolean {
    return this.#kept === undefined || this.#kept.includes(pairId) || this.isUsed(pairId);
  }

  #basicInterval(pairId: string): number {
    return INTERVAL[this.#pace][this.isUsed(pairId) ? 'used' : 'standby'];
  }

  #afterAnswer(pairId: string, now: number): number {
    return this.#isAsked(pairId) ? this.#schedule(pairId, now, this.#pace === 'turns' ? 1 : 0.8, 1.2) : NEVER;
  }

  /**
   * `least` to `most` x the basic interval from then, by chance, so that not all checks fall on one point of the grid.
   */
  #schedule(pairId: string, from: number, least: number, most: number): number {
    const interval = this.#basicInterval(pairId);
    const earliest = from + least * interval;
    const at = earliest + ((most - least) * interval * randomInteger(this.#random, 1001)) / 1000;
    return GRID * Math.max(Math.floor(at / GRID), Math.ceil(earliest / GRID));
  }

  /** When a pair is lost unless it answers. */
  #lostAt({ firstUnanswered, probes }: Freshness): number {
    if (firstUnanswered === undefined || probes < LEAST_PROBES) return NEVER;
    return firstUnanswered + this.#lostAfter;
  }
}

interface Freshness {
  lastAnswer: number;
  nextCheck: number;
  /** When the first check since the last answer was sent. */
  firstUnanswered?: number | undefined;
  /** Checks sent since the last answer. */
  probes: number;
}
