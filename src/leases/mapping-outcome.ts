import { type ErrorCode, TraversalError } from '../core/errors.ts';
import type { MappingAttempt } from '../core/port-lease.ts';
import type { AttemptCounts, StepAttempt, StepFailed, StepOutput, StepSuccess } from '../flows/index.ts';

/** What a race of strategies gave. Anything else is a failure: whatever stood in the race's place may have been provided by anybody. */
export function asMappingOutcome(given: unknown): StepOutput<'mapping'> {
  const outcome = (given ?? {}) as Partial<StepOutput<'mapping'>>;
  const { attempts = [] } = outcome;
  if (outcome.ok === true && outcome.mapping !== undefined) {
    const { mapping, step = 'race', strategy = mapping.via } = outcome;
    return { ok: true, mapping, step, strategy, attempts };
  }
  const reason = outcome.ok === false ? outcome.reason : undefined;
  return { ok: false, reason: reason ?? 'the race gave neither a mapping nor a reason', attempts };
}

/** A success whose mapping nobody here could renew or release is a failure. */
export function disowned({ strategy, attempts }: StepSuccess<'mapping'>): StepFailed {
  const reason = 'no port mapper of the environment has made the mapping that it gave';
  return {
    ok: false,
    reason: `${strategy}: ${reason}`,
    attempts: attempts.map((attempt) => (attempt.ok ? { ...attempt, ok: false, reason } : attempt)),
  };
}

/**
 * The attempts of a race that is over at `now`, as a lease tells them: in the order in which they ended, and those that were abandoned
 * behind the one that they were abandoned for. `times`: of the runs, by their steps; a machine does not know when it abandoned one.
 */
export function mappingAttempts(
  attempts: readonly StepAttempt[],
  times: ReadonlyMap<string, AttemptCounts>,
  now: number,
): readonly MappingAttempt[] {
  const timed = attempts.map((attempt) => {
    const isAbandoned = attempt.endedAt === undefined;
    return { startedAt: now, endedAt: now, ...times.get(attempt.step), ...attempt, isAbandoned };
  });
  const ended = timed.filter(({ isAbandoned }) => !isAbandoned);
  const abandoned = timed.filter(({ isAbandoned }) => isAbandoned).sort((a, b) => a.startedAt - b.startedAt);
  const inOrder = [...ended, ...abandoned].sort((a, b) => a.endedAt - b.endedAt);
  return inOrder.map(({ strategy, reason, code, startedAt, endedAt }) => {
    const isTold = code !== undefined && code !== 'ERR_ABORTED';
    return { via: strategy, reason: withoutPrefix(reason, strategy), ...(isTold && { code }), startedAt, endedAt };
  });
}

/** Why there is no mapping; its code is that of the attempt which says most. `reason` stands in where nothing was tried. */
export function mappingError(attempts: readonly MappingAttempt[], reason: string): TraversalError {
  const reasons = attempts.map((attempt) => `${attempt.via}: ${attempt.reason}`);
  const codes = attempts.flatMap(({ code }) => code ?? []);
  return new TraversalError(mostTelling(codes), `no port mapping: ${reasons.join('; ') || reason}`);
}

function mostTelling(codes: readonly ErrorCode[]): ErrorCode {
  const weight = (code: ErrorCode): number => WEIGHT[code] ?? 1;
  return codes.reduce(
    (best, code) => (weight(code) > weight(best) ? code : best),
    codes[0] ?? 'ERR_MAPPING_UNAVAILABLE',
  );
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
