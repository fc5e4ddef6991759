import type { Candidate, RemoteCandidate } from './candidate.ts';
import type { ErrorCode } from './errors.ts';
import type { NatBehavior } from './nat-behavior.ts';
import type { PathInfo } from './path.ts';

/** How a connection went and why: what was tried, what was seen, which evidence decided, what would have helped. */
export interface Verdict {
  readonly outcome: 'direct' | 'relayed' | 'failed';
  readonly code?: ErrorCode;
  /** One sentence for people. */
  readonly summary: string;
  readonly paths: readonly PathInfo[];
  readonly attempts: readonly Attempt[];
  readonly behaviors: { readonly mine: NatBehavior; readonly theirs: NatBehavior };
  readonly candidates: { readonly local: readonly Candidate[]; readonly remote: readonly RemoteCandidate[] };
  readonly advice: readonly string[];
}

/** One strategy's run: what it sent and saw, and how it ended. */
export interface Attempt {
  readonly strategy: string;
  readonly ok: boolean;
  readonly reason: string;
  /** ms from the connection's start; negative for what the peer had done before. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Packets; absent where nobody counts them. */
  readonly sent?: number;
  readonly received?: number;
}
