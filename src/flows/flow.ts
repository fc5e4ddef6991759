import type { Policy } from '../core/policy.ts';
import type { Product } from '../core/strategy.ts';
import type { ConnectionMachine } from '../machines/connection.ts';
import type { ComposedMachine } from './compile/compose.ts';
import type { Finding } from './lint/finding.ts';
import type { Step, Steps } from './step.ts';
import type { Strategy } from './strategy.ts';

/** How a peer finds its addresses, and how its connections come to a path. */
export interface FlowSpec {
  /** All of them, side by side. */
  readonly discover: Step<'candidates'> | Steps<'candidates'>;
  /** Absent: no gateway is asked. */
  readonly map?: Step<'mapping'>;
  readonly punch: Step<'direct'>;
  /** Absent: never over a relay. */
  readonly fallback?: Step<'relayed'>;
  /** Default `relay-first`. */
  readonly policy?: Policy;
}

/** A flow as charts. */
export interface Flow extends FlowMachines {
  readonly spec: FlowSpec;
  readonly policy: Policy;
  /** All strategies in it, each once, in the order of `discover`, `map`, `punch`, `fallback`. */
  readonly strategies: readonly Strategy[];
  /**
   * The same flow with machines of its own to which something was given by XState's `.provide()`. Errors: `ERR_USAGE` for machines that
   * are none of its own; another strategy takes another flow.
   */
  with(machines: OwnMachines): Flow;
  /** What may go wrong in it, by its looks. */
  lint(): readonly Finding[];
}

/** Strategies stand in them as empty slots; a peer binds them by `bindStrategies`. */
export interface FlowMachines {
  /** The lifecycle of a connection; its actors `punch` and `fallback` are the machines of those names. */
  readonly machine: ConnectionMachine;
  /** Run by the peer at each look at the network. */
  readonly discover: ComposedMachine<'candidates'>;
  /** Run for each port lease. */
  readonly map: ComposedMachine<'mapping'> | undefined;
  readonly punch: ComposedMachine<'direct'>;
  readonly fallback: ComposedMachine<'relayed'> | undefined;
}

/** Some machines of a flow. */
export type OwnMachines = { readonly [Name in keyof FlowMachines]?: NonNullable<FlowMachines[Name]> };

/** The parts of a flow that are composed of steps. */
export type FlowSlot = 'discover' | 'map' | 'punch' | 'fallback';

/** In the order in which they come to their turn. */
export const flowSlots: readonly FlowSlot[] = ['discover', 'map', 'punch', 'fallback'];

/** What the steps of each have to give. */
export const productOf: Readonly<Record<FlowSlot, Product>> = {
  discover: 'candidates',
  map: 'mapping',
  punch: 'direct',
  fallback: 'relayed',
};
