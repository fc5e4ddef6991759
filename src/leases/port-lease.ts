import { filter, firstValueFrom, lastValueFrom, ReplaySubject } from 'rxjs';
import { createActor, type SnapshotFrom } from 'xstate';
import type { Clock } from '../core/clock.ts';
import { TraversalError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { PortLease, PortLeaseState } from '../core/port-lease.ts';
import type { Mapping, MappingRequest } from '../core/port-mapper.ts';
import type { Inspect } from '../machines/inspect.ts';
import type { LeaseEvent, LeaseInput, leaseMachine } from '../machines/lease.ts';
import type { LeaseLogic } from './lease-logic.ts';
import type { LeaseRuntime } from './lease-runtime.ts';

export interface PortLeaseOptions {
  readonly input: LeaseInput;
  readonly request: MappingRequest;
  /** What `logic` finds by the id in `input`. */
  readonly runtime: Pick<LeaseRuntime, 'failure'>;
  readonly logic: LeaseLogic;
  readonly clock: Clock;
  readonly log: Log;
  readonly inspect: Inspect | undefined;
}

/** A lease as its owner has it, and what those who run it need beyond that. */
export interface OpenPortLease {
  readonly lease: PortLease;
  /** Tells its chart a fact; nothing happens once released. */
  tell(event: LeaseEvent): void;
  readonly closing: boolean;
  /** Fulfils once released; who closed it does not matter. */
  readonly released: Promise<void>;
}

/** Begins at once. */
export function openPortLease({
  input,
  request,
  runtime,
  logic,
  clock,
  log,
  inspect,
}: PortLeaseOptions): OpenPortLease {
  const actor = createActor(logic, { input, clock, id: input.id, inspect });
  const states = new ReplaySubject<PortLeaseState>(1);
  let current: PortLeaseState = { state: 'mapping' };
  let closing = false;

  function publish(next: PortLeaseState): void {
    if (isSame(current, next)) return;
    current = next;
    states.next(next);
    if (next.state === 'released') states.complete();
  }

  const ready = firstValueFrom(states.pipe(filter(({ state }) => state !== 'mapping'))).then((first): Mapping => {
    if (first.state === 'mapped') return first.mapping;
    if (first.state === 'unavailable' && runtime.failure !== undefined) throw runtime.failure;
    throw new TraversalError('ERR_CLOSED', `the lease of ${request.protocol} port ${request.internalPort} was closed`);
  });
  // Whoever wants to know awaits it; nobody has to.
  ready.catch(() => {});
  const released = lastValueFrom(states).then(() => {});

  states.next(current);
  actor.subscribe({
    next: (snapshot) => publish(stateOf(snapshot) ?? current),
    error: (error) => {
      log('lease.broken', { error: String(error) });
      publish({ state: 'released' });
    },
  });
  actor.start();

  return {
    lease: {
      request,
      get current() {
        return current;
      },
      state$: states.asObservable(),
      ready,
      close() {
        if (!closing && current.state !== 'released') actor.send({ type: 'close.requested' });
        closing = true;
        return released;
      },
    },
    tell(event) {
      if (current.state !== 'released') actor.send(event);
    },
    get closing() {
      return closing;
    },
    released,
  };
}

/** `undefined` while it is being released: what was told last holds until then. */
function stateOf({ value, context }: SnapshotFrom<typeof leaseMachine>): PortLeaseState | undefined {
  const { mapping, attempts } = context;
  if (value === 'releasing') return undefined;
  if ((value === 'held' || value === 'renewing') && mapping !== undefined)
    return { state: 'mapped', mapping, attempts };
  if (value === 'unavailable') return { state: 'unavailable', attempts };
  return { state: value === 'released' ? 'released' : 'mapping' };
}

function isSame(a: PortLeaseState, b: PortLeaseState): boolean {
  if (a.state === 'mapped' && b.state === 'mapped') return a.mapping === b.mapping;
  return a.state === b.state;
}
