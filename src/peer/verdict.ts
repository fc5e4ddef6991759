import type { ErrorCode } from '../core/errors.ts';
import type { NatBehavior } from '../core/nat-behavior.ts';
import type { PathInfo } from '../core/path.ts';
import type { Attempt, Verdict } from '../core/verdict.ts';
import type { ConnectionOutput } from '../machines/connection-setup.ts';
import { mappingAdvice } from './mapping-evidence.ts';
import type { Evidence } from './runtime-contract.ts';

export interface VerdictInput {
  readonly output: ConnectionOutput;
  readonly evidence: Evidence;
  /** Every path that was ever validated, in order. */
  readonly paths: readonly PathInfo[];
  readonly attempts: readonly Attempt[];
}

/** Puts into words how a connection went: what was tried and seen, which evidence decided, what would have helped. */
export function makeVerdict({ output, evidence, paths, attempts }: VerdictInput): Verdict {
  const { failure } = output;
  const last = output.current?.info ?? paths.at(-1);
  const outcome = failure !== undefined || last === undefined ? 'failed' : last.kind;
  return {
    outcome,
    ...(failure && { code: failure.code }),
    summary: failure?.message ?? (last === undefined ? 'closed before any path stood' : `connected ${describe(last)}`),
    paths,
    attempts,
    behaviors: evidence.behaviors,
    candidates: { local: evidence.local, remote: evidence.remote },
    advice: wantsDirect(outcome, failure?.code) ? advise(evidence) : [],
  };
}

/** Whether a direct path would have made the difference. */
function wantsDirect(outcome: Verdict['outcome'], code: ErrorCode | undefined): boolean {
  return outcome === 'relayed' || code === 'ERR_PUNCH_EXHAUSTED' || code === 'ERR_TIMEOUT';
}

/** What strategies have tried; of the connectivity checks, all rounds in one, with what the pairs tell of them. */
export function withChecks(attempts: readonly Attempt[], evidence: Evidence, endedAt: number): readonly Attempt[] {
  if (evidence.pairs.length === 0) return attempts;
  return [checksAttempt(evidence, endedAt), ...attempts.filter(({ strategy }) => strategy !== CHECKS)];
}

const CHECKS = 'checks';

function checksAttempt({ pairs }: Evidence, endedAt: number): Attempt {
  const valid = pairs.filter((pair) => pair.state === 'succeeded');
  const sum = (count: (pair: Evidence['pairs'][number]) => number) => pairs.reduce((total, p) => total + count(p), 0);
  return {
    strategy: CHECKS,
    ok: valid.length > 0,
    reason:
      valid.length > 0 ? `${valid.length} of ${pairs.length} pairs valid` : `none of ${pairs.length} pairs answered`,
    startedAt: 0,
    endedAt,
    sent: sum((pair) => pair.requestsSent),
    received: sum((pair) => pair.responsesReceived),
  };
}

function describe({ kind, transport, remote }: PathInfo): string {
  return kind === 'direct' ? `directly over ${transport} to ${remote}` : `through a relay (${transport}, ${remote})`;
}

function advise({ behaviors, local, remote, ports }: Evidence): string[] {
  const advice: string[] = [];
  // Without a NAT there is nothing to map.
  const mapping = behaviors.mine.translated === false ? undefined : mappingAdvice(ports);
  const sides = [
    ['this side', behaviors.mine, local],
    ['the other side', behaviors.theirs, remote],
  ] as const;
  for (const [side, behavior, candidates] of sides) {
    if (isAddressAndPortDependent(behavior)) {
      const isMapped = candidates.some(({ type }) => type === 'mapped');
      const remedy = isMapped ? '' : '; a port mapping on its router would help';
      advice.push(`${side}'s NAT gives each destination another port${remedy}`);
    } else if (
      candidates.length > 0 &&
      candidates.every(({ type }) => type === 'host') &&
      behavior.translated !== false
    ) {
      advice.push(`${side} learned no server-reflexive address: is UDP to the STUN server blocked?`);
    }
  }
  return mapping === undefined ? advice : [...advice, mapping];
}

function isAddressAndPortDependent({ mapping }: NatBehavior): boolean {
  return mapping === 'address-and-port-dependent';
}
