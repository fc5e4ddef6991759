import { assertEvent, assign, cancel, enqueueActions, forwardTo, fromCallback, raise, setup, stopChild } from 'xstate';
import { unknownBehavior } from '../core/nat-behavior.ts';
import type { Policy } from '../core/policy.ts';
import type { ConnectionEvent, Failure, RatedPath } from './connection-events.ts';
import { preferredPath } from './path-preference.ts';
import { type StrategiesInput, strategiesSlot } from './strategies-slot.ts';

export type ConnectionRole = 'dialer' | 'listener';

export interface ConnectionInput {
  readonly id: string;
  readonly role: ConnectionRole;
  readonly policy: Policy;
  readonly delays: ConnectionDelays;
}

/** Bounds in ms. */
export interface ConnectionDelays {
  /** From start to an established session. */
  readonly traversing: number;
  /** From the loss of the last path to giving up. */
  readonly recovering: number;
  /** The same, once the rendezvous has told that the other side's process ended. */
  readonly gone: number;
  /** From the beginning on a relay to punching again; three times as long after each attempt. */
  readonly repunch: number;
}

export const defaultConnectionDelays: ConnectionDelays = {
  traversing: 30_000,
  recovering: 120_000,
  gone: 3_000,
  repunch: 5_000,
};

/** Plain data only: sockets, sessions and keys live in the runtime that stands behind the actors. */
export interface ConnectionContext extends ConnectionInput {
  readonly paths: readonly RatedPath[];
  /** Id of the path that is sent on. */
  readonly current: string | undefined;
  readonly peerGone: boolean;
  /** Times that punching began again since the last direct path. */
  readonly punches: number;
  readonly established: boolean;
  readonly failure: Failure | undefined;
}

export interface ConnectionOutput {
  readonly outcome: 'closed' | 'failed';
  readonly failure: Failure | undefined;
  readonly current: RatedPath | undefined;
}

/** Rounds of punching while relayed, so that nobody punches for ever. */
const MAX_PUNCHES = 5;

export interface ConnectionActorInput {
  readonly id: string;
}

/** An actor slot: its logic is given once a peer with `.provide()`, and finds its connection by id. */
const slot = (name: string) =>
  fromCallback<ConnectionEvent, ConnectionActorInput>(() => {
    throw new Error(`no logic was provided for the actor '${name}'`);
  });

/** Types, actors, guards and delays that the regions of the connection chart share. */
export const connectionSetup = setup({
  types: {
    context: {} as ConnectionContext,
    events: {} as ConnectionEvent,
    input: {} as ConnectionInput,
    output: {} as ConnectionOutput,
  },
  actors: {
    /** Sends and receives envelopes for as long as the connection lives. */
    signal: slot('signal'),
    /** Runs the secure session for as long as the connection lives. */
    session: slot('session'),
    /** Tells when this peer's candidates are complete. */
    gather: slot('gather'),
    /** Tells how the peer's port mapping stands. */
    map: slot('map'),
    /** Runs the strategies that make direct paths, one round of them; goes on while relayed. */
    punch: strategiesSlot('punch'),
    /** Runs the strategies that make a relayed path. */
    fallback: strategiesSlot('fallback'),
    /** Watches the sending path for silence. */
    watch: slot('watch'),
    /** Sends every packet on all paths while the current one is suspect. */
    hedge: slot('hedge'),
    /** Gathers and punches again under the same session. */
    recover: slot('recover'),
  },
  actions: {
    addPath: assign(({ context, event }) => {
      assertEvent(event, 'path.validated');
      return withPaths([...context.paths.filter((path) => path.info.id !== event.path.info.id), event.path]);
    }),
    removePath: assign(({ context, event }) => {
      assertEvent(event, 'path.lost');
      return withPaths(context.paths.filter((path) => path.info.id !== event.id));
    }),
    /** Makes the runtime send on `context.current`. Provided once a peer. */
    usePath: () => {},
    /** Begins another round of punching, if the last one is over. Provided once a peer. */
    punchAgain: () => {},
    countPunch: assign({ punches: ({ context }) => context.punches + 1 }),
    forgetPunches: assign({ punches: 0 }),
    noteFailure: assign(({ event }) => ({ failure: failureOf(event) })),
    noteExhausted: assign({
      failure: {
        code: 'ERR_PUNCH_EXHAUSTED',
        message: 'no direct path could be made and no relay was allowed or available',
      },
    }),
    noteTimeout: assign(({ context }) => ({ failure: timeoutFailure(context) })),
    noteLost: assign(({ context }) => ({ failure: lostFailure(context) })),
    noteGone: assign({ peerGone: true }),
    noteReturned: assign({ peerGone: false }),
    /** Begins the time in which the other side may come back. */
    awaitReturn: raise({ type: 'peer.missed' }, { id: 'return', delay: 'gone' }),
    forgetAbsence: cancel('return'),
    /** Before the fallback is tried again. */
    restFallback: raise({ type: 'fallback.rested' }, { id: 'rest', delay: 'rest' }),
    forgetRest: cancel('rest'),
    noteEstablished: assign({ established: true }),
    /** Lets it begin the next round. */
    tellRecovery: forwardTo('recover'),
    /** The strategies from the beginning, whatever became of those before. */
    beginRound: enqueueActions(({ enqueue, context }) => {
      enqueue.stopChild('punch');
      enqueue.spawnChild('punch', { id: 'punch', input: strategiesInput(context) });
    }),
    endRound: stopChild('punch'),
    endFallback: stopChild('fallback'),
    /** Takes what the strategies that have ended, or whose machine broke, tell of their attempts. Provided once a peer. */
    noteAttempts: () => {},
    /** The same for a relayed path, unless that is not wanted. */
    beginFallback: enqueueActions(({ enqueue, context }) => {
      if (context.policy === 'direct-only') return;
      enqueue.stopChild('fallback');
      enqueue.spawnChild('fallback', { id: 'fallback', input: strategiesInput(context) });
    }),
  },
  guards: {
    relayOnly: ({ context }) => context.policy === 'relay-only',
    directOnly: ({ context }) => context.policy === 'direct-only',
    /** Ended by an error of the session, not by either user. */
    isBroken: ({ event }) => event.type === 'session.ended' && event.code !== 0,
    isCurrent: ({ context, event }) =>
      (event.type === 'path.suspect' || event.type === 'path.alive' || event.type === 'path.lost') &&
      event.id === context.current,
    willBeCurrent: ({ context, event }) =>
      event.type === 'path.validated' &&
      event.path.info.id !== context.current &&
      preferredPath([...context.paths, event.path]) === event.path,
    onDirect: ({ context }) => currentPath(context)?.info.kind === 'direct',
    onRelayed: ({ context }) => currentPath(context)?.info.kind === 'relayed',
    hasDirect: ({ context }) => context.paths.some((path) => path.info.kind === 'direct'),
    hasRelayed: ({ context }) => context.paths.some((path) => path.info.kind === 'relayed'),
    noDirect: ({ context }) => context.paths.every((path) => path.info.kind !== 'direct'),
    noRelayed: ({ context }) => context.paths.every((path) => path.info.kind !== 'relayed'),
    noPath: ({ context }) => context.paths.length === 0,
    hasPath: ({ context }) => context.paths.length > 0,
    peerGone: ({ context }) => context.peerGone,
    mayPunch: ({ context }) => context.policy !== 'relay-only' && context.punches < MAX_PUNCHES,
  },
  delays: {
    traversing: ({ context }) => context.delays.traversing,
    recovering: ({ context }) => context.delays.recovering,
    /** Between two attempts at a relayed path, while there is no path at all. */
    rest: 5_000,
    gone: ({ context }) => context.delays.gone,
    repunch: ({ context }) => context.delays.repunch * 3 ** context.punches,
  },
});

export function currentPath(context: Pick<ConnectionContext, 'paths' | 'current'>): RatedPath | undefined {
  return context.paths.find((path) => path.info.id === context.current);
}

/** What the chart knows of the facts; whoever binds the actors gives them the rest. */
function strategiesInput({ id, role, policy }: ConnectionContext): StrategiesInput {
  const behaviors = { mine: unknownBehavior, theirs: unknownBehavior };
  return { id, facts: { role, policy, local: [], remote: [], behaviors } };
}

function withPaths(paths: readonly RatedPath[]) {
  return { paths, current: preferredPath(paths)?.info.id };
}

function failureOf(event: ConnectionEvent): Failure {
  switch (event.type) {
    case 'offer.rejected':
    case 'signaling.failed':
    case 'session.failed':
      return { code: event.code, message: event.message };
    case 'close.requested':
      return { code: event.code ?? 'ERR_CLOSED', message: event.message ?? 'closed before it was connected' };
    case 'peer.gone':
      return { code: 'ERR_PEER_GONE', message: 'the other side left before the connection stood' };
    case 'session.ended':
      return { code: 'ERR_PROTOCOL', message: `the session broke: ${event.reason || `code ${event.code}`}` };
    case 'xstate.error.actor.signal':
    case 'xstate.error.actor.session':
      return { code: 'ERR_PROTOCOL', message: `an actor broke: ${String(event.error)}` };
    default:
      return { code: 'ERR_PROTOCOL', message: `unexpected ${event.type}` };
  }
}

function timeoutFailure({ paths, delays }: ConnectionContext): Failure {
  const what = paths.length === 0 ? 'no path to the other side was found' : 'the session was not established';
  return { code: 'ERR_TIMEOUT', message: `${what} within ${delays.traversing / 1000} s` };
}

function lostFailure({ peerGone, delays }: ConnectionContext): Failure {
  return {
    code: 'ERR_PEER_GONE',
    message: peerGone
      ? 'the other side has gone: its process or its network ended'
      : `every path was lost and none came back within ${delays.recovering / 1000} s`,
  };
}
