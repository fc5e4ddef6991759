import type { Mapping } from './port-mapper.ts';

/** Remembers mappings beyond the life of the process, so that the next one can end what a killed one left behind. */
export interface LeaseJournal {
  /** Takes over what ended processes of this user have left: each mapping is given to one process only, and once. */
  takeLeftovers(): Promise<readonly Mapping[]>;
  /** Notes a mapping, or that it has changed: `key` is the lease's own. */
  note(key: string, mapping: Mapping): Promise<void>;
  /** The mapping has been released. */
  strike(key: string): Promise<void>;
  /** Nothing is noted here any more; what still is, is for a later process. Absent: the end of the process says so. */
  close?(): void;
}
