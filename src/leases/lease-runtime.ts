import type { Clock } from '../core/clock.ts';
import { formatEndpoint } from '../core/endpoint.ts';
import { asTraversalError, TraversalError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Network } from '../core/network.ts';
import type { MappingAttempt } from '../core/port-lease.ts';
import type { Mapping, MappingRequest, PortMapper } from '../core/port-mapper.ts';
import { within } from '../core/within.ts';
import type { LeaseEvent } from '../machines/lease.ts';
import { isReplacedBy, isSamePort } from './gateway-entry.ts';
import type { LeaseBook } from './lease-book.ts';
import { MapperRaceError, type MapperWin, raceMappers } from './mapper-race.ts';
import type { Holding, Withdrawals } from './withdrawals.ts';

/** What stands behind the actors of one lease: each begins at once, tells the chart what came of it, and gives what stops it. */
export interface LeaseRuntime {
  race(send: SendFact): () => void;
  renew(send: SendFact): () => void;
  release(send: SendFact): () => void;
  /** Of the last race that came to nothing. */
  readonly failure: TraversalError | undefined;
}

export type SendFact = (event: LeaseEvent) => void;

/** What all leases share. */
export interface LeaseWorld {
  /** In the order in which they are asked. */
  readonly mappers: readonly PortMapper[];
  readonly network: Pick<Network, 'interfaces'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly book: LeaseBook;
  readonly withdrawals: Withdrawals;
  /** ms for a race, or a renewal. */
  readonly within: number;
  /** Ends all that is under way. */
  readonly signal: AbortSignal;
}

/** `prepare` clears the port of what earlier leases have left, and gives the one to go on with, if there is one. */
export function createLeaseRuntime(
  request: MappingRequest,
  prepare: () => Promise<Holding | undefined>,
  world: LeaseWorld,
): LeaseRuntime {
  const { mappers, network, clock, log, book, withdrawals } = world;
  const hurry = new AbortController();
  const cleaning = new Set<Promise<boolean>>();
  let prepared = false;
  /** What stands at the gateway, or did when it was last heard of. */
  let held: Holding | undefined;
  /** The race or renewal under way, and those that lost a race and have not ended yet; neither rejects. */
  let busy = Promise.resolve();
  let losers = Promise.resolve();
  let failure: TraversalError | undefined;

  async function obtain(signal: AbortSignal): Promise<LeaseEvent> {
    if (!prepared) {
      prepared = true;
      held = await prepare();
      const takenOver = held && !signal.aborted && (await takeOver(held));
      if (takenOver) return takenOver;
    }
    const race = raceMappers({
      mappers: winnerFirst(),
      request,
      clock,
      within: world.within,
      signal,
      discard: (late, maker) => clean(withdrawals.discard(late, maker)),
    });
    losers = race.settled;
    try {
      const win = await race.winner;
      const { mapping, attempts, contested } = win;
      const replaces = await hold(win);
      return { type: 'mapping.obtained', mapping, attempts, contested: contested || replaces, at: clock.now() };
    } catch (error) {
      failure = asTraversalError(error, 'ERR_MAPPING_UNAVAILABLE');
      return { type: 'mapping.failed', attempts: failure instanceof MapperRaceError ? failure.attempts : [] };
    }
  }

  /** A renewal proves that it stands; one that fails leaves it to the race to replace it. */
  async function takeOver({ mapping: { via } }: Holding): Promise<LeaseEvent | undefined> {
    const startedAt = clock.now();
    try {
      const mapping = await extend();
      const reason = `left by a process that ended: ${formatEndpoint(mapping.external)} leads to ${formatEndpoint(mapping.internal)}`;
      const attempts: MappingAttempt[] = [{ via, reason, startedAt, endedAt: clock.now() }];
      return { type: 'mapping.obtained', mapping, attempts, contested: false, at: clock.now() };
    } catch (error) {
      log('lease.not-taken-over', { via, error: String(error) });
      return undefined;
    }
  }

  /** Who won the last time goes first. */
  function winnerFirst(): readonly PortMapper[] {
    const last = held?.maker;
    return last === undefined ? mappers : [last, ...mappers.filter((mapper) => mapper !== last)];
  }

  /** Whether what was held before is being ended at the same gateway and port, which may take the new one along. */
  async function hold({ mapping, maker }: MapperWin): Promise<boolean> {
    const before = held;
    if (before !== undefined && isReplacedBy(before.mapping, mapping)) {
      held = { key: before.key, mapping, maker };
      await book.note(before.key, mapping);
      return false;
    }
    held = { key: await book.enter(mapping), mapping, maker };
    if (before === undefined) return false;
    clean(withdrawals.end(before));
    return isSamePort(before.mapping, mapping);
  }

  async function extend(): Promise<Mapping> {
    const { key, mapping, maker } = held!;
    const { address } = mapping.internal;
    if (!network.interfaces().some((own) => own.address === address)) {
      throw new TraversalError('ERR_USAGE', `${address} is not an address of this host any more`);
    }
    const signal = AbortSignal.any([hurry.signal, world.signal]);
    const renewed = await within(clock, 'renewing a mapping', world.within, signal, (stop) =>
      maker.renew(mapping, { signal: stop }),
    );
    held = { key, mapping: renewed, maker };
    await book.note(key, renewed);
    return renewed;
  }

  function clean(work: Promise<boolean>): void {
    cleaning.add(work);
    void work.finally(() => cleaning.delete(work));
  }

  /** What is under way may still obtain something: it is waited for, but not for long. */
  async function finish(): Promise<void> {
    const finishing = busy.then(() => losers);
    await within(clock, 'finishing', FINISHING, world.signal, () => finishing).catch((error) => {
      log('lease.cut-short', { error: String(error) });
      hurry.abort(new TraversalError('ERR_ABORTED', 'the lease is being released'));
    });
    if (held !== undefined) clean(withdrawals.end(held));
    await Promise.all(cleaning);
  }

  return {
    get failure() {
      return failure;
    },
    race(send) {
      const stop = new AbortController();
      busy = obtain(stop.signal).then(send);
      return () => stop.abort();
    },
    renew(send) {
      busy = extend().then(
        (mapping) => send({ type: 'mapping.renewed', mapping, at: clock.now() }),
        (error) => {
          const { code, message } = asTraversalError(error, 'ERR_NETWORK');
          log('lease.not-renewed', { code, message });
          send({ type: 'renewal.failed', code, at: clock.now() });
        },
      );
      return () => {};
    },
    release(send) {
      void within(clock, 'releasing a mapping', RELEASING, world.signal, finish)
        .catch((error) => log('lease.not-released', { error: String(error) }))
        .then(() => send({ type: 'mapping.released' }));
      return () => {};
    },
  };
}

/** ms for what is under way when the lease is closed, and for all of its release. */
const FINISHING = 1_000;
const RELEASING = 3_000;
