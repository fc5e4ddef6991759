import type { StrategyStep } from '../step.ts';
import { mapper } from './mapper.ts';

/** A port mapping by UPnP IGD, version 1 or 2, with the environment's mapper `upnp-igd`. */
export function upnp(): StrategyStep<'mapping'> {
  return mapper('upnp-igd');
}
