import { connectionSetup } from './connection-setup.ts';

/** Region `map`: an explicit port mapping on the gateway; never delays anything. */
export const map = connectionSetup.createStateConfig({
  description: 'Whether the gateway keeps a port open for this peer',
  initial: 'mapping',
  states: {
    mapping: {
      invoke: { src: 'map', input: ({ context }) => ({ id: context.id }), onError: 'unavailable' },
      on: { 'mapping.obtained': 'mapped', 'mapping.unavailable': 'unavailable' },
    },
    mapped: { type: 'final' },
    unavailable: { type: 'final' },
  },
});
