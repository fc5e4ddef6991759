import { type Finding, type Flow, flowOf } from '../../flows/index.ts';
import { trialFindings } from './trial-findings.ts';

/** What may go wrong in a flow: by its looks, as `flow.lint()` tells, and by trial runs of its strategies on a simulated internet. Errors: `ERR_USAGE`. */
export async function lintFlow(flow: Flow): Promise<readonly Finding[]> {
  flowOf('flow', flow);
  return [...flow.lint(), ...(await trialFindings(flow))];
}
