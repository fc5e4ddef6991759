import { EMPTY, merge, type Observable } from 'rxjs';
import { TraversalError } from '../core/errors.ts';
import type { LeaseJournal } from '../core/lease-journal.ts';
import { unknownBehavior } from '../core/nat-behavior.ts';
import type { PortLease, PortLeases } from '../core/port-lease.ts';
import {
  checkMappingRequest,
  type MappingRequest,
  type PortMapperEnvironment,
  type PortMapperFactory,
} from '../core/port-mapper.ts';
import { randomInteger } from '../core/random.ts';
import type { Facts } from '../core/strategy.ts';
import { within as withinTime } from '../core/within.ts';
import type { ComposedMachine } from '../flows/index.ts';
import type { Inspect } from '../machines/inspect.ts';
import { createLeaseBook } from './lease-book.ts';
import { leaseLogic } from './lease-logic.ts';
import { createLeaseRuntime, type LeaseRuntime } from './lease-runtime.ts';
import { createLeftovers } from './leftovers.ts';
import { type OpenPortLease, openPortLease } from './port-lease.ts';
import { racedMappers } from './raced-mappers.ts';
import { createWithdrawals, type Holding } from './withdrawals.ts';

export interface PortLeasesOptions extends PortMapperEnvironment {
  /** What mappings are made by, each by another protocol; at least one. Without `map`, in the order in which they are asked. */
  readonly mappers: readonly PortMapperFactory[];
  /** How a mapping is obtained: a flow's `map`. By default all mappers are raced, with the stagger of `defaultMap`. */
  readonly map?: ComposedMachine<'mapping'> | undefined;
  /** What the strategies of `map` are chosen by, now and whenever it changes. Default: nothing is known. */
  readonly facts$?: Observable<Facts> | undefined;
  /** STUN servers that the strategies of `map` may use, `host:port`. */
  readonly stun?: (() => readonly string[]) | undefined;
  /** Where mappings are noted, so that a later process can end what this one leaves behind when it is killed. */
  readonly journal?: LeaseJournal | undefined;
  /** ms for a renewal, and without `map` for a mapping to be had. Default 5000. */
  readonly within?: number | undefined;
  /** Sees the charts of the leases at work; absent: nothing is spent on it. */
  readonly inspect?: Inspect | undefined;
}

/** Port mappings that are kept. Throws `ERR_USAGE` without a mapper, and for two mappers of the same name. */
export function createPortLeases(options: PortLeasesOptions): PortLeases {
  const { network, clock, random, log, journal, inspect, within = DEFAULT_BUDGET } = options;
  const { facts$ = EMPTY, stun = () => [] } = options;
  const ended = new AbortController();
  const mappers = options.mappers.map((factory) => factory({ network, clock, random, log }));
  const {
    map = racedMappers(
      mappers.map(({ name }) => name),
      within,
    ),
  } = options;
  const book = createLeaseBook({ journal, random, log });
  const withdrawals = createWithdrawals({ book, clock, log, signal: ended.signal });
  const leftovers = createLeftovers({ mappers, network, book, withdrawals });
  const world = { mappers, network, clock, random, log, book, withdrawals, stun, within, signal: ended.signal };
  const runtimes = new Map<string, LeaseRuntime>();
  const logic = leaseLogic(map, runtimes);
  /** Those that are not released yet, with the port that they keep. */
  const open = new Map<OpenPortLease, string>();
  let facts = NOTHING_KNOWN;
  let closing: Promise<void> | undefined;
  let count = 0;

  const restarts = merge(...mappers.map(({ restarts$ }) => restarts$)).subscribe(({ gateway }) => {
    for (const { lease, tell } of open.keys()) {
      const { current } = lease;
      const isThere = current.state === 'mapped' && current.mapping.gateway === gateway;
      if (isThere) tell({ type: 'gateway.restarted', at: clock.now() });
    }
  });

  const learning = facts$.subscribe((known) => {
    facts = known;
    for (const { tell } of open.keys()) tell({ type: 'facts.changed', facts });
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
    const input = { id, facts, jitter: randomInteger(random, 1001) / 1000 };
    const opened = openPortLease({ input, request, runtime, logic, clock, log, inspect });
    open.set(opened, port);
    void opened.released.then(() => {
      open.delete(opened);
      runtimes.delete(id);
    });
    return opened.lease;
  }

  async function close(): Promise<void> {
    restarts.unsubscribe();
    learning.unsubscribe();
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
    journal?.close?.();
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

/** Of leases that are used without a peer. */
const NOTHING_KNOWN: Facts = {
  role: 'listener',
  policy: 'relay-first',
  local: [],
  remote: [],
  behaviors: { mine: unknownBehavior, theirs: unknownBehavior },
};

const DEFAULT_BUDGET = 5_000;
/** ms to release all, and as many for the port mappers to close. */
const CLOSING = 3_000;
