import type { StrategyStep } from '../step.ts';
import { mapper } from './mapper.ts';

/** A port mapping by NAT-PMP (RFC 6886), with the environment's mapper `nat-pmp`. */
export function natPmp(): StrategyStep<'mapping'> {
  return mapper('nat-pmp');
}
