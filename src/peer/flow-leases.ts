import { map, type Observable } from 'rxjs';
import type { Environment } from '../core/environment.ts';
import { unknownBehavior } from '../core/nat-behavior.ts';
import type { Policy } from '../core/policy.ts';
import type { PortLeases } from '../core/port-lease.ts';
import type { Facts } from '../core/strategy.ts';
import type { Flow } from '../flows/index.ts';
import { createPortLeases } from '../leases/port-leases.ts';
import type { Inspect } from '../machines/inspect.ts';
import type { Discovery } from './discovery.ts';

export interface FlowLeasesOptions {
  readonly env: Environment;
  readonly flow: Pick<Flow, 'map'>;
  readonly policy: Policy;
  readonly discovery: Pick<Discovery, 'reachability$'>;
  /** STUN servers that are known by now, `host:port`. */
  readonly stun: () => readonly string[];
  readonly inspect: Inspect | undefined;
}

/** What opens the port leases of a peer; `undefined` where no gateway is to be asked: by the flow, or for want of a port mapper. */
export function flowLeases(options: FlowLeasesOptions): (() => PortLeases) | undefined {
  const { env, flow, policy, discovery, stun, inspect } = options;
  const { network, clock, random, log, mappers = [], leaseJournal } = env;
  const { map: composed } = flow;
  if (composed === undefined || mappers.length === 0) return undefined;
  return () =>
    createPortLeases({
      network,
      clock,
      random,
      log,
      mappers,
      map: composed,
      facts$: factsOf(discovery, policy),
      stun,
      journal: leaseJournal?.(),
      inspect,
    });
}

/** What is known of this side alone. */
function factsOf({ reachability$ }: Pick<Discovery, 'reachability$'>, policy: Policy): Observable<Facts> {
  return reachability$.pipe(
    map(({ candidates, behavior }): Facts => {
      const behaviors = { mine: behavior, theirs: unknownBehavior };
      return { role: 'listener', policy, local: candidates, remote: [], behaviors };
    }),
  );
}
