import { assertEvent, assign, type DoneActorEvent, forwardTo, fromCallback, setup } from 'xstate';
import type { ErrorCode } from '../core/errors.ts';
import type { MappingAttempt } from '../core/port-lease.ts';
import type { Mapping } from '../core/port-mapper.ts';
import type { Facts } from '../core/strategy.ts';
import { type StrategiesInput, strategiesSlot } from './strategies-slot.ts';

export interface LeaseInput {
  readonly id: string;
  /** What is known as the lease begins. */
  readonly facts: Facts;
  /** 0..1, by chance: where in their spread the pauses between tries lie. */
  readonly jitter: number;
}

/** What an actor of the lease is started with. */
export interface LeaseActorInput {
  readonly id: string;
}

/** The same for what asks for the mapping. */
export interface RaceInput extends StrategiesInput {
  readonly jitter: number;
  /** The lower, the earlier a strategy is started; 0 where there is none. */
  readonly ranks: Readonly<Record<string, number>>;
}

/** The same for what writes down what came of it, which is whatever the actor gave that was asking. */
export interface NoteInput extends LeaseActorInput {
  readonly outcome: unknown;
}

/** Facts that the lease chart decides by. `at` is `clock.now()` in ms. */
export type LeaseEvent =
  /** No ended process has left anything that stands. */
  | { type: 'leftovers.cleared' }
  /** `contested`: others were asking when this came, and may take it back together with what is theirs. */
  | {
      type: 'mapping.obtained';
      mapping: Mapping;
      /** Name of the one that obtained it. */
      strategy: string;
      attempts: readonly MappingAttempt[];
      contested: boolean;
      at: number;
    }
  | { type: 'mapping.failed'; attempts: readonly MappingAttempt[] }
  | { type: 'mapping.renewed'; mapping: Mapping; at: number }
  | { type: 'renewal.failed'; code: ErrorCode; at: number }
  /** As far as the gateway could be told. */
  | { type: 'mapping.released' }
  /** The gateway has forgotten its mappings, or may have. */
  | { type: 'gateway.restarted'; at: number }
  /** This host has other addresses or another gateway, or may have. */
  | { type: 'network.changed'; at: number }
  /** More is known, or other things are, that strategies are chosen by. */
  | { type: 'facts.changed'; facts: Facts }
  | { type: 'close.requested' };

/** Plain data only: port mappers and the journal live in the runtime that stands behind the actors. */
export interface LeaseContext extends LeaseInput {
  /** The last one that was obtained or renewed; it may be gone. */
  readonly mapping: Mapping | undefined;
  /** Name of the one that obtained it, which is asked first the next time. */
  readonly strategy: string | undefined;
  /** Of the last race. */
  readonly attempts: readonly MappingAttempt[];
  /** `clock.now()` in ms when the gateway was last asked. */
  readonly askedAt: number;
  /** ms until it is asked again. */
  readonly renewIn: number;
  /** Something has happened since the gateway was asked that may have ended the mapping. */
  readonly doubted: boolean;
  /** Renewals in a row without an answer. */
  readonly silences: number;
  /** Races in a row without a mapping. */
  readonly failures: number;
}

/** In ms. */
export const LEASE_TIMES = {
  /** From one renewal to the next, at least (RFC 6887 section 11.2.1). */
  spacing: 4_000,
  /** The same at most, also of a lease of a week or without end: some gateways forget, and tell nobody. */
  trust: 3_600_000,
  /** From the end of a race to a look at what its losers have left of the mapping. */
  settling: 3_000,
  /** From a race without a mapping to the next; twice as long after each, up to `longestRetry`. */
  retry: 10_000,
  longestRetry: 600_000,
};

/** An actor slot: its logic is given by `.provide()` once for all leases, and finds its lease by id. */
const slot = <Input extends LeaseActorInput = LeaseActorInput>(name: string) =>
  fromCallback<LeaseEvent, Input>(() => {
    throw new Error(`no logic was provided for the actor '${name}'`);
  });

/**
 * A mapping that is kept at the gateway: obtained as the flow says, renewed at half its life, made again when the gateway
 * has forgotten it, released on close.
 */
export const leaseMachine = setup({
  types: { context: {} as LeaseContext, events: {} as LeaseEvent, input: {} as LeaseInput },
  actors: {
    /** Clears the port of what ended processes have left, and takes over what of it can be gone on with. */
    claim: slot('claim'),
    /** Runs the strategies that obtain a mapping; stopping it takes back what they obtain. */
    race: strategiesSlot<RaceInput>('race'),
    /** Notes what that has brought, and takes back all but one mapping. */
    note: slot<NoteInput>('note'),
    /** Extends the mapping by the protocol that made it. */
    renew: slot('renew'),
    /** Ends what stands at the gateway, within a bounded time. */
    release: slot('release'),
  },
  actions: {
    noteMapping: assign(({ context, event }) => {
      assertEvent(event, 'mapping.obtained');
      const { mapping, strategy, attempts, contested, at } = event;
      const doubted = contested || context.doubted;
      const renewIn = doubted ? LEASE_TIMES.settling : timeToRenewal(mapping, at);
      return { mapping, strategy, attempts, askedAt: at, renewIn, doubted, silences: 0, failures: 0 };
    }),
    noteRenewal: assign(({ event }) => {
      assertEvent(event, 'mapping.renewed');
      const { mapping, at } = event;
      return { mapping, askedAt: at, renewIn: timeToRenewal(mapping, at), doubted: false, silences: 0 };
    }),
    noteFailure: assign(({ context, event }) => {
      assertEvent(event, 'mapping.failed');
      return { attempts: event.attempts, failures: context.failures + 1 };
    }),
    noteSilence: assign(({ context, event }) => {
      assertEvent(event, 'renewal.failed');
      return { askedAt: event.at, renewIn: patience(context.mapping!), silences: context.silences + 1 };
    }),
    countFailure: assign({ attempts: [], failures: ({ context }) => context.failures + 1 }),
    forgetFailures: assign({ failures: 0 }),
    doubt: assign({ doubted: true }),
    trust: assign({ doubted: false }),
    renewSoon: assign({ renewIn: LEASE_TIMES.spacing }),
    noteFacts: assign(({ event }) => {
      assertEvent(event, 'facts.changed');
      return { facts: event.facts };
    }),
    tellRace: forwardTo('race'),
  },
  guards: {
    doubted: ({ context }) => context.doubted,
    /** A gateway that restarts without end is not asked without end. */
    askedJustNow: ({ context, event }) => {
      assertEvent(event, ['gateway.restarted', 'network.changed']);
      return event.at < context.askedAt + LEASE_TIMES.spacing;
    },
    /** Silence alone, once, while most of the lease's second half is still to come: a packet was lost, or the gateway is busy. */
    mayStand: ({ context: { mapping, doubted, silences }, event }) => {
      assertEvent(event, 'renewal.failed');
      const isInTime = mapping !== undefined && event.at + patience(mapping) < mapping.goodUntil;
      return isInTime && !doubted && silences === 0 && SILENCE.has(event.code);
    },
  },
  delays: {
    renewIn: ({ context }) => context.renewIn,
    retry: ({ context }) => Math.min(LEASE_TIMES.longestRetry, LEASE_TIMES.retry * 2 ** (context.failures - 1)),
  },
}).createMachine({
  id: 'lease',
  context: ({ input }) => ({
    ...input,
    mapping: undefined,
    strategy: undefined,
    attempts: [],
    askedAt: 0,
    renewIn: 0,
    doubted: false,
    silences: 0,
    failures: 0,
  }),
  initial: 'claiming',
  on: {
    'network.changed': { actions: ['doubt', 'forgetFailures'] },
    'facts.changed': { actions: 'noteFacts' },
    'close.requested': '.releasing',
  },
  states: {
    claiming: {
      description: 'Going on with what an ended process has left of this port, if it has',
      invoke: { src: 'claim', input: ({ context }) => ({ id: context.id }), onError: 'mapping' },
      on: {
        'mapping.obtained': { target: 'held', actions: 'noteMapping' },
        'leftovers.cleared': 'mapping',
      },
    },
    mapping: {
      description: 'Asking the gateway, as the flow says',
      entry: 'trust',
      invoke: {
        id: 'race',
        src: 'race',
        input: ({ context: { id, facts, jitter, strategy } }) => ({
          id,
          facts,
          jitter,
          ranks: strategy === undefined ? {} : { [strategy]: -1 },
        }),
        onDone: 'noting',
        onError: { target: 'unavailable', actions: 'countFailure' },
      },
      on: { 'facts.changed': { actions: ['noteFacts', 'tellRace'] } },
    },
    noting: {
      description: 'Writing down what came of it',
      invoke: {
        src: 'note',
        input: ({ context, event }) => ({ id: context.id, outcome: outcomeIn(event) }),
        onError: { target: 'unavailable', actions: 'countFailure' },
      },
      on: {
        'mapping.obtained': { target: 'held', actions: 'noteMapping' },
        'mapping.failed': [
          { guard: 'doubted', target: 'mapping' },
          { target: 'unavailable', actions: 'noteFailure' },
        ],
      },
    },
    held: {
      after: { renewIn: 'renewing' },
      on: {
        'gateway.restarted': [
          { guard: 'askedJustNow', target: 'held', reenter: true, actions: ['doubt', 'renewSoon'] },
          { target: 'renewing', actions: 'doubt' },
        ],
        'network.changed': [
          { guard: 'askedJustNow', target: 'held', reenter: true, actions: ['doubt', 'renewSoon'] },
          { target: 'renewing', actions: 'doubt' },
        ],
      },
    },
    renewing: {
      description: 'Extending the mapping; it is taken to stand meanwhile',
      invoke: { src: 'renew', input: ({ context }) => ({ id: context.id }), onError: 'mapping' },
      on: {
        'mapping.renewed': { target: 'held', actions: 'noteRenewal' },
        'renewal.failed': [{ guard: 'mayStand', target: 'held', actions: 'noteSilence' }, { target: 'mapping' }],
      },
    },
    unavailable: {
      after: { retry: 'mapping' },
      on: { 'network.changed': { target: 'mapping', actions: 'forgetFailures' } },
    },
    releasing: {
      invoke: { src: 'release', input: ({ context }) => ({ id: context.id }), onError: 'released' },
      on: { 'mapping.released': 'released' },
    },
    released: { type: 'final' },
  },
});

/** What the actor gave whose end this event is. */
function outcomeIn(event: LeaseEvent | DoneActorEvent): unknown {
  return 'output' in event ? event.output : undefined;
}

/** ms to half the life, with the jitter of who made the mapping, within the bounds of {@link LEASE_TIMES}. */
function timeToRenewal({ renewAfter }: Mapping, at: number): number {
  return Math.max(LEASE_TIMES.spacing, Math.min(renewAfter - at, LEASE_TIMES.trust));
}

/** ms from a renewal that was not answered to the next: an eighth of the life. */
function patience({ lifetime }: Mapping): number {
  return Math.max(LEASE_TIMES.spacing, (lifetime * 1000) / 8);
}

/** The gateway has not said that the mapping is gone, but nothing. */
const SILENCE: ReadonlySet<ErrorCode> = new Set([
  'ERR_CONNECTION_REFUSED',
  'ERR_CONNECTION_RESET',
  'ERR_MAPPING_UNAVAILABLE',
  'ERR_NETWORK',
  'ERR_TIMEOUT',
]);
