import { BehaviorSubject, combineLatest, distinctUntilChanged, map } from 'rxjs';
import type { Environment } from '../core/environment.ts';
import { type Discovery, type Reachability, sameCandidates } from './discovery.ts';
import { mappedCandidates } from './local-candidates.ts';
import type { MappedPort, MappedPorts } from './mapped-ports.ts';

/**
 * A discovery whose candidates include those of the peer's port mappings, which come and go with them. Nothing waits
 * for them: what is complete without a mapping stays complete when one comes.
 */
export function withMappedPorts(
  discovery: Discovery,
  { ports$ }: Pick<MappedPorts, 'ports$'>,
  env: Pick<Environment, 'loopback'>,
): Discovery {
  const state = new BehaviorSubject(discovery.current);
  const subscription = combineLatest([discovery.reachability$, ports$])
    .pipe(
      map(([found, ports]) => withMapped(found, ports, env)),
      distinctUntilChanged(isSame),
    )
    .subscribe((reachability) => state.next(reachability));
  return {
    get current() {
      return state.value;
    },
    reachability$: state,
    look: (servers) => discovery.look(servers),
    close() {
      subscription.unsubscribe();
      discovery.close();
      state.complete();
    },
  };
}

/** Mapped ones stand before those over TCP, the first to be left out where there are too many to tell. */
function withMapped(
  { candidates, ...found }: Reachability,
  ports: readonly MappedPort[],
  env: Pick<Environment, 'loopback'>,
): Reachability {
  const mappings = ports.flatMap(({ lease }) => (lease.state === 'mapped' ? [lease.mapping] : []));
  const mapped = mappedCandidates(mappings, candidates, env);
  const isUdp = ({ transport }: Reachability['candidates'][number]): boolean => transport === 'udp';
  const udp = candidates.filter(isUdp);
  const tcp = candidates.filter((candidate) => !isUdp(candidate));
  return { ...found, candidates: [...udp, ...mapped, ...tcp] };
}

function isSame(a: Reachability, b: Reachability): boolean {
  return a.behavior === b.behavior && a.complete === b.complete && sameCandidates(a.candidates, b.candidates);
}
