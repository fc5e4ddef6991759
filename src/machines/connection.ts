import { and, stateIn } from 'xstate';
import { connected } from './connected.ts';
import { type ConnectionOutput, connectionSetup, currentPath } from './connection-setup.ts';
import { discover } from './discover.ts';
import { fallback } from './fallback.ts';
import { map } from './map.ts';
import { punch } from './punch.ts';
import { recovering } from './recovering.ts';

/**
 * The lifecycle of a connection to one remote peer. Every region of `traversing` ends by itself and is bounded in
 * time; `recovering` keeps the session while paths come and go. Final output: {@link ConnectionOutput}.
 */
export const connectionMachine = connectionSetup.createMachine({
  id: 'connection',
  context: ({ input }) => ({
    paths: [],
    current: undefined,
    peerGone: false,
    punches: 0,
    established: false,
    failure: undefined,
    ...input,
  }),
  output: ({ context }): ConnectionOutput => ({
    outcome: context.failure === undefined ? 'closed' : 'failed',
    failure: context.failure,
    current: currentPath(context),
  }),
  on: {
    'path.validated': { actions: ['addPath', 'usePath'] },
    'path.lost': { actions: ['removePath', 'usePath'] },
    'round.began': { actions: 'beginRound' },
    'xstate.done.actor.punch': { actions: ['noteAttempts', 'endRound'] },
    'xstate.done.actor.fallback': { actions: ['noteAttempts', 'endFallback'] },
    'peer.gone': { actions: 'noteGone' },
    'peer.returned': { actions: 'noteReturned' },
    'session.failed': { target: '.failed', actions: 'noteFailure' },
    'xstate.error.actor.signal': { target: '.failed', actions: 'noteFailure' },
    'xstate.error.actor.session': { target: '.failed', actions: 'noteFailure' },
    'xstate.error.actor.punch': { actions: ['noteAttempts', 'endRound'] },
    'xstate.error.actor.fallback': { actions: ['noteAttempts', 'endFallback'] },
  },
  initial: 'idle',
  states: {
    idle: { on: { 'connection.started': 'traversing' } },
    traversing: {
      description: 'Finding a path and shaking hands over the first that stands',
      type: 'parallel',
      entry: [
        connectionSetup.spawnChild('signal', { id: 'signal', input: ({ context }) => ({ id: context.id }) }),
        connectionSetup.spawnChild('session', { id: 'session', input: ({ context }) => ({ id: context.id }) }),
      ],
      always: {
        guard: and(['noPath', stateIn({ traversing: { punch: 'exhausted', fallback: 'unavailable' } })]),
        target: 'failed',
        actions: 'noteExhausted',
      },
      after: { traversing: { target: 'failed', actions: 'noteTimeout' } },
      on: {
        'session.established': 'connected',
        'offer.rejected': { target: 'failed', actions: 'noteFailure' },
        'signaling.failed': { guard: 'noPath', target: 'failed', actions: 'noteFailure' },
        'peer.gone': [
          { guard: 'noPath', target: 'failed', actions: 'noteFailure' },
          { actions: ['noteGone', 'forgetAbsence', 'awaitReturn'] },
        ],
        'peer.missed': { guard: 'peerGone', target: 'failed', actions: 'noteLost' },
        'close.requested': { target: 'failed', actions: 'noteFailure' },
      },
      states: { discover, map, punch, fallback },
    },
    connected,
    recovering,
    closed: { type: 'final' },
    failed: { type: 'final' },
  },
});

export type ConnectionMachine = typeof connectionMachine;
