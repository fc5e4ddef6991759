import { assertEvent, assign, not, setup } from 'xstate';
import {
  calm,
  dialled,
  type Lately,
  type ModelContext,
  type ModelInput,
  restOfRecovering,
  restOfTraversing,
} from './model-context.ts';
import type { ModelEvent } from './model-event.ts';
import type { Sight } from './sight.ts';

/** What may be seen of each side in a state, at the latest when the driver's patience is over. */
export interface ModelMeta {
  readonly dialer: readonly Sight[];
  readonly listener: readonly Sight[];
}

const modelSetup = setup({
  types: {
    context: {} as ModelContext,
    events: {} as ModelEvent,
    meta: {} as ModelMeta,
  },
  actions: {
    noteServerLost: assign(({ context }) => ({ server: 'down', lately: { ...context.lately, outage: 'partly' } })),
    noteServerReturned: assign(({ context }) => ({ server: 'up', lately: { ...context.lately, outage: 'partly' } })),
    noteBlocked: assign(({ context }) => ({ udp: 'blocked', lately: { ...context.lately, blackout: 'partly' } })),
    noteUnblocked: assign(({ context }) => ({ udp: 'open', lately: { ...context.lately, blackout: 'partly' } })),
    noteMoved: assign(({ context }) => ({ lately: { ...context.lately, moved: true } })),
    noteLossy: assign({ link: 'lossy' }),
    noteClean: assign({ link: 'clean' }),
    noteDelayed: assign({ signaling: 'delayed' }),
    notePrompt: assign({ signaling: 'prompt' }),
    noteEnded: assign({ listener: 'ended' }),
    noteReturned: assign({ listener: 'returned' }),
    noteReplaced: assign({ listener: 'replaced' }),
    noteAborted: assign({ aborted: true }),
    noteDialed: assign(({ context }): { lately: Lately } => ({ lately: dialled(context) })),
    /** A time begins of which nothing has been yet. */
    calmDown: assign(({ context }): { lately: Lately } => ({ lately: calm(context) })),
  },
  guards: {
    serverUp: ({ context }) => context.server === 'up',
    serverDown: ({ context }) => context.server === 'down',
    udpOpen: ({ context }) => context.udp === 'open',
    udpBlocked: ({ context }) => context.udp === 'blocked',
    linkClean: ({ context }) => context.link === 'clean',
    linkLossy: ({ context }) => context.link === 'lossy',
    signalingPrompt: ({ context }) => context.signaling === 'prompt',
    signalingDelayed: ({ context }) => context.signaling === 'delayed',
    listenerAlive: ({ context }) => isAlive(context),
    listenerRegistered: ({ context }) => context.listener === 'running',
    listenerEnded: ({ context }) => context.listener === 'ended',
    aborted: ({ context }) => context.aborted,
    /** That side has a connection in hand. */
    hasConnection: ({ context, event }) => {
      assertEvent(event, ['closed', 'session.broke']);
      return event.side === 'dialer' || isAlive(context);
    },
    byDialer: ({ event }) => {
      assertEvent(event, 'closed');
      return event.side === 'dialer';
    },
    traversedDirect: ({ context }) => restOfTraversing(context) === 'direct',
    traversedRelayed: ({ context }) => restOfTraversing(context) === 'relayed',
    traversedEither: ({ context }) => restOfTraversing(context) === 'connected',
    traversedInVain: ({ context }) => restOfTraversing(context) === 'failed',
    recoveredDirect: ({ context }) => restOfRecovering(context) === 'direct',
    recoveredRelayed: ({ context }) => restOfRecovering(context) === 'relayed',
    recoveredEither: ({ context }) => restOfRecovering(context) === 'connected',
    recoveredInVain: ({ context }) => restOfRecovering(context) === 'failed',
  },
});

const ANY: readonly Sight[] = ['none', 'traversing', 'relayed', 'direct', 'recovering', 'closed', 'failed', 'gone'];
/** Nothing is under way. A side that was told nothing knows of no connection. */
const REST: readonly Sight[] = ['none', 'relayed', 'direct', 'closed', 'failed', 'gone'];
const OVER: readonly Sight[] = ['none', 'closed', 'failed', 'gone'];

function isAlive({ listener }: ModelContext): boolean {
  return listener === 'running' || listener === 'replaced';
}

/** What ends a connection that stands, by a user. */
const ending = {
  closed: { guard: 'hasConnection', target: '#traversal.closed' },
  aborted: '#traversal.closed',
} as const;

/**
 * The abstract lifecycle of one pair: what the environment and the users do, and what must then be seen. A plain machine without actors
 * and timers. A state at rest says what is seen when `time.passed`; `traversing` and `recovering` are on the way there.
 */
export function traversalMachine(input: ModelInput) {
  return modelSetup.createMachine({
    id: 'traversal',
    context: {
      ...input,
      server: 'up',
      udp: 'open',
      link: 'clean',
      signaling: 'prompt',
      listener: 'running',
      aborted: false,
      lately: calm({ server: 'up', udp: 'open' }),
    },
    on: {
      'server.lost': { guard: 'serverUp', actions: 'noteServerLost' },
      'server.returned': { guard: 'serverDown', actions: 'noteServerReturned' },
      'udp.blocked': { guard: 'udpOpen', actions: 'noteBlocked' },
      'udp.unblocked': { guard: 'udpBlocked', actions: 'noteUnblocked' },
      'link.lossy': { guard: 'linkClean', actions: 'noteLossy' },
      'link.clean': { guard: 'linkLossy', actions: 'noteClean' },
      'signaling.delayed': { guard: 'signalingPrompt', actions: 'noteDelayed' },
      'signaling.prompt': { guard: 'signalingDelayed', actions: 'notePrompt' },
      'listener.ended': { guard: 'listenerAlive', actions: 'noteEnded' },
      'listener.returned': { guard: 'listenerEnded', actions: 'noteReturned' },
      'nat.rebound': { actions: 'noteMoved' },
      'router.rebooted': { actions: 'noteMoved' },
      roamed: { actions: 'noteMoved' },
      'listener.replaced': { guard: 'listenerRegistered', actions: 'noteReplaced' },
    },
    initial: 'idle',
    states: {
      idle: {
        description: 'Both peers are open; nobody has dialled',
        meta: { dialer: ['none'], listener: ['none', 'gone'] },
        on: {
          dialed: [
            { guard: 'aborted', target: 'failed' },
            { target: 'traversing', actions: 'noteDialed' },
          ],
          aborted: { guard: not('aborted'), actions: 'noteAborted' },
          // What is not there when it is needed may be there again in time.
          'actor.broke': { actions: 'noteMoved' },
        },
      },
      traversing: {
        description: 'Dialled, and not at rest yet',
        meta: { dialer: ANY, listener: ANY },
        on: {
          'time.passed': [
            { guard: 'traversedDirect', target: 'connected.direct' },
            { guard: 'traversedRelayed', target: 'connected.relayed' },
            { guard: 'traversedEither', target: 'connected.either' },
            { guard: 'traversedInVain', target: 'failed' },
            { target: 'unsure' },
          ],
          closed: { guard: 'byDialer', target: 'closed' },
          aborted: 'closed',
          'session.broke': { guard: 'hasConnection', target: 'unsure' },
          'actor.broke': 'unsure',
        },
      },
      connected: {
        description: 'Connected and at rest',
        initial: 'either',
        entry: 'calmDown',
        on: {
          ...ending,
          'listener.ended': { guard: 'listenerAlive', target: 'recovering', actions: 'noteEnded' },
          'nat.rebound': { target: 'recovering', actions: 'noteMoved' },
          'router.rebooted': { target: 'recovering', actions: 'noteMoved' },
          roamed: { target: 'recovering', actions: 'noteMoved' },
          'link.lossy': { guard: 'linkClean', target: 'recovering', actions: 'noteLossy' },
          'udp.blocked': { guard: 'udpOpen', target: 'recovering', actions: 'noteBlocked' },
          'udp.unblocked': { guard: 'udpBlocked', target: 'recovering', actions: 'noteUnblocked' },
          'server.lost': { guard: 'serverUp', target: 'recovering', actions: 'noteServerLost' },
          'session.broke': { guard: 'hasConnection', target: 'failed' },
          'actor.broke': 'unsure',
          'time.passed': { actions: 'calmDown' },
        },
        states: {
          direct: {
            description: 'On a direct path, which needs no server',
            meta: { dialer: ['direct'], listener: ['direct'] },
            on: {
              'server.lost': { guard: 'serverUp', actions: 'noteServerLost' },
            },
          },
          relayed: {
            description: 'On a relayed path, as no direct one can be',
            meta: { dialer: ['relayed'], listener: ['relayed'] },
          },
          either: {
            description: 'On a path of either kind',
            meta: { dialer: ['direct', 'relayed'], listener: ['direct', 'relayed'] },
          },
        },
      },
      recovering: {
        description: 'Disturbed, and not at rest yet',
        meta: { dialer: ANY, listener: ANY },
        on: {
          ...ending,
          'session.broke': { guard: 'hasConnection', target: 'unsure' },
          'actor.broke': 'unsure',
          'time.passed': [
            { guard: 'recoveredDirect', target: 'connected.direct' },
            { guard: 'recoveredRelayed', target: 'connected.relayed' },
            { guard: 'recoveredEither', target: 'connected.either' },
            { guard: 'recoveredInVain', target: 'failed' },
            { target: 'unsure' },
          ],
        },
      },
      unsure: {
        description: 'At rest; connected or failed, by how fast things went, or by what broke',
        meta: { dialer: REST, listener: REST },
        on: {
          ...ending,
          'time.passed': {},
        },
      },
      closed: {
        description: 'Ended by a user',
        type: 'final',
        meta: { dialer: ['closed', 'failed'], listener: OVER },
      },
      failed: {
        description: 'Over, and could not be otherwise',
        type: 'final',
        meta: { dialer: ['failed'], listener: OVER },
      },
    },
  });
}
