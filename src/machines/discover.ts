import { connectionSetup } from './connection-setup.ts';

/** Region `discover`: candidates trickle to the other side as they appear; `gathered` when no more are expected. */
export const discover = connectionSetup.createStateConfig({
  description: 'Which addresses may reach this peer',
  initial: 'gathering',
  states: {
    gathering: {
      invoke: { src: 'gather', input: ({ context }) => ({ id: context.id }), onError: 'gathered' },
      on: { 'candidates.gathered': 'gathered' },
    },
    gathered: { type: 'final' },
  },
});
