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
  /** An address that was taken is ours no more: a NAT that rebooted, a network that was left. Those at relays come and go by themselves. */
  hasLost(): boolean;
  /** All are new again. */
  forget(): void;
}

export interface OwnCandidatesOptions {
  readonly discovery: Discovery;
  readonly policy: Policy;
  /** The connection's own addresses at relays, now. */
  readonly relayed: () => readonly Candidate[];
}

export function createOwnCandidates(options: OwnCandidatesOptions): OwnCandidates {
  return new TakenCandidates(options);
}

class TakenCandidates implements OwnCandidates {
  readonly #discovery: Discovery;
  readonly #policy: Policy;
  readonly #relayed: () => readonly Candidate[];
  /** The peer's own objects: a text for each would be this connection's alone. */
  #taken: readonly Candidate[] = [];

  constructor({ discovery, policy, relayed }: OwnCandidatesOptions) {
    this.#discovery = discovery;
    this.#policy = policy;
    this.#relayed = relayed;
  }

  get current(): readonly Candidate[] {
    const relayed = this.#relayed();
    const found = this.#policy === 'relay-only' ? [] : this.#discovery.current.candidates;
    return relayed.length === 0 ? found : [...relayed, ...found];
  }

  get isComplete(): boolean {
    return this.#policy === 'relay-only' || this.#discovery.current.complete;
  }

  state(): { candidates: readonly RemoteCandidate[]; behavior: NatBehavior; end: boolean } {
    return {
      candidates: toldCandidates(this.current, this.#policy),
      behavior: this.#discovery.current.behavior,
      end: this.isComplete,
    };
  }

  takeFresh(): readonly Candidate[] {
    const taken = new Set(this.#taken.map(candidateKey));
    const fresh = this.current.filter((candidate) => !taken.has(candidateKey(candidate)));
    this.#taken = [...this.#taken, ...fresh];
    return fresh;
  }

  hasLost(): boolean {
    const own = new Set(this.current.map(candidateKey));
    return this.#taken.some((candidate) => candidate.type !== 'relay' && !own.has(candidateKey(candidate)));
  }

  forget(): void {
    this.#taken = [];
  }
}
