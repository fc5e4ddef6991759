import { toHex } from '../core/hex.ts';
import type { LeaseJournal } from '../core/lease-journal.ts';
import type { Log } from '../core/log.ts';
import type { Mapping } from '../core/port-mapper.ts';
import type { Random } from '../core/random.ts';

/** A journal, if there is one, whose failures are logged: nothing here rejects, since mappings are kept all the same. */
export interface LeaseBook {
  takeLeftovers(): Promise<readonly Mapping[]>;
  /** Notes a mapping under a new key, and gives that. */
  enter(mapping: Mapping): Promise<string>;
  note(key: string, mapping: Mapping): Promise<void>;
  strike(key: string): Promise<void>;
}

export interface LeaseBookOptions {
  readonly journal: LeaseJournal | undefined;
  readonly random: Random;
  readonly log: Log;
}

export function createLeaseBook({ journal, random, log }: LeaseBookOptions): LeaseBook {
  async function attempt<T>(doing: string, work: Promise<T> | undefined): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      log('lease.journal-failed', { doing, error: String(error) });
      return undefined;
    }
  }

  const note = (key: string, mapping: Mapping): Promise<void> => attempt('note', journal?.note(key, mapping));
  return {
    takeLeftovers: async () => (await attempt('takeLeftovers', journal?.takeLeftovers())) ?? [],
    async enter(mapping) {
      const key = toHex(random.bytes(8));
      await note(key, mapping);
      return key;
    },
    note,
    strike: (key) => attempt('strike', journal?.strike(key)),
  };
}
