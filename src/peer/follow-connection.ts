import type { Clock, TimerHandle } from '../core/clock.ts';
import type { Connection } from './connection.ts';
import type { PeerObserver } from './peer-observer.ts';
import type { ConnectionRuntime } from './runtime-contract.ts';

/** Tells an observer how a connection gets on, until it has ended. */
export function followConnection(
  connection: Connection,
  runtime: Pick<ConnectionRuntime, 'evidence'>,
  clock: Clock,
  observer: PeerObserver,
): void {
  let timer: TimerHandle | undefined;
  let changedAt = clock.now();
  let toldAt = Number.NEGATIVE_INFINITY;

  const tellPairs = (): void => observer.pairs?.(connection.id, runtime.evidence().pairs);
  const look = (): void => {
    const now = clock.now();
    tellPairs();
    const stats = connection.stats();
    if (stats !== undefined && now - toldAt >= CALM) {
      toldAt = now;
      observer.stats?.(connection.id, stats);
    }
    timer = clock.setTimeout(look, now - changedAt < LIVELY_FOR ? LIVELY : CALM);
  };
  look();

  connection.state$.subscribe(() => {
    const now = clock.now();
    const wasCalm = now - changedAt >= LIVELY_FOR;
    changedAt = now;
    if (!wasCalm) return;
    clock.clearTimeout(timer);
    timer = clock.setTimeout(look, LIVELY);
  });
  connection.verdict.then((verdict) => {
    clock.clearTimeout(timer);
    tellPairs();
    observer.verdict?.(connection.id, verdict);
  });
}

/** ms between two looks after the chart has changed its state, for how long that is, and otherwise. */
const LIVELY = 100;
const LIVELY_FOR = 5_000;
const CALM = 1_000;
