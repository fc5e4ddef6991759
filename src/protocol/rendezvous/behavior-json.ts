import type { Dependence, NatBehavior } from '../../core/nat-behavior.ts';
import type { JsonFields } from './json.ts';

/**
 * Evidence beyond 16 lines of 200 characters is cut off: it is for people, and the rest is what strategies decide by.
 */
export function writeBehavior(behavior: NatBehavior): Record<string, unknown> {
  return { ...behavior, evidence: behavior.evidence.slice(0, MAX_LINES).map((line) => line.slice(0, MAX_LINE)) };
}

export function readBehavior(fields: JsonFields): NatBehavior {
  return {
    mapping: fields.oneOf('mapping', DEPENDENCES),
    filtering: fields.oneOf('filtering', DEPENDENCES),
    portPreservation: fields.oneOf('portPreservation', CERTAINTIES),
    translated: fields.oneOf('translated', CERTAINTIES),
    evidence: fields.values('evidence', MAX_LINES, (holder) => holder.text('item', MAX_LINE)),
  };
}

const DEPENDENCES: readonly Dependence[] = [
  'endpoint-independent',
  'address-dependent',
  'address-and-port-dependent',
  'unknown',
];
const CERTAINTIES: readonly (boolean | 'unknown')[] = [true, false, 'unknown'];
const MAX_LINES = 16;
const MAX_LINE = 200;
