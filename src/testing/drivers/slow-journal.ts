import type { Clock } from '../../core/clock.ts';
import type { LeaseJournal } from '../../core/lease-journal.ts';
import { pause } from '../../core/pause.ts';

/** The same journal on a disk that is busy: what is read and written takes its time. */
export function slowJournal(journal: LeaseJournal, clock: Clock): LeaseJournal {
  const slowly = async <T>(work: () => Promise<T>): Promise<T> => {
    await pause(clock, DISK);
    return work();
  };
  return {
    takeLeftovers: () => slowly(() => journal.takeLeftovers()),
    note: (key, mapping) => slowly(() => journal.note(key, mapping)),
    strike: (key) => slowly(() => journal.strike(key)),
    close: () => journal.close?.(),
  };
}

/** ms. */
const DISK = 50;
