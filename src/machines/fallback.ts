import { connectionSetup } from './connection-setup.ts';

/** Region `fallback`: a relayed path, at once when the policy says relay-first, never when it says direct-only. */
export const fallback = connectionSetup.createStateConfig({
  description: 'A relayed path',
  initial: 'standby',
  states: {
    standby: {
      always: [{ guard: 'directOnly', target: 'unavailable' }, { target: 'allocating' }],
    },
    allocating: {
      invoke: { src: 'relay', input: ({ context }) => ({ id: context.id }), onError: 'unavailable' },
      always: { guard: 'hasRelayed', target: 'relayed' },
      on: { 'relay.unavailable': 'unavailable' },
    },
    relayed: { always: { guard: 'noRelayed', target: 'allocating' } },
    unavailable: { always: { guard: 'hasRelayed', target: 'relayed' } },
  },
});
