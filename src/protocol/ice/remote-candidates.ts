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
  const known = new Map<string, KnownRemote>();

  function hasRoom(learned: boolean): boolean {
    return [...known.values()].filter((other) => other.learned === learned).length < max;
  }

  return {
    all: () => [...known.values()],
    add(candidate) {
      const key = candidateKey(candidate);
      const before = known.get(key);
      const wasSignalled = before !== undefined && !before.learned;
      if (wasSignalled && before.candidate.priority >= candidate.priority) return true;
      if (!wasSignalled && !hasRoom(false)) return false;
      known.set(key, { candidate, learned: false, heard: before?.heard ?? false });
      return true;
    },
    hear(from, on, priority) {
      const transport = counterpart(on);
      const key = candidateKey({ endpoint: from, ...transport });
      const before = known.get(key);
      if (before !== undefined) {
        before.heard = true;
        return { remote: before, isNew: false };
      }
      if (!hasRoom(true)) return undefined;
      const candidate = remotePeerReflexive(from, priority, transport);
      const remote: KnownRemote = { candidate, learned: true, heard: true };
      known.set(key, remote);
      return { remote, isNew: true };
    },
  };
}
