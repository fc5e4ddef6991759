import { formatEndpoint } from '../core/endpoint.ts';
import { asTraversalError, TraversalError } from '../core/errors.ts';
import type { MappingAttempt } from '../core/port-lease.ts';
import type { Mapping, MappingRequest, PortMapper } from '../core/port-mapper.ts';
import { within } from '../core/within.ts';
import type { RunWorld, StrategyHost } from '../flows/index.ts';
import type { LeaseEvent } from '../machines/lease.ts';
import { isReplacedBy, isSamePort } from './gateway-entry.ts';
import type { LeaseBook } from './lease-book.ts';
import { asMappingOutcome, disowned, mappingAttempts, mappingError } from './mapping-outcome.ts';
import { type Made, MappingRuns } from './mapping-runs.ts';
import type { Holding, Withdrawals } from './withdrawals.ts';

/** What stands behind the actors of one lease: each begins at once, tells the chart what came of it, and gives what stops it. */
export interface LeaseRuntime {
  claim(send: SendFact): () => void;
  /** `outcome`: what the race gave. */
  note(outcome: unknown, send: SendFact): () => void;
  renew(send: SendFact): () => void;
  release(send: SendFact): () => void;
  /** Runs the strategies of the race. */
  readonly host: StrategyHost;
  /** Of the last race that came to nothing. */
  readonly failure: TraversalError | undefined;
}

export type SendFact = (event: LeaseEvent) => void;

/** What all leases share. */
export interface LeaseWorld extends RunWorld {
  readonly mappers: readonly PortMapper[];
  readonly book: LeaseBook;
  readonly withdrawals: Withdrawals;
  /** STUN servers that are known by now, `host:port`. */
  readonly stun: () => readonly string[];
  /** ms for a renewal. */
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
  const { mappers, network, clock, log, book, withdrawals, stun } = world;
  const hurry = new AbortController();
  const cleaning = new Set<Promise<boolean>>();
  const discard = (mapping: Mapping, maker: PortMapper): void => clean(withdrawals.discard(mapping, maker));
  const runs = new MappingRuns({ request, mappers, world, stun, discard });
  /** What stands at the gateway, or did when it was last heard of. */
  let held: Holding | undefined;
  /** Whether the entry at the gateway may be in the name of one that lost the race, and not be ended by the winner. */
  let isDoubted = false;
  /** What is being taken over, noted or renewed; never rejects. */
  let busy = Promise.resolve();
  let failure: TraversalError | undefined;

  async function takeOver(signal: AbortSignal): Promise<LeaseEvent> {
    held = await prepare();
    if (held === undefined || signal.aborted) return { type: 'leftovers.cleared' };
    const { via } = held.mapping;
    const startedAt = clock.now();
    try {
      // A renewal proves that it stands; one that fails leaves it to the race to replace it.
      const mapping = await extend();
      const reason = `left by a process that ended: ${formatEndpoint(mapping.external)} leads to ${formatEndpoint(mapping.internal)}`;
      const attempts: MappingAttempt[] = [{ via, reason, startedAt, endedAt: clock.now() }];
      return { type: 'mapping.obtained', mapping, strategy: via, attempts, contested: false, at: clock.now() };
    } catch (error) {
      log('lease.not-taken-over', { via, error: String(error) });
      return { type: 'leftovers.cleared' };
    }
  }

  async function conclude(given: unknown): Promise<LeaseEvent> {
    const outcome = asMappingOutcome(given);
    const { won, contested, times } = runs.conclude(outcome.ok ? outcome.mapping : undefined);
    if (!outcome.ok || won === undefined) {
      const { attempts: tried, reason } = outcome.ok ? disowned(outcome) : outcome;
      const attempts = mappingAttempts(tried, times, clock.now());
      failure = mappingError(attempts, reason);
      return { type: 'mapping.failed', attempts };
    }
    const attempts = mappingAttempts(outcome.attempts, times, clock.now());
    isDoubted = (await hold(won)) || contested;
    const { mapping } = won;
    const { strategy } = outcome;
    return { type: 'mapping.obtained', mapping, strategy, attempts, contested: isDoubted, at: clock.now() };
  }

  /** Whether what was held before is being ended at the same gateway and port, which may take the new one along. */
  async function hold({ mapping, maker }: Made): Promise<boolean> {
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
    isDoubted = false;
    await book.note(key, renewed);
    return renewed;
  }

  function clean(work: Promise<boolean>): void {
    cleaning.add(work);
    void work.finally(() => cleaning.delete(work));
  }

  /**
   * What is under way may still obtain something: it is waited for, but not for long. An entry that is doubted is renewed first: to end
   * what is another protocol's, gateways answer with success, and leave it.
   */
  async function finish(): Promise<void> {
    runs.conclude(undefined);
    const finishing = busy.then(() => runs.settled()).then(() => (isDoubted ? extend() : undefined));
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
    host: runs,
    claim(send) {
      const stop = new AbortController();
      busy = takeOver(stop.signal).then(send);
      return () => stop.abort();
    },
    note(outcome, send) {
      busy = conclude(outcome).then(send);
      return () => {};
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
