import type { InspectionEvent } from 'xstate';
import type { Flow } from '../../flows/flow.ts';
import type { LeftOver } from '../../scenario/index.ts';
import type { TraceSink } from '../../trace/index.ts';
import type { ModelEvent, ModelEventType } from './model-event.ts';
import type { Prospects } from './prospects.ts';
import type { Observation } from './sight.ts';

/** What runs a real pair in some world, and makes the events of the model happen to it. */
export interface Driver {
  /** As it stands in titles: `simulator`. */
  readonly name: string;
  /** What can come of a pair that runs this flow in this world; the model goes by it. */
  prospects(flow: Flow): Prospects;
  /** Events that it cannot make happen, and why. The model leaves them out. */
  readonly cannot: Readonly<Partial<Record<ModelEventType, string>>>;
  /** How the driver is made, as code: `simulatorDriver({ a: 'linux', b: 'linux' })`. For what a failure prints. */
  readonly code: string;
  /** ms by its clock. */
  readonly bounds: {
    /** Within which a connection that is being made is established or has failed. */
    readonly traversing: number;
    /** Within which one that has lost every path has another or has failed. */
    readonly recovering: number;
    /** Within which everything that is to happen has happened. */
    readonly rest: number;
  };
  /** A fresh world with both peers open, the listener registered, and its ticket with the dialer. */
  start(setup: WorldSetup): Promise<World>;
}

export interface WorldSetup {
  readonly flow: Flow;
  /** Of all chance, as far as the world has it in its hands. */
  readonly seed: number;
  /** Where the trace of the run is written. */
  readonly trace?: TraceSink;
  /** Sees the charts of both peers at work. */
  readonly inspect?: (event: InspectionEvent) => void;
}

/** A pair in its world. */
export interface World {
  /** Makes an event happen; fulfils when it has, whatever comes of it. */
  perform(event: ModelEvent): Promise<void>;
  /** Lets so many ms pass by the driver's clock. */
  pass(ms: number): Promise<void>;
  observe(): Observation;
  /** Ends both peers, waits until what they still have to do is done, and tells what they have not released. */
  end(): Promise<Remains>;
}

/** What is left of a pair. `subscriptions`: to sockets and to signalling. */
export interface Remains extends LeftOver {
  readonly subscriptions: number;
}
