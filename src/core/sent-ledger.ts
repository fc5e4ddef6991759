/**
 * What was sent in the last `period` ms, counted by scope (an address, a network, everywhere), for all together and for each of those on
 * whose word it was. `now` is in ms and never goes back.
 */
export class SentLedger {
  readonly #period: number;
  /** Oldest first. */
  #sent: Sent[] = [];
  /** By scope, for all and for each. */
  readonly #counts = new Map<string, number>();

  constructor(period: number) {
    this.#period = period;
  }

  /** Notes one packet. */
  add(sent: Sent): void {
    this.#sent.push(sent);
    this.#count(sent, 1);
  }

  /** Packets of all in a scope. */
  countOf(scope: string): number {
    return this.#counts.get(scope) ?? 0;
  }

  /** Whether `who`, with one packet more, takes no more of what a scope is limited to than it leaves to others. */
  leavesEnough(who: string, scope: string, limit: number): boolean {
    return this.countOf(of(who, scope)) < limit - this.countOf(scope);
  }

  /** Forgets what is older than the period. */
  expire(now: number): void {
    const kept = this.#sent.findIndex(({ at }) => at > now - this.#period);
    if (kept === 0) return;
    for (const sent of this.#sent.splice(0, kept < 0 ? this.#sent.length : kept)) this.#count(sent, -1);
  }

  /** Forgets what was sent in a scope on the word of `who`. */
  forget(who: string, scope: string): void {
    if (!this.#counts.has(of(who, scope))) return;
    const isMeant = (sent: Sent): boolean => sent.who === who && sent.scopes.includes(scope);
    for (const sent of this.#sent) if (isMeant(sent)) this.#count(sent, -1);
    this.#sent = this.#sent.filter((sent) => !isMeant(sent));
  }

  #count({ who, scopes }: Sent, change: 1 | -1): void {
    for (const scope of scopes) {
      this.#change(scope, change);
      this.#change(of(who, scope), change);
    }
  }

  #change(key: string, change: 1 | -1): void {
    const left = this.countOf(key) + change;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }
}

/** One packet. */
export interface Sent {
  /** ms. */
  readonly at: number;
  /** On whose word it was sent. */
  readonly who: string;
  /** All that it counts in; none has a space. */
  readonly scopes: readonly string[];
}

function of(who: string, scope: string): string {
  return `${scope} ${who}`;
}
