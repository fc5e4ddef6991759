import type { LeaseJournal } from '../../core/lease-journal.ts';
import type { Mapping } from '../../core/port-mapper.ts';
import type { Host } from '../../sim/host.ts';

/** What one program of a simulated host notes. */
export interface SimLeaseJournal extends LeaseJournal {
  /** The program ends: what is still noted is for the next one. A restart of the host ends all that run. */
  close(): void;
}

/** Mappings that programs of a simulated host have noted, in place of the files of a real one: they outlive the programs. */
export function simLeaseJournal(host: Host): SimLeaseJournal {
  const { running, ended } = notesOf(host);
  const own: Notes = new Map();
  running.add(own);
  return {
    async takeLeftovers() {
      const leftovers = ended.flatMap((notes) => [...notes.values()]);
      ended.length = 0;
      return leftovers;
    },
    async note(key, mapping) {
      own.set(key, mapping);
    },
    async strike(key) {
      own.delete(key);
    },
    close() {
      if (running.delete(own)) ended.push(own);
    },
  };
}

type Notes = Map<string, Mapping>;

interface HostNotes {
  readonly running: Set<Notes>;
  readonly ended: Notes[];
}

const byHost = new WeakMap<Host, HostNotes>();

function notesOf(host: Host): HostNotes {
  const known = byHost.get(host);
  if (known !== undefined) return known;
  const notes: HostNotes = { running: new Set(), ended: [] };
  byHost.set(host, notes);
  host.serve(() => {
    notes.ended.push(...notes.running);
    notes.running.clear();
  });
  return notes;
}
