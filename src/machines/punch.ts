import { connectionSetup } from './connection-setup.ts';

/**
 * Region `punch`: strategies that make a direct path. Their actor is spawned, not invoked, so that punching goes on
 * after the session has been established over a relay.
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
      entry: connectionSetup.spawnChild('punch', { id: 'punch', input: ({ context }) => ({ id: context.id }) }),
      always: { guard: 'hasDirect', target: 'punched' },
      on: { 'punch.exhausted': 'exhausted' },
    },
    punched: { always: { guard: 'noDirect', target: 'exhausted' } },
    exhausted: {
      description: 'every pair failed; a late check of the other side may still make one valid',
      always: { guard: 'hasDirect', target: 'punched' },
    },
  },
});
