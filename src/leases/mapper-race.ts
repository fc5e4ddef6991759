import type { Clock, TimerHandle } from '../core/clock.ts';
import { formatEndpoint } from '../core/endpoint.ts';
import { asTraversalError, type ErrorCode, TraversalError } from '../core/errors.ts';
import type { MappingAttempt } from '../core/port-lease.ts';
import type { Mapping, MappingRequest, PortMapper } from '../core/port-mapper.ts';
import { isSameEntry } from './gateway-entry.ts';

export interface MapperRaceOptions {
  /** In the order of their start; at least one. */
  readonly mappers: readonly PortMapper[];
  readonly request: MappingRequest;
  readonly clock: Clock;
  /** ms for all of them. */
  readonly within: number;
  readonly signal: AbortSignal;
  /** Given each mapping that came when none was wanted any more, with who made it. */
  readonly discard: (late: Mapping, maker: PortMapper) => void;
}

export interface MapperRace {
  /**
   * Of the first that succeeds. Rejects with a {@link MapperRaceError} when none does in time, and with `ERR_ABORTED`; by then the
   * others have been aborted.
   */
  readonly winner: Promise<MapperWin>;
  /** Fulfils when all that were asked have ended, which is soon after `winner` has settled. */
  readonly settled: Promise<void>;
}

export interface MapperWin {
  readonly mapping: Mapping;
  readonly maker: PortMapper;
  readonly attempts: readonly MappingAttempt[];
  /** Whether others were asking when this one won: a gateway that keeps one entry for all protocols may lose it to their taking back. */
  readonly contested: boolean;
}

/** No protocol made a mapping; `code` is of the one whose failure says most, which is the `cause`. */
export class MapperRaceError extends TraversalError {
  override readonly name = 'MapperRaceError';
  /** In the order they ended. */
  readonly attempts: readonly MappingAttempt[];

  constructor(attempts: readonly MappingAttempt[], cause: TraversalError) {
    const reasons = attempts.map(({ via, reason }) => `${via}: ${reason}`);
    super(cause.code, `no port mapping: ${reasons.join('; ')}`, { cause });
    this.attempts = attempts;
  }
}

/**
 * Asks for one mapping by several protocols: each starts when those before it have failed, and 250 ms after the one before it at the
 * latest. Where the first is answered, the others are not even asked.
 */
export function raceMappers({ mappers, request, clock, within, signal, discard }: MapperRaceOptions): MapperRace {
  const ended = new AbortController();
  /** Those that are asking, and since when. */
  const asking = new Map<PortMapper, number>();
  const attempts: MappingAttempt[] = [];
  const failures: TraversalError[] = [];
  const calls: Promise<void>[] = [];
  const waiting = [...mappers];
  let won: Mapping | undefined;
  let stagger: TimerHandle;

  const winner = new Promise<MapperWin>((resolve, reject) => {
    function startNext(): void {
      clock.clearTimeout(stagger);
      const mapper = waiting.shift();
      if (mapper === undefined) return;
      if (waiting.length > 0) stagger = clock.setTimeout(startNext, STAGGER);
      asking.set(mapper, clock.now());
      const call = mapper.map(request, { signal: ended.signal }).then(
        (mapping) => succeeded(mapper, mapping),
        (error: unknown) => failed(mapper, asTraversalError(error, 'ERR_NETWORK')),
      );
      calls.push(call);
    }

    function succeeded(maker: PortMapper, mapping: Mapping): void {
      if (ended.signal.aborted) {
        if (won === undefined || !isSameEntry(mapping, won)) discard(mapping, maker);
        return;
      }
      won = mapping;
      note(maker, `${formatEndpoint(mapping.external)} leads to ${formatEndpoint(mapping.internal)}`);
      const contested = asking.size > 0;
      end(`${maker.name} was faster`);
      resolve({ mapping, maker, attempts, contested });
    }

    function failed(mapper: PortMapper, error: TraversalError): void {
      if (ended.signal.aborted) return;
      failures.push(error);
      note(mapper, withoutPrefix(error.message, mapper.name), error.code);
      if (asking.size > 0) return;
      if (waiting.length > 0) {
        startNext();
      } else {
        end();
        lose();
      }
    }

    function lose(): void {
      reject(new MapperRaceError(attempts, mostTelling(failures)));
    }

    /** One attempt is over. */
    function note(mapper: PortMapper, reason: string, code?: ErrorCode): void {
      const startedAt = asking.get(mapper)!;
      asking.delete(mapper);
      attempts.push({ via: mapper.name, reason, ...(code && { code }), startedAt, endedAt: clock.now() });
    }

    /** `reason` is why those that are still asking are not waited for. */
    function end(reason = '', code?: ErrorCode): void {
      for (const mapper of asking.keys()) note(mapper, reason, code);
      clock.clearTimeout(stagger);
      clock.clearTimeout(deadline);
      signal.removeEventListener('abort', aborted);
      ended.abort();
    }

    function timedOut(): void {
      const error = new TraversalError('ERR_TIMEOUT', `not done within ${within / 1000} s`);
      failures.push(error);
      end(error.message, error.code);
      lose();
    }

    function aborted(): void {
      end('not wanted any more');
      reject(new TraversalError('ERR_ABORTED', 'mapping a port: aborted', { cause: signal.reason }));
    }

    const deadline = clock.setTimeout(timedOut, within);
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) aborted();
    else startNext();
  });

  const allEnded = async (): Promise<void> => void (await Promise.all(calls));
  return { winner, settled: winner.then(allEnded, allEnded) };
}

function mostTelling(errors: readonly TraversalError[]): TraversalError {
  const weight = ({ code }: TraversalError): number => WEIGHT[code] ?? 1;
  return errors.reduce((best, error) => (weight(error) > weight(best) ? error : best));
}

/** What a gateway said tells more than that it made no sense, this more than silence, and that more than that there is none. */
const WEIGHT: Partial<Record<ErrorCode, number>> = {
  ERR_MAPPING_REFUSED: 4,
  ERR_MAPPING_EXHAUSTED: 4,
  ERR_MAPPING_CONFLICT: 4,
  ERR_GATEWAY_PROTOCOL: 3,
  ERR_TIMEOUT: 2,
  ERR_MAPPING_UNAVAILABLE: 0,
};

/** Adapters put their name before what they say. */
function withoutPrefix(message: string, name: string): string {
  return message.startsWith(name) ? message.slice(name.length).replace(/^:? /, '') : message;
}

/** ms of head start: the answer of a gateway on the same network takes a few, so that usually one protocol alone is asked. */
const STAGGER = 250;
