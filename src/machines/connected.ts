import { connectionSetup } from './connection-setup.ts';

/** State `connected`: which path carries the session, and whether it is still alive. */
export const connected = connectionSetup.createStateConfig({
  description: 'The session is established and a path carries it',
  type: 'parallel',
  entry: 'noteEstablished',
  invoke: {
    src: 'watch',
    input: ({ context }) => ({ id: context.id }),
    onError: { target: '#connection.failed', actions: 'noteFailure' },
  },
  on: {
    'session.ended': [
      { guard: 'isBroken', target: '#connection.failed', actions: 'noteFailure' },
      { target: '#connection.closed' },
    ],
  },
  states: {
    path: {
      initial: 'relayed',
      states: {
        relayed: {
          description: 'over a relay; punching goes on, ever more rarely',
          always: { guard: 'onDirect', target: 'direct' },
          after: {
            repunch: { guard: 'mayPunch', target: 'relayed', reenter: true, actions: ['countPunch', 'punchAgain'] },
          },
        },
        direct: {
          entry: 'forgetPunches',
          always: { guard: 'onRelayed', target: 'relayed', actions: 'punchAgain' },
        },
      },
    },
    liveness: {
      initial: 'fresh',
      states: {
        fresh: {
          always: { guard: 'noPath', target: 'lost' },
          on: { 'path.suspect': { guard: 'isCurrent', target: 'suspect' } },
        },
        suspect: {
          description: 'unacknowledged for too long: packets go out on every path',
          invoke: { src: 'hedge', input: ({ context }) => ({ id: context.id }), onError: 'fresh' },
          on: {
            'path.alive': { guard: 'isCurrent', target: 'fresh' },
            'path.lost': { guard: 'isCurrent', target: 'fresh', actions: ['removePath', 'usePath'] },
            'path.validated': { guard: 'willBeCurrent', target: 'fresh', actions: ['addPath', 'usePath'] },
          },
        },
        lost: { always: '#connection.recovering' },
      },
    },
  },
});
