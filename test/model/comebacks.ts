import type { Flow } from '../../src/index.ts';
import {
  createTraversalModel,
  type Invariant,
  invariants,
  type ModelEvent,
  type ModelStep,
  type Side,
  simulatorDriver,
} from '../../src/testing/index.ts';
import { type Expedition, flows } from './expedition.ts';

/** An expedition with more to hold to than the model says. */
export interface Comeback extends Expedition {
  readonly invariants: readonly Invariant[];
}

/**
 * The model leaves open whether a pair that was disturbed is direct again: that takes as many rounds of punching as it takes. Here it is
 * given the time, and must be.
 */
export function comebacks(): readonly Comeback[] {
  return [
    comeback('relay-first', flows.default, [hole(45_000), roam('dialer'), roam('listener'), REBOUND, REBOOTED]),
    comeback('direct-only', flows['direct-only'], [hole(40_000), roam('dialer'), roam('listener'), REBOUND, REBOOTED]),
  ];
}

function comeback(title: string, flow: Flow, disturbances: readonly (readonly ModelStep[])[]): Comeback {
  const model = createTraversalModel(flow, simulatorDriver({ a: 'linux', b: 'linux' }));
  const paths = disturbances.map((steps) => ({
    description: `${steps.map(({ event }) => event.type).join(', ')}, and time: connected.direct`,
    steps: [...UP, ...steps, ...CALM],
  }));
  return { title: `direct again, ${title}`, model, paths, invariants: [...invariants, directAgain] };
}

/** At the last look of such a path. */
const directAgain: Invariant = {
  name: 'direct again',
  check: ({ atRest, observation: { at, dialer, listener } }) => {
    const isDirect = dialer.sight === 'direct' && listener.sight === 'direct';
    return atRest && at > PATIENCE && !isDirect ? `${dialer.sight} and ${listener.sight} after ${at} ms` : undefined;
  },
};

/** ms for which time passes after a disturbance: two further rounds of punching of a pair that is relayed. */
const PATIENCE = 60_000;

const TIME: ModelEvent = { type: 'time.passed' };
const UP: readonly ModelStep[] = [
  { event: { type: 'dialed' }, pause: 0 },
  { event: TIME, pause: 0 },
];
const CALM: readonly ModelStep[] = [
  { event: TIME, pause: PATIENCE },
  { event: TIME, pause: 0 },
];

/** No UDP for so many ms: longer than consent lasts (RFC 7675). */
function hole(ms: number): readonly ModelStep[] {
  return [
    { event: { type: 'udp.blocked' }, pause: ms },
    { event: { type: 'udp.unblocked' }, pause: 10_000 },
  ];
}

function roam(side: Side): readonly ModelStep[] {
  return [{ event: { type: 'roamed', side }, pause: 30_000 }];
}

const REBOUND: readonly ModelStep[] = [{ event: { type: 'nat.rebound', side: 'dialer' }, pause: 40_000 }];
const REBOOTED: readonly ModelStep[] = [{ event: { type: 'router.rebooted', side: 'listener' }, pause: 40_000 }];
