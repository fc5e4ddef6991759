import type { Clock } from '../core/clock.ts';
import { formatEndpoint } from '../core/endpoint.ts';
import { asTraversalError, type ErrorCode } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Mapping, PortMapper } from '../core/port-mapper.ts';
import { within } from '../core/within.ts';
import type { LeaseBook } from './lease-book.ts';

/** A mapping that stands, or may: who made it and so can end it, and where it is noted. */
export interface Holding {
  readonly key: string;
  readonly mapping: Mapping;
  readonly maker: PortMapper;
}

/** Ends mappings. What the gateway could not be told stays noted, for a later process. */
export interface Withdrawals {
  /** Whether the gateway was told. Never rejects. */
  end(holding: Holding): Promise<boolean>;
  /** The same for one that is not noted yet. */
  discard(mapping: Mapping, maker: PortMapper): Promise<boolean>;
  /** Fulfils when none is under way. */
  settled(): Promise<void>;
}

export interface WithdrawalsOptions {
  readonly book: LeaseBook;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends those that are under way. */
  readonly signal: AbortSignal;
}

export function createWithdrawals({ book, clock, log, signal }: WithdrawalsOptions): Withdrawals {
  const working = new Set<Promise<boolean>>();

  async function release({ key, mapping, maker }: Holding): Promise<boolean> {
    try {
      await within(clock, 'releasing a mapping', LONGEST, signal, (stop) => maker.release(mapping, { signal: stop }));
    } catch (error) {
      const { code, message } = asTraversalError(error, 'ERR_NETWORK');
      log('lease.not-released', { via: mapping.via, external: formatEndpoint(mapping.external), code, message });
      // What the gateway refuses now it refuses later.
      if (!DENIALS.has(code)) return false;
    }
    await book.strike(key);
    return true;
  }

  function track(work: Promise<boolean>): Promise<boolean> {
    working.add(work);
    return work.finally(() => working.delete(work));
  }

  return {
    end: (holding) => track(release(holding)),
    discard: (mapping, maker) => track(book.enter(mapping).then((key) => release({ key, mapping, maker }))),
    async settled() {
      while (working.size > 0) await Promise.all(working);
    },
  };
}

/** ms: UPnP may have to search for the gateway again. */
const LONGEST = 10_000;

const DENIALS: ReadonlySet<ErrorCode> = new Set([
  'ERR_MAPPING_REFUSED',
  'ERR_MAPPING_EXHAUSTED',
  'ERR_MAPPING_CONFLICT',
]);
