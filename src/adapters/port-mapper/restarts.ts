import { type Observable, Subject } from 'rxjs';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { GatewayRestart } from '../../core/port-mapper.ts';

/**
 * Tells of restarts of gateways, at most once in 10 s for each: what says so can be forged by anybody in the local network, and must not
 * keep those busy who then make their mappings again. A further one is told when that time is over.
 */
export interface Restarts {
  /** Hot; completes on close. Never errors. */
  readonly restarts$: Observable<GatewayRestart>;
  /** `gateway` is its numeric address. */
  tell(gateway: string): void;
  close(): void;
}

export function createRestarts(clock: Clock): Restarts {
  const told = new Subject<GatewayRestart>();
  /** `clock.now()` in ms of the last one told, by gateway. */
  const lastAt = new Map<string, number>();
  /** Of what is told later. */
  const timers = new Map<string, TimerHandle>();
  let closed = false;

  function emit(gateway: string): void {
    timers.delete(gateway);
    lastAt.set(gateway, clock.now());
    told.next({ gateway });
  }

  return {
    restarts$: told.asObservable(),
    tell(gateway) {
      if (closed || timers.has(gateway)) return;
      const wait = (lastAt.get(gateway) ?? Number.NEGATIVE_INFINITY) + INTERVAL - clock.now();
      if (wait <= 0) emit(gateway);
      else
        timers.set(
          gateway,
          clock.setTimeout(() => emit(gateway), wait),
        );
    },
    close() {
      closed = true;
      for (const timer of timers.values()) clock.clearTimeout(timer);
      timers.clear();
      told.complete();
    },
  };
}

/** ms: no gateway starts faster. */
const INTERVAL = 10_000;
