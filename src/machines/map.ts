import { connectionSetup } from './connection-setup.ts';

/** Region `map`: the explicit port mapping that the peer keeps, as it comes and goes; never delays anything. */
export const map = connectionSetup.createStateConfig({
  description: 'Whether the gateway keeps a port open for this peer',
  initial: 'mapping',
  invoke: { src: 'map', input: ({ context }) => ({ id: context.id }), onError: '.unavailable' },
  states: {
    mapping: { on: { 'mapping.obtained': 'mapped', 'mapping.unavailable': 'unavailable' } },
    mapped: { on: { 'mapping.started': 'mapping' } },
    unavailable: { on: { 'mapping.started': 'mapping' } },
  },
});
