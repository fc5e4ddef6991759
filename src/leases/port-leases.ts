import { merge } from 'rxjs';
import { TraversalError } from '../core/errors.ts';
import type { LeaseJournal } from '../core/lease-journal.ts';
import type { PortLease, PortLeases } from '../core/port-lease.ts';
import {
  checkMappingRequest,
  type MappingRequest,
  type PortMapperEnvironment,
  type PortMapperFactory,
} from '../core/port-mapper.ts';
import { within as withinTime } from '../core/within.ts';
import type { Inspect } from '../machines/inspect.ts';
import { createLeaseBook } from './lease-book.ts';
import { leaseLogic } from './lease-logic.ts';
import { createLeaseRuntime, type LeaseRuntime } from './lease-runtime.ts';
import { createLeftovers } from './leftovers.ts';
import { type OpenPortLease, openPortLease } from './port-lease.ts';
import { createWithdrawals, type Holding } from './withdrawals.ts';

export interface PortLeasesOptions extends PortMapperEnvironment {
  /** In the order in which they are asked; at least one. */
  readonly mappers: readonly PortMapperFactory[];
  /** Where mappings are noted, so that a later process can end what this one leaves behind when it is killed. */
  readonly journal?: LeaseJournal | undefined;
  /** ms in which a mapping is to be had, and a renewal. Default 5000. */
  readonly within?: number | undefined;
  /** Sees the charts of the leases at work; absent: nothing is spent on it. */
  readonly inspect?: Inspect | undefined;
}

/** Port mappings that are kept, by whichever of the protocols is first. Throws `ERR_USAGE` without a protocol. */
export function createPortLeases(options: PortLeasesOptions): PortLeases {
  const { mappers: factories, network, clock, random, log, journal, inspect, within = DEFAULT_BUDGET } = options;
  if (factories.length === 0) throw new TraversalError('ERR_USAGE', 'leases need a protocol to map ports by');
  const ended = new AbortController();
  const mappers = factories.map((factory) => factory({ network, clock, random, log }));
  const book = createLeaseBook({ journal, random, log });
  const withdrawals = createWithdrawals({ book, clock, log, signal: ended.signal });
  const leftovers = createLeftovers({ mappers, network, book, withdrawals });
  const world = { mappers, network, clock, log, book, withdrawals, within, signal: ended.signal };
  const runtimes = new Map<string, LeaseRuntime>();
  const logic = leaseLogic(runtimes);
  /** Those that are not released yet, with the port that they keep. */
  const open = new Map<OpenPortLease, string>();
  let closing: Promise<void> | undefined;
  let count = 0;

  const restarts = merge(...mappers.map(({ restarts$ }) => restarts$)).subscribe(({ gateway }) => {
    for (const { lease, tell } of open.keys()) {
      const { current } = lease;
      const isThere = current.state === 'mapped' && current.mapping.gateway === gateway;
      if (isThere) tell({ type: 'gateway.restarted', at: clock.now() });
    }
  });

  /** A lease of the same port that is still being released would end the mapping of the next one, too. */
  function keep(request: MappingRequest): PortLease {
    const port = portOf(request);
    const before = [...open.keys()].filter((other) => open.get(other) === port);
    if (before.some((other) => !other.closing)) {
      throw new TraversalError('ERR_USAGE', `${port} is kept mapped already`);
    }
    const id = `lease-${++count}`;
    const prepare = async (): Promise<Holding | undefined> => {
      await Promise.all(before.map(({ released }) => released));
      return leftovers.claim(request);
    };
    const runtime = createLeaseRuntime(request, prepare, world);
    runtimes.set(id, runtime);
    const opened = openPortLease({ id, request, runtime, logic, clock, log, inspect });
    open.set(opened, port);
    void opened.released.then(() => {
      open.delete(opened);
      runtimes.delete(id);
    });
    return opened.lease;
  }

  async function close(): Promise<void> {
    restarts.unsubscribe();
    const released = Promise.all([...open.keys()].map(({ lease }) => lease.close()));
    await bounded('releasing mappings', async () => {
      await Promise.all([released, leftovers.settled()]);
      await withdrawals.settled();
    });
    ended.abort(closedError());
    await released;
    await bounded('closing port mappers', async () => {
      await Promise.all(mappers.map(async (mapper) => mapper.close()));
    });
  }

  async function bounded(doing: string, work: () => Promise<void>): Promise<void> {
    try {
      await withinTime(clock, doing, CLOSING, new AbortController().signal, work);
    } catch (error) {
      log('port-leases.not-closed', { error: String(error) });
    }
  }

  return {
    keep(request) {
      if (closing !== undefined) throw closedError();
      checkMappingRequest(request);
      return keep(request);
    },
    networkChanged() {
      for (const { tell } of open.keys()) tell({ type: 'network.changed', at: clock.now() });
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

function portOf({ protocol, internalPort, internalAddress }: MappingRequest): string {
  return `${protocol} port ${internalPort}${internalAddress === undefined ? '' : ` of ${internalAddress}`}`;
}

function closedError(): TraversalError {
  return new TraversalError('ERR_CLOSED', 'the port leases are closed');
}

const DEFAULT_BUDGET = 5_000;
/** ms to release all, and as many for the port mappers to close. */
const CLOSING = 3_000;
