import {
  catchError,
  defer,
  distinct,
  EMPTY,
  filter,
  ignoreElements,
  map,
  merge,
  type Observable,
  takeUntil,
  tap,
} from 'rxjs';
import { type Endpoint, formatEndpoint } from '../../core/endpoint.ts';
import type { DatagramSocket } from '../../core/network.ts';
import type { PathEnvironment } from '../../core/strategy.ts';
import { paced } from '../../streams/paced.ts';

export interface ProbingOptions {
  /** The strategy's own; absent: the peer's. */
  readonly socket?: DatagramSocket;
  /** One probe each, in this order, until the other side is heard. */
  readonly targets: readonly Endpoint[];
  /** Probes a second. */
  readonly rate: number;
  /** Whether what was heard from there may become a path. */
  readonly expects: (from: Endpoint) => boolean;
}

/** Where the other side was heard from, on which of the strategy's sockets. */
export interface Heard {
  readonly remote: Endpoint;
  readonly socket: DatagramSocket | undefined;
}

/** A path, and the strategy's socket that it has taken. */
export interface Reached {
  readonly path: string;
  readonly socket: DatagramSocket | undefined;
}

/** Probes, and listens until it is unsubscribed from; emits each address that the other side is heard from. */
export function probe(env: PathEnvironment, { socket, targets, rate, expects }: ProbingOptions): Observable<Heard> {
  return defer(() => {
    const prober = env.prober(socket);
    const heard$ = prober.heard$.pipe(filter(expects), distinct(formatEndpoint));
    const sending$ = paced(env.clock, targets.length, rate).pipe(
      tap((i) => prober.send(targets[i]!)),
      ignoreElements(),
      takeUntil(heard$),
    );
    return merge(heard$, sending$).pipe(map((remote) => ({ remote, socket })));
  });
}

/** Makes sure that it is the other side: the path, or nothing. Where it was heard and cannot be reached, another may be. */
export function prove(env: PathEnvironment, { remote, socket }: Heard): Observable<Reached> {
  return defer(() => env.validate({ remote, ...(socket && { socket }) })).pipe(
    map((path) => ({ path, socket })),
    catchError(() => EMPTY),
  );
}
