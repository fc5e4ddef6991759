import { SentLedger } from '../../core/sent-ledger.ts';
import { sourceNetwork } from '../../core/source-network.ts';

/** Probes in any {@link PROBE_PERIOD} to one IP address, to one network (IPv4 /24, IPv6 /64), and to all together. */
export const PROBE_BUDGET = { address: 1_300, network: 2_600, total: 5_200 } as const;

/** ms. */
export const PROBE_PERIOD = 60_000;

/** What may still be sent in probes that nobody has asked for. */
export interface ProbeBudget {
  /** Whether one more probe may go to this IP address; if so it counts. `now` is in ms and never goes back. */
  take(address: string, now: number): boolean;
}

/**
 * What a peer may send in probes, all its connections together: the other sides name the addresses, and none of them, nor all in concert,
 * is to aim more than this at a third party.
 *
 * Of a network, and of all there is, nobody takes more than is left to others: so one alone has enough for all that an address may get, and
 * another beside it does, too, in another network.
 */
export interface SharedProbeBudget {
  /** The share of those on whose word probes are sent. All shares of one name are one. */
  share(who: string): ProbeBudget;
}

/** Remembers at most `PROBE_BUDGET.total` probes. */
export function createProbeBudget(): SharedProbeBudget {
  const ledger = new SentLedger(PROBE_PERIOD);
  return {
    share: (who) => ({
      take(address, now) {
        ledger.expire(now);
        const network = sourceNetwork(address, 24);
        const fits =
          ledger.countOf(address) < PROBE_BUDGET.address &&
          ledger.leavesEnough(who, network, PROBE_BUDGET.network) &&
          ledger.leavesEnough(who, EVERYWHERE, PROBE_BUDGET.total);
        if (fits) ledger.add({ at: now, who, scopes: [address, network, EVERYWHERE] });
        return fits;
      },
    }),
  };
}

/** No address, and no network. */
const EVERYWHERE = '*';
