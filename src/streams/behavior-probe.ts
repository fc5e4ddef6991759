import {
  catchError,
  concat,
  defer,
  EMPTY,
  ignoreElements,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  takeUntil,
  tap,
} from 'rxjs';
import type { Binding } from '../core/binding.ts';
import type { Clock } from '../core/clock.ts';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import { TraversalError } from '../core/errors.ts';
import type { NatBehavior } from '../core/nat-behavior.ts';
import type { Random } from '../core/random.ts';
import { alternates, classify, type FilteringTest, otherAddress } from '../protocol/behavior/index.ts';
import { after } from './after.ts';
import type { PacketRouter } from './packet-router.ts';
import { type StunTransactionOptions, stunTransaction } from './stun-transaction.ts';

export interface BehaviorProbeOptions {
  readonly router: PacketRouter;
  /** STUN servers of the socket's family; two addresses, or one that gives OTHER-ADDRESS, settle the mapping. */
  readonly servers: readonly Endpoint[];
  readonly clock: Clock;
  readonly random: Random;
  /** The endpoints that the socket has on this host. */
  readonly locals: readonly Endpoint[];
  /**
   * Also tests the filtering with the first server, which must give OTHER-ADDRESS (RFC 5780 section 4.4), before the
   * others are asked. Needs a socket that has not yet sent to any of the servers: what was sent to is let in anyway.
   */
  readonly filtering?: boolean;
  /** ms for all servers to answer in, 2000 by default; with `filtering` at most three times as long. */
  readonly timeout?: number;
}

export type BehaviorEvent =
  | { readonly type: 'binding'; readonly binding: Binding }
  | { readonly type: 'behavior'; readonly behavior: NatBehavior };

/**
 * Asks all servers in parallel from one socket, and the other addresses that they name. Emits each binding as it comes,
 * then one behavior with the whole evidence, and completes. Silent and refusing servers are evidence, not errors.
 */
export function probeBehavior(options: BehaviorProbeOptions): Observable<BehaviorEvent> {
  const { servers, clock, locals, filtering = false, timeout = 2000 } = options;
  return defer(() => {
    const bindings: Binding[] = [];
    const tests: FilteringTest[] = [];
    /** What went wrong with each server that was asked; nothing once it has answered. */
    const problems = new Map<string, string | undefined>();

    const ask = (server: Endpoint): Observable<Binding> => {
      const key = formatEndpoint(server);
      if (problems.has(key)) return EMPTY;
      problems.set(key, `${key}: no answer`);
      return quickTransaction(options, { server }).pipe(
        tap((binding) => {
          problems.set(key, undefined);
          bindings.push(binding);
        }),
        catchError((error: unknown) => {
          problems.set(key, asFailedTransaction(error).message);
          return EMPTY;
        }),
      );
    };
    const askAlternates = (binding: Binding): Observable<Binding> => merge(...alternates(binding).map(ask));
    const explore = (server: Endpoint): Observable<Binding> =>
      ask(server).pipe(mergeMap((binding) => concat(of(binding), askAlternates(binding))));

    const testFiltering = ({ server }: Binding, change: { changeIp: boolean }, from: Endpoint): Observable<never> =>
      quickTransaction(options, {
        server,
        attributes: [{ type: 'change-request', changePort: true, ...change }],
        answerFrom: from,
      }).pipe(
        map(() => 'answered' as const),
        catchError((error: unknown) =>
          of(asFailedTransaction(error).code === 'ERR_STUN_TIMEOUT' ? ('silent' as const) : ('refused' as const)),
        ),
        tap((outcome) => tests.push({ server, from, outcome })),
        ignoreElements(),
      );
    const testAllFiltering = (binding: Binding): Observable<never> => {
      const other = otherAddress(binding);
      if (other === undefined) {
        const key = formatEndpoint(binding.server);
        problems.set(key, `${key}: filtering not tested, for it has no other address`);
        return EMPTY;
      }
      return merge(
        testFiltering(binding, { changeIp: true }, other),
        testFiltering(binding, { changeIp: false }, { ...binding.server, port: other.port }),
      );
    };

    const [first, ...others] = servers;
    const bindings$ =
      filtering && first !== undefined
        ? concat(
            ask(first),
            defer(() => merge(...bindings.map(testAllFiltering))),
            defer(() => merge(...bindings.map(askAlternates), ...others.map(explore))),
          )
        : merge(...servers.map(explore));
    const behavior$ = defer((): Observable<BehaviorEvent> => {
      const behavior = classify(bindings, locals, tests);
      return of({
        type: 'behavior',
        behavior: {
          ...behavior,
          evidence: [...behavior.evidence, ...[...problems.values()].filter((problem) => problem !== undefined)],
        },
      });
    });
    return concat(
      bindings$.pipe(
        takeUntil(after(clock, filtering ? 3 * timeout : timeout)),
        map((binding): BehaviorEvent => ({ type: 'binding', binding })),
      ),
      behavior$,
    );
  });
}

/**
 * Five transmissions within the timeout, the second after a twentieth of it: a lost packet costs 100 ms of 2 s. That is
 * quicker than the 500 ms that RFC 8489 section 6.2.1 recommends, for at most five packets of 28 bytes to a server.
 */
function quickTransaction(
  { router, clock, random, timeout = 2000 }: BehaviorProbeOptions,
  request: Pick<StunTransactionOptions, 'server' | 'attributes' | 'answerFrom'>,
): Observable<Binding> {
  return stunTransaction({ router, clock, random, rto: timeout / 20, rc: 5, rm: 5, ...request });
}

function asFailedTransaction(error: unknown): TraversalError {
  if (error instanceof TraversalError) return error;
  throw error;
}
