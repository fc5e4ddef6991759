import { onTestFinished } from 'vitest';
import type { LeaseJournal } from '../../src/core/lease-journal.ts';
import type { PortLease, PortLeases } from '../../src/core/port-lease.ts';
import type { Mapping, MappingRequest } from '../../src/core/port-mapper.ts';
import { createPortLeases, type PortLeasesOptions } from '../../src/leases/port-leases.ts';
import type { FakeMapper } from '../adapters/port-mapper/fake-mapper.ts';
import { type MemoryNetwork, memoryNetwork, settled } from '../adapters/port-mapper/memory-network.ts';
import { type ManualClock, manualClock } from '../manual-clock.ts';
import { seededRandom } from '../seeded-random.ts';

/** A journal in memory. */
export interface MemoryJournal extends LeaseJournal {
  /** What a later process would find. */
  readonly noted: Map<string, Mapping>;
  leftovers: readonly Mapping[];
  /** Whether every call fails. */
  broken: boolean;
}

/** Leases of a host that has 192.168.1.2, in virtual time; closed at the end of the test. */
export interface LeaseWorld {
  readonly clock: ManualClock;
  readonly network: MemoryNetwork;
  readonly journal: MemoryJournal;
  readonly leases: PortLeases;
  /** Events of the log, in their order. */
  readonly logged: string[];
  /** Lets `ms` pass, with all that happens in between. */
  pass(ms: number): Promise<void>;
  /** Keeps UDP port 5000 unless told otherwise, and gives the lease once what needs no time has happened. */
  keep(request?: Partial<MappingRequest>): Promise<PortLease>;
}

export function leaseWorld(...fakes: readonly FakeMapper[]): LeaseWorld {
  return leaseWorldWith({}, ...fakes);
}

/** The same with other options of the leases. */
export function leaseWorldWith(options: Partial<PortLeasesOptions>, ...fakes: readonly FakeMapper[]): LeaseWorld {
  const [clock, network, journal] = [manualClock(), memoryNetwork(), memoryJournal()];
  network.addresses = [{ name: 'eth0', address: '192.168.1.2', family: 4, internal: false }];
  const logged: string[] = [];
  const leases = createPortLeases({
    mappers: fakes.map(({ factory }) => factory),
    network,
    clock,
    random: seededRandom(1),
    log: (event) => logged.push(event),
    journal,
    ...options,
  });

  async function pass(ms: number): Promise<void> {
    await settled();
    clock.advance(ms);
    await settled();
  }

  onTestFinished(async () => {
    const closed = leases.close();
    await pass(3_000);
    await pass(3_000);
    await closed;
  });
  return {
    clock,
    network,
    journal,
    leases,
    logged,
    pass,
    async keep(request) {
      const lease = leases.keep({ protocol: 'udp', internalPort: 5000, ...request });
      await settled();
      return lease;
    },
  };
}

function memoryJournal(): MemoryJournal {
  const noted = new Map<string, Mapping>();
  const check = (): void => {
    if (journal.broken) throw new Error('the disk is full');
  };
  const journal: MemoryJournal = {
    noted,
    leftovers: [],
    broken: false,
    async takeLeftovers() {
      check();
      const { leftovers } = journal;
      journal.leftovers = [];
      return leftovers;
    },
    async note(key, mapping) {
      check();
      noted.set(key, mapping);
    },
    async strike(key) {
      check();
      noted.delete(key);
    },
  };
  return journal;
}
