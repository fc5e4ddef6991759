import { candidateKey, type RemoteCandidate } from '../../core/candidate.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import { counterpart } from './admission.ts';
import type { LocalSocket } from './candidate-pair.ts';
import { remotePeerReflexive } from './peer-reflexive.ts';

/** A candidate of the other side, and how it became known. */
export interface KnownRemote {
  readonly candidate: RemoteCandidate;
  /** Known from a check only: nobody has signalled it. */
  readonly learned: boolean;
  /** A check came from its address. */
  heard: boolean;
}

/** The other side's candidates: as many signalled as learned ones at most, each one a transport and address. */
export interface RemoteCandidates {
  all(): readonly KnownRemote[];
  /**
   * A signalled candidate; false when there are too many. It takes the place of a peer-reflexive one at its address
   * (RFC 8838 section 11), and of a signalled one with a lower priority.
   */
  add(candidate: RemoteCandidate): boolean;
  /**
   * A check came from `from`: its candidate, a new peer-reflexive one if need be (RFC 8445 section 7.3.1.3, RFC 6544
   * section 7.2), or `undefined` when there are too many.
   */
  hear(from: Endpoint, on: LocalSocket, priority: number): { remote: KnownRemote; isNew: boolean } | undefined;
}

/** `max` bounds the signalled ones and, separately, the learned ones. */
export function createRemoteCandidates(max: number): RemoteCandidates {
  return new KnownRemotes(max);
}

class KnownRemotes implements RemoteCandidates {
  readonly #max: number;
  readonly #known = new Map<string, KnownRemote>();

  constructor(max: number) {
    this.#max = max;
  }

  all(): readonly KnownRemote[] {
    return [...this.#known.values()];
  }

  add(candidate: RemoteCandidate): boolean {
    const key = candidateKey(candidate);
    const before = this.#known.get(key);
    const wasSignalled = before !== undefined && !before.learned;
    if (wasSignalled && before.candidate.priority >= candidate.priority) return true;
    if (!wasSignalled && !this.#hasRoom(false)) return false;
    this.#known.set(key, { candidate, learned: false, heard: before?.heard ?? false });
    return true;
  }

  hear(from: Endpoint, on: LocalSocket, priority: number): { remote: KnownRemote; isNew: boolean } | undefined {
    const transport = counterpart(on);
    const key = candidateKey({ endpoint: from, ...transport });
    const before = this.#known.get(key);
    if (before !== undefined) {
      before.heard = true;
      return { remote: before, isNew: false };
    }
    if (!this.#hasRoom(true)) return undefined;
    const candidate = remotePeerReflexive(from, priority, transport);
    const remote: KnownRemote = { candidate, learned: true, heard: true };
    this.#known.set(key, remote);
    return { remote, isNew: true };
  }

  #hasRoom(learned: boolean): boolean {
    return this.all().filter((other) => other.learned === learned).length < this.#max;
  }
}
