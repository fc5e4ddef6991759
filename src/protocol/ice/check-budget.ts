import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';

/** Requests in any {@link BUDGET_PERIOD} to one transport address, to one IP address, and to all together. */
export const CHECK_BUDGET = { endpoint: 64, host: 256, total: 2000 } as const;

/** ms. */
export const BUDGET_PERIOD = 10_000;

/**
 * What the agents of a peer may send to addresses that have not answered, all agents together: the other sides name these
 * addresses, and none of them, nor all in concert, is to aim a peer at a third party (RFC 8445 section 19.5.1).
 */
export interface CheckBudget {
  /** Whether one more request may leave; if so it counts. `now` is in ms and never goes back. */
  take(to: Endpoint, now: number): boolean;
  /** The address has answered with valid credentials, so what was sent to it counts no more. */
  answered(to: Endpoint): void;
}

/** Remembers at most `CHECK_BUDGET.total` requests. */
export function createCheckBudget(): CheckBudget {
  /** Oldest first. */
  let sent: Request[] = [];
  const counts = new Map<string, number>();

  const count = (key: string): number => counts.get(key) ?? 0;

  const add = (key: string, change: 1 | -1): void => {
    const left = count(key) + change;
    if (left > 0) counts.set(key, left);
    else counts.delete(key);
  };

  const forget = ({ endpoint, host }: Request): void => {
    add(endpoint, -1);
    add(host, -1);
  };

  const expire = (before: number): void => {
    const kept = sent.findIndex(({ at }) => at > before);
    if (kept === 0) return;
    for (const request of sent.splice(0, kept < 0 ? sent.length : kept)) forget(request);
  };

  return {
    take(to, now) {
      expire(now - BUDGET_PERIOD);
      const request: Request = { at: now, endpoint: formatEndpoint(to), host: to.address };
      const spent =
        sent.length >= CHECK_BUDGET.total ||
        count(request.endpoint) >= CHECK_BUDGET.endpoint ||
        count(request.host) >= CHECK_BUDGET.host;
      if (spent) return false;
      sent.push(request);
      add(request.endpoint, 1);
      add(request.host, 1);
      return true;
    },
    answered(to) {
      const endpoint = formatEndpoint(to);
      if (!counts.has(endpoint)) return;
      for (const request of sent) if (request.endpoint === endpoint) forget(request);
      sent = sent.filter((request) => request.endpoint !== endpoint);
    },
  };
}

interface Request {
  readonly at: number;
  readonly endpoint: string;
  readonly host: string;
}
