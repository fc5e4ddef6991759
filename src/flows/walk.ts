import type { Product } from '../core/strategy.ts';
import type { Step } from './step.ts';
import type { Strategy } from './strategy.ts';

/** The steps that a step is made of, in their order. */
export function partsOf<P extends Product>(step: Step<P>): readonly Step<P>[] {
  switch (step.kind) {
    case 'strategy':
      return [];
    case 'sequence':
    case 'race':
      return step.steps;
    case 'fallback':
      return [step.step, step.backup];
    default:
      return [step.step];
  }
}

/** All strategies in a step, each once, in the order in which they are written. */
export function strategiesOf<P extends Product>(step: Step<P>): readonly Strategy<P>[] {
  const found = step.kind === 'strategy' ? [step.strategy] : partsOf(step).flatMap(strategiesOf<P>);
  return [...new Set(found)];
}

export function strategyNames(step: Step): readonly string[] {
  return [...new Set(strategiesOf(step).map(({ name }) => name))];
}

/** Whether there is a `when` in it, so that facts matter to it. */
export function asksForEvidence(step: Step): boolean {
  return step.kind === 'when' || partsOf(step).some(asksForEvidence);
}

/**
 * The packets that each strategy may send where it stands, by its name: no more than its own bound and those of the races around it. The
 * most of them where it stands in several places.
 */
export function packetBounds<P extends Product>(step: Step<P>, around = Infinity): ReadonlyMap<string, number> {
  if (step.kind === 'strategy') {
    const { name, bounds } = step.strategy;
    return new Map([[name, Math.min(around, bounds.packets)]]);
  }
  const inside = step.kind === 'race' ? Math.min(around, step.packets ?? Infinity) : around;
  const most = new Map<string, number>();
  for (const part of partsOf(step)) {
    for (const [name, packets] of packetBounds(part, inside)) most.set(name, Math.max(most.get(name) ?? 0, packets));
  }
  return most;
}
