import type { StrategyStep } from '../step.ts';
import { mapper } from './mapper.ts';

/** A port mapping by UPnP IGD, with the environment's mapper `nat-upnp`, which is the package of that name. */
export function natUpnp(): StrategyStep<'mapping'> {
  return mapper('nat-upnp');
}
