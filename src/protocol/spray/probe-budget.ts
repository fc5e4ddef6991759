/** Probes to one address in any {@link PROBE_PERIOD}, of all connections of a peer together. */
export const PROBES_PER_ADDRESS = 1_300;

/** ms. */
export const PROBE_PERIOD = 60_000;

/**
 * What a peer may send in probes that nobody has asked for. The other sides name the addresses, so that a bound on each address holds
 * for all of them in concert: whoever is in the session can aim a peer at a third party with so many packets, and no more.
 */
export interface ProbeBudget {
  /** Whether one more probe may go to this IP address; if so it counts. `now` is in ms and never goes back. */
  take(address: string, now: number): boolean;
}

/** Remembers addresses for {@link PROBE_PERIOD}, and each takes a probe: their number is bounded by what a peer sends. */
export function createProbeBudget(): ProbeBudget {
  return new PeriodicBudget();
}

class PeriodicBudget implements ProbeBudget {
  /** The one whose period began first is first. */
  readonly #periods = new Map<string, { readonly since: number; sent: number }>();

  take(address: string, now: number): boolean {
    this.#expire(now);
    let period = this.#periods.get(address);
    if (period === undefined) {
      period = { since: now, sent: 0 };
      this.#periods.set(address, period);
    }
    if (period.sent >= PROBES_PER_ADDRESS) return false;
    period.sent++;
    return true;
  }

  #expire(now: number): void {
    for (const [address, { since }] of this.#periods) {
      if (now - since < PROBE_PERIOD) return;
      this.#periods.delete(address);
    }
  }
}
