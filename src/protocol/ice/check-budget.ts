import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';

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
  /** Oldest first. */
  let sent: SentRequest[] = [];
  /** By what a bound is on, for all and for each share. */
  const counts = new Map<string, number>();

  const count = (key: string): number => counts.get(key) ?? 0;

  const add = (key: string, change: 1 | -1): void => {
    const left = count(key) + change;
    if (left > 0) counts.set(key, left);
    else counts.delete(key);
  };

  const record = ({ who, endpoint, host }: SentRequest, change: 1 | -1): void => {
    for (const scope of [endpoint, host, EVERYWHERE]) {
      add(scope, change);
      add(within(who, scope), change);
    }
  };

  const expire = (before: number): void => {
    const kept = sent.findIndex(({ at }) => at > before);
    if (kept === 0) return;
    for (const request of sent.splice(0, kept < 0 ? sent.length : kept)) record(request, -1);
  };

  const hasRoom = (who: string, scope: string, limit: number): boolean =>
    count(within(who, scope)) < limit - count(scope);

  return {
    share: (who) => ({
      take(to, now) {
        expire(now - BUDGET_PERIOD);
        const request: SentRequest = { at: now, who, endpoint: formatEndpoint(to), host: to.address };
        const fits =
          hasRoom(who, request.endpoint, CHECK_BUDGET.endpoint) &&
          hasRoom(who, request.host, CHECK_BUDGET.host) &&
          hasRoom(who, EVERYWHERE, CHECK_BUDGET.total);
        if (!fits) return false;
        sent.push(request);
        record(request, 1);
        return true;
      },
      answered(to) {
        const endpoint = formatEndpoint(to);
        if (!counts.has(within(who, endpoint))) return;
        const isProven = (request: SentRequest): boolean => request.who === who && request.endpoint === endpoint;
        for (const request of sent) if (isProven(request)) record(request, -1);
        sent = sent.filter((request) => !isProven(request));
      },
    }),
  };
}

/** No address. */
const EVERYWHERE = '*';

/** No address has a space. */
function within(who: string, scope: string): string {
  return `${scope} ${who}`;
}

interface SentRequest {
  readonly at: number;
  readonly who: string;
  readonly endpoint: string;
  readonly host: string;
}
