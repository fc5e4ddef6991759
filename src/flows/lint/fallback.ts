import type { Flow } from '../flow.ts';
import type { Step } from '../step.ts';
import { partsOf } from '../walk.ts';
import type { Finding } from './finding.ts';

/** Whether policy and fallback fit: a relayed path that is counted on must be tried for, and one that is tried for be allowed. */
export function unreachableFallback({ spec: { fallback }, policy }: Pick<Flow, 'spec' | 'policy'>): readonly Finding[] {
  const message = messageFor(fallback, policy);
  return message === undefined ? [] : [{ rule: 'fallback-unreachable', where: 'fallback', message }];
}

function messageFor(fallback: Step | undefined, policy: Flow['policy']): string | undefined {
  if (policy === 'direct-only') {
    return fallback && 'the policy is direct-only, so that it is never run: leave it out, or change the policy';
  }
  if (fallback === undefined) {
    return `the policy is ${policy}, and no step makes a relayed path: add one, as relay(), or make the policy direct-only`;
  }
  if (isSure(fallback)) return undefined;
  return 'it may be skipped as a whole, for every strategy in it is asked for by when(): put one beside them that is not';
}

/** Whether some strategy in it is tried whatever the evidence is. */
function isSure(step: Step): boolean {
  if (step.kind === 'when') return false;
  return step.kind === 'strategy' || partsOf(step).some(isSure);
}
