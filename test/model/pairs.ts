import { createTraversalModel, simulatorDriver, type TraversalModel } from '../../src/testing/index.ts';
import { flows } from './expedition.ts';

/** A shipped flow in a place, under all that happens every day. */
export interface Pair {
  readonly title: string;
  readonly model: TraversalModel;
}

/** What random sequences happen to. */
export function pairs(): readonly Pair[] {
  return PLACES.map(([name, a, b]) => ({
    title: `${name}, ${a} x ${b}`,
    model: createTraversalModel(flows[name], simulatorDriver({ a, b })),
  }));
}

const PLACES = [
  ['default', 'linux', 'linux'],
  ['default', 'home-router', 'mobile-network'],
  ['default', 'hotel-wifi', 'hotel-wifi'],
  ['default', 'public', 'carrier'],
  ['default', 'corporate-firewall', 'home-router'],
  ['direct-only', 'linux', 'home-router'],
  ['direct-only', 'mobile-network', 'linux'],
  ['relay-only', 'linux', 'hotel-wifi'],
] as const;
