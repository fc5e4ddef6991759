import { connectionSetup } from './connection-setup.ts';

/**
 * Region `punch`: strategies that make a direct path. Their actor is spawned, not invoked, so that punching goes on
 * after the session has been established over a relay; each round of punching has its own.
 */
export const punch = connectionSetup.createStateConfig({
  description: 'Making a direct path',
  initial: 'waiting',
  states: {
    waiting: {
      description: 'for the other side’s candidates',
      always: { guard: 'relayOnly', target: 'exhausted' },
      on: { 'remote.known': 'checking' },
    },
    checking: {
      entry: 'beginRound',
      always: { guard: 'hasDirect', target: 'punched' },
      on: {
        'xstate.done.actor.punch': { target: 'exhausted', actions: ['noteAttempts', 'endRound'] },
        'xstate.error.actor.punch': { target: 'exhausted', actions: ['noteAttempts', 'endRound'] },
      },
    },
    punched: { always: { guard: 'noDirect', target: 'exhausted' } },
    exhausted: {
      description: 'every strategy failed; a late check of the other side may still make a path',
      always: { guard: 'hasDirect', target: 'punched' },
    },
  },
});
