import { assign, fromCallback, setup } from 'xstate';
import type { ErrorCode } from '../core/errors.ts';
import { type NatBehavior, unknownBehavior } from '../core/nat-behavior.ts';
import type { MappingEvent } from './connection-events.ts';

export interface PeerInput {
  /** ms between two looks at the network, so that NAT mappings stay open and changes are seen (20–26 s). */
  readonly refresh: number;
}

/** Facts that the peer chart decides by. */
export type PeerEvent =
  | { type: 'discovery.finished'; behavior: NatBehavior; candidates: number }
  | { type: 'network.changed' }
  | MappingEvent
  | { type: 'carrier.online'; name: string }
  | { type: 'carrier.offline'; name: string; code: ErrorCode }
  | { type: 'registration.replaced' }
  | { type: 'close.requested' };

export interface PeerContext extends PeerInput {
  readonly behavior: NatBehavior;
  readonly candidates: number;
  /** Names of the rendezvous carriers that are online. */
  readonly online: readonly string[];
}

const slot = (name: string) =>
  fromCallback<PeerEvent>(() => {
    throw new Error(`no logic was provided for the actor '${name}'`);
  });

/**
 * The long-lived peer: one socket a family, one discovery and one registration, shared by all its connections.
 * `discover` and `map` run side by side and are kept fresh; the actor slots are given by `.provide()`.
 */
export const peerMachine = setup({
  types: { context: {} as PeerContext, events: {} as PeerEvent, input: {} as PeerInput },
  actors: {
    /** Asks the interfaces and the STUN servers once. */
    gather: slot('gather'),
    /** Tells how the leases of the peer's ports stand. */
    map: slot('map'),
    /** Keeps the rendezvous carriers and the registration. */
    rendezvous: slot('rendezvous'),
  },
  actions: {
    noteDiscovery: assign(({ event }) =>
      event.type === 'discovery.finished' ? { behavior: event.behavior, candidates: event.candidates } : {},
    ),
    noteOnline: assign(({ context, event }) =>
      event.type === 'carrier.online'
        ? { online: [...context.online.filter((n) => n !== event.name), event.name] }
        : {},
    ),
    noteOffline: assign(({ context, event }) =>
      event.type === 'carrier.offline' ? { online: context.online.filter((n) => n !== event.name) } : {},
    ),
  },
  guards: { noneOnline: ({ context }) => context.online.length === 0 },
  delays: { refresh: ({ context }) => context.refresh },
}).createMachine({
  id: 'peer',
  context: ({ input }) => ({ ...input, behavior: unknownBehavior, candidates: 0, online: [] }),
  initial: 'open',
  on: { 'close.requested': '.closed' },
  states: {
    open: {
      type: 'parallel',
      states: {
        discover: {
          initial: 'gathering',
          states: {
            gathering: {
              invoke: { src: 'gather', onError: 'gathered' },
              on: { 'discovery.finished': { target: 'gathered', actions: 'noteDiscovery' } },
            },
            gathered: {
              after: { refresh: 'gathering' },
              on: { 'network.changed': 'gathering' },
            },
          },
        },
        map: {
          initial: 'mapping',
          invoke: { src: 'map', onError: '.unavailable' },
          states: {
            mapping: { on: { 'mapping.obtained': 'mapped', 'mapping.unavailable': 'unavailable' } },
            mapped: { on: { 'mapping.started': 'mapping', 'mapping.unavailable': 'unavailable' } },
            unavailable: { on: { 'mapping.started': 'mapping', 'mapping.obtained': 'mapped' } },
          },
        },
        rendezvous: {
          initial: 'connecting',
          invoke: { src: 'rendezvous', onError: '.offline' },
          on: {
            'carrier.online': { target: '.online', actions: 'noteOnline' },
            'registration.replaced': '.replaced',
          },
          states: {
            connecting: { on: { 'carrier.offline': { target: 'offline', actions: 'noteOffline' } } },
            online: {
              on: { 'carrier.offline': { actions: 'noteOffline' } },
              always: { guard: 'noneOnline', target: 'offline' },
            },
            offline: {},
            replaced: {
              description: 'another process registered the same key; this one stays away',
              on: {
                'carrier.online': { actions: 'noteOnline' },
                'carrier.offline': { actions: 'noteOffline' },
              },
            },
          },
        },
      },
    },
    closed: { type: 'final' },
  },
});
