import { not } from 'xstate';
import { connectionSetup } from './connection-setup.ts';

/** State `recovering`: every path was lost; gather and punch again under the same session, for a bounded time. */
export const recovering = connectionSetup.createStateConfig({
  description: 'Every path was lost; looking for a new one under the same session',
  entry: 'beginFallback',
  exit: 'forgetRest',
  invoke: {
    id: 'recover',
    src: 'recover',
    input: ({ context }) => ({ id: context.id }),
    onError: { target: '#connection.failed', actions: 'noteLost' },
  },
  always: { guard: 'hasPath', target: 'connected' },
  after: { recovering: { target: '#connection.failed', actions: 'noteLost' } },
  on: {
    'session.ended': [
      { guard: 'isBroken', target: '#connection.failed', actions: 'noteFailure' },
      { target: '#connection.closed' },
    ],
    'xstate.done.actor.punch': { actions: ['noteAttempts', 'endRound', 'tellRecovery'] },
    'xstate.error.actor.punch': { actions: ['noteAttempts', 'endRound', 'tellRecovery'] },
    'xstate.done.actor.fallback': { actions: ['noteAttempts', 'endFallback', 'restFallback'] },
    'xstate.error.actor.fallback': { actions: ['noteAttempts', 'endFallback', 'restFallback'] },
    'fallback.rested': { actions: 'beginFallback' },
    'offer.rejected': { target: '#connection.failed', actions: 'noteFailure' },
  },
  initial: 'searching',
  states: {
    searching: {
      always: { guard: 'peerGone', target: 'abandoned' },
    },
    abandoned: {
      description: 'the rendezvous says that the other side’s process ended',
      always: { guard: not('peerGone'), target: 'searching' },
      after: { gone: { target: '#connection.failed', actions: 'noteLost' } },
    },
  },
});
