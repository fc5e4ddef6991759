import { assign, fromCallback, setup } from 'xstate';
import type { Candidate } from '../core/candidate.ts';
import type { ErrorCode } from '../core/errors.ts';
import { type NatBehavior, unknownBehavior } from '../core/nat-behavior.ts';
import type { Policy } from '../core/policy.ts';
import type { Facts } from '../core/strategy.ts';
import type { MappingEvent } from './connection-events.ts';
import { type StrategiesInput, strategiesSlot } from './strategies-slot.ts';

export interface PeerInput {
  readonly policy: Policy;
  /** ms between two looks at the network, so that NAT mappings stay open and changes are seen (20–26 s). */
  readonly refresh: number;
  /** 0..1, by chance: where in their spread the pauses between tries lie. */
  readonly jitter: number;
}

/** What those that look at the network are started with. */
export interface GatherInput extends StrategiesInput {
  readonly jitter: number;
}

/** Facts that the peer chart decides by. */
export type PeerEvent =
  | { type: 'discovery.finished'; behavior: NatBehavior; candidates: readonly Candidate[] }
  | { type: 'network.changed' }
  | MappingEvent
  | { type: 'carrier.online'; name: string }
  | { type: 'carrier.offline'; name: string; code: ErrorCode }
  | { type: 'registration.replaced' }
  | { type: 'close.requested' };

export interface PeerContext extends PeerInput {
  readonly behavior: NatBehavior;
  readonly candidates: readonly Candidate[];
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
    /** Runs the strategies that find addresses, once. */
    gather: strategiesSlot<GatherInput>('gather'),
    /** Tells how the leases of the peer's ports stand. */
    map: slot('map'),
    /** Keeps the rendezvous carriers and the registration. */
    rendezvous: slot('rendezvous'),
  },
  actions: {
    /** Tells what the strategies have found, by `discovery.finished`; given by `.provide()`. */
    endLook: () => {},
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
  context: ({ input }) => ({ ...input, behavior: unknownBehavior, candidates: [], online: [] }),
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
              invoke: {
                id: 'gather',
                src: 'gather',
                input: ({ context }) => ({ id: 'peer', facts: factsOf(context), jitter: context.jitter }),
                onDone: 'gathered',
                onError: 'gathered',
              },
            },
            gathered: {
              entry: 'endLook',
              after: { refresh: 'gathering' },
              on: {
                'discovery.finished': { actions: 'noteDiscovery' },
                'network.changed': 'gathering',
              },
            },
          },
        },
        map: {
          initial: 'mapping',
          invoke: { src: 'map', onError: '.unavailable' },
          states: {
            mapping: { on: { 'mapping.obtained': 'mapped', 'mapping.unavailable': 'unavailable' } },
            mapped: { on: { 'mapping.started': 'mapping' } },
            unavailable: { on: { 'mapping.started': 'mapping' } },
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

/** A peer looks by itself: there is no other side yet, and nobody has dialled. */
function factsOf({ policy, candidates, behavior }: PeerContext): Facts {
  const behaviors = { mine: behavior, theirs: unknownBehavior };
  return { role: 'listener', policy, local: candidates, remote: [], behaviors };
}
