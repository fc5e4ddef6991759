import {
  catchError,
  from,
  fromEvent,
  lastValueFrom,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  partition,
  reduce,
  share,
  takeUntil,
  takeWhile,
} from 'rxjs';
import { asTraversalError, TraversalError } from '../../../core/errors.ts';
import type { Gateway } from '../../../core/network.ts';
import type { PortMapperEnvironment } from '../../../core/port-mapper.ts';
import { type FoundDevice, isDefaultGateway, searchDevices } from './gateway-search.ts';
import type { GatewayTalk, IgdGateway } from './igd-gateway.ts';

/**
 * The gateway to use among those that answer: that of the default route if it is on the internet, at once; else, when the search is
 * over, the one that is on the internet, or that of the default route. Errors: `ERR_MAPPING_UNAVAILABLE` when none answers; when none can be
 * used, that of the default route's, or of another; what `signal` was aborted with.
 */
export async function findGateway(
  environment: PortMapperEnvironment,
  talk: GatewayTalk,
  signal: AbortSignal,
): Promise<IgdGateway> {
  const gateways = await defaultGateways(environment);
  signal.throwIfAborted();
  const enough = new AbortController();
  const working = AbortSignal.any([signal, enough.signal]);

  /** The outcome of one device, ranked. */
  function inspect({ location, bootId }: FoundDevice): Observable<Outcome> {
    const isDefault = isDefaultGateway(location.address, gateways);
    return from(talk.describe(location, working)).pipe(
      map((gateway) => ({ gateway: { ...gateway, bootId }, rank: rankOf(isDefault, gateway.connected) })),
      catchError((error) => of({ error: asTraversalError(error, 'ERR_NETWORK'), rank: isDefault ? 0 : -1 })),
    );
  }

  // Those of the default routes do not wait behind a crowd.
  const [expected, others] = partition(searchDevices(environment, gateways).pipe(share()), ({ location }) =>
    isDefaultGateway(location.address, gateways),
  );
  try {
    const best = await lastValueFrom(
      merge(expected.pipe(mergeMap(inspect)), others.pipe(mergeMap(inspect, MAX_INSPECTED_AT_ONCE))).pipe(
        takeWhile(({ rank }) => rank < BEST_RANK, true),
        takeUntil(fromEvent(signal, 'abort')),
        reduce((best: Outcome, outcome) => (outcome.rank > best.rank ? outcome : best), { rank: LEAST_RANK }),
      ),
    );
    signal.throwIfAborted();
    if (best.gateway === undefined) throw best.error ?? nothingFound();
    return best.gateway;
  } finally {
    enough.abort();
  }
}

interface Outcome {
  readonly rank: number;
  readonly gateway?: IgdGateway;
  readonly error?: TraversalError;
}

function rankOf(isDefault: boolean, connected: boolean): number {
  return 1 + (isDefault ? 1 : 0) + (connected ? 2 : 0);
}

/** Of no outcome at all; those of failures are above it. */
const LEAST_RANK = -2;
const BEST_RANK = rankOf(true, true);

function nothingFound(): TraversalError {
  const message = 'no gateway answers to UPnP: it has none, or it is switched off there';
  return new TraversalError('ERR_MAPPING_UNAVAILABLE', message);
}

/** Without them the search is by multicast alone. */
async function defaultGateways({ network, log }: PortMapperEnvironment): Promise<readonly Gateway[]> {
  try {
    return (await network.gateways()).filter(({ family }) => family === 4);
  } catch (error) {
    log('upnp.no-gateways', { error: String(error) });
    return [];
  }
}

/** Of those that are on no default route. */
const MAX_INSPECTED_AT_ONCE = 8;
