import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { SentLedger } from '../../core/sent-ledger.ts';

/** Requests in any {@link BUDGET_PERIOD} to one transport address, to one IP address, and to all together. */
export const CHECK_BUDGET = { endpoint: 64, host: 256, total: 2000 } as const;

/** ms. */
export const BUDGET_PERIOD = 10_000;

/** What an agent may still send to addresses that have not answered. */
export interface CheckBudget {
  /** Whether one more request may leave; if so it counts. `now` is in ms and never goes back. */
  take(to: Endpoint, now: number): boolean;
  /** The address has answered with valid credentials, so what this share has sent to it counts no more. */
  answered(to: Endpoint): void;
}

/**
 * What the agents of a peer may send to addresses that have not answered, all agents together: the other sides name
 * these addresses, and none of them, nor all in concert, is to aim a peer at a third party (RFC 8445 section 19.5.1).
 *
 * Nobody may use it up, either: whatever a bound is on, nobody takes more of it than is left. So one alone gets half,
 * and who comes after others still gets half of what those have left.
 */
export interface SharedCheckBudget {
  /** The share of those on whose word requests are sent. All shares of one name are one. */
  share(who: string): CheckBudget;
}

/** Remembers at most `CHECK_BUDGET.total` requests. */
export function createCheckBudget(): SharedCheckBudget {
  const ledger = new SentLedger(BUDGET_PERIOD);
  return {
    share: (who) => ({
      take(to, now) {
        ledger.expire(now);
        const endpoint = formatEndpoint(to);
        const fits =
          ledger.leavesEnough(who, endpoint, CHECK_BUDGET.endpoint) &&
          ledger.leavesEnough(who, to.address, CHECK_BUDGET.host) &&
          ledger.leavesEnough(who, EVERYWHERE, CHECK_BUDGET.total);
        if (fits) ledger.add({ at: now, who, scopes: [endpoint, to.address, EVERYWHERE] });
        return fits;
      },
      answered: (to) => ledger.forget(who, formatEndpoint(to)),
    }),
  };
}

/** No address. */
const EVERYWHERE = '*';
