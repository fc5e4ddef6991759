import { type Candidate, candidateKey, type RemoteCandidate } from '../core/candidate.ts';
import type { NatBehavior } from '../core/nat-behavior.ts';
import type { Policy } from '../core/policy.ts';
import type { Discovery } from './discovery.ts';
import { toldCandidates } from './local-candidates.ts';

/** This side's candidates as one connection knows and tells them. */
export interface OwnCandidates {
  readonly current: readonly Candidate[];
  /** No more are expected for now. */
  readonly isComplete: boolean;
  /** What every message that begins something tells of this side. */
  state(): { candidates: readonly RemoteCandidate[]; behavior: NatBehavior; end: boolean };
  /** Those that are new since the last call. */
  takeFresh(): readonly Candidate[];
  /** An address that was taken is ours no more: a NAT that rebooted, a network that was left. */
  hasLost(): boolean;
  /** All are new again. */
  forget(): void;
}

export function createOwnCandidates(discovery: Discovery, policy: Policy): OwnCandidates {
  let taken = new Set<string>();
  const current = (): readonly Candidate[] => (policy === 'relay-only' ? [] : discovery.current.candidates);
  const isComplete = (): boolean => policy === 'relay-only' || discovery.current.complete;
  return {
    get current() {
      return current();
    },
    get isComplete() {
      return isComplete();
    },
    state: () => ({
      candidates: toldCandidates(current(), policy),
      behavior: discovery.current.behavior,
      end: isComplete(),
    }),
    takeFresh() {
      const fresh = current().filter((candidate) => !taken.has(candidateKey(candidate)));
      for (const candidate of fresh) taken.add(candidateKey(candidate));
      return fresh;
    },
    hasLost() {
      const own = new Set(current().map(candidateKey));
      return [...taken].some((key) => !own.has(key));
    },
    forget() {
      taken = new Set();
    },
  };
}
