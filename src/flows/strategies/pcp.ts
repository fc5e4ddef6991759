import type { StrategyStep } from '../step.ts';
import { mapper } from './mapper.ts';

/** A port mapping by PCP (RFC 6887), with the environment's mapper `pcp`. */
export function pcp(): StrategyStep<'mapping'> {
  return mapper('pcp');
}
