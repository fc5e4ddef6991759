import { connectionSetup } from './connection-setup.ts';

/**
 * Region `fallback`: a relayed path, at once when the policy says relay-first, never when it says direct-only. Its actor is spawned,
 * not invoked, so that it can end what it began after its path stands.
 */
export const fallback = connectionSetup.createStateConfig({
  description: 'A relayed path',
  initial: 'standby',
  states: {
    standby: {
      always: [{ guard: 'directOnly', target: 'unavailable' }, { target: 'allocating' }],
    },
    allocating: {
      entry: 'beginFallback',
      always: { guard: 'hasRelayed', target: 'relayed' },
      on: {
        'xstate.done.actor.fallback': { target: 'unavailable', actions: ['noteAttempts', 'endFallback'] },
        'xstate.error.actor.fallback': { target: 'unavailable', actions: ['noteAttempts', 'endFallback'] },
      },
    },
    relayed: { always: { guard: 'noRelayed', target: 'allocating' } },
    unavailable: { always: { guard: 'hasRelayed', target: 'relayed' } },
  },
});
