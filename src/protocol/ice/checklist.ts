import { type Candidate, candidateKey, type RemoteCandidate } from '../../core/candidate.ts';
import { type Endpoint, sameEndpoint } from '../../core/endpoint.ts';
import { canPair } from './admission.ts';
import {
  type CandidatePair,
  type LocalSocket,
  type PairFailure,
  pairId,
  pairPriority,
  socketKey,
} from './candidate-pair.ts';
import type { IceRole } from './contract.ts';
import { createRemoteCandidates, type KnownRemote } from './remote-candidates.ts';
import { unfreeze, unfreezeNext } from './unfreezing.ts';

/**
 * The candidate pairs of one component and the order in which they are checked (RFC 8445 sections 6.1.2 and 6.1.4.2,
 * RFC 8838 section 12). A local candidate stands for the socket of its base, and one socket makes one pair with one
 * remote candidate: that is the pruning of section 6.1.2.4, done before the redundant pairs exist. A passive TCP
 * candidate is paired with those only that a check came from (RFC 6544 section 6.2).
 */
export interface Checklist {
  readonly locals: readonly Candidate[];
  remotes(): readonly RemoteCandidate[];
  find(pairId: string): CandidatePair | undefined;
  /** How many pairs there are. */
  size(): number;
  /** Best first. */
  ordered(): readonly CandidatePair[];
  /** The role, and with it the order, has changed. */
  reorder(): void;
  /** A candidate with the address and base of another is ignored unless it has a higher priority. */
  addLocal(candidate: Candidate): void;
  /**
   * A signalled candidate; false when there are too many. It gives its type and priority to a peer-reflexive one at its
   * address.
   */
  addRemote(candidate: RemoteCandidate): boolean;
  /**
   * A request came from `from`: the pair it belongs to, if it can be paired, and the peer-reflexive candidate, if it is
   * new (RFC 8445 section 7.3.1.3). A source that makes one candidate too many is not remembered.
   */
  hear(from: Endpoint, on: LocalSocket, priority: number): { pair?: CandidatePair; learned?: RemoteCandidate };
  /** Puts a pair into the triggered-check queue (RFC 8445 section 6.1.4.1). */
  trigger(pair: CandidatePair): void;
  /**
   * The pair to be checked next, if any: triggered ones, then waiting ones, then those that are set free when none
   * waits.
   */
  next(): CandidatePair | undefined;
  begin(pair: CandidatePair): void;
  succeed(pair: CandidatePair): void;
  fail(pair: CandidatePair, failure: PairFailure): void;
  retry(pair: CandidatePair): void;
}

export interface ChecklistOptions {
  readonly role: () => IceRole;
  readonly maxRemoteCandidates: number;
  readonly maxPairs: number;
}

export function createChecklist({ role, maxRemoteCandidates, maxPairs }: ChecklistOptions): Checklist {
  const locals: Candidate[] = [];
  const remotes = createRemoteCandidates(maxRemoteCandidates);
  const pairs = new Map<string, CandidatePair>();
  const triggered = new Set<CandidatePair>();
  /** Kept until a pair or a priority changes. */
  let order: readonly CandidatePair[] | undefined;

  /** The best local candidate of a socket that may be paired with the remote one. */
  function localFor(socket: string, remote: RemoteCandidate): Candidate | undefined {
    return locals
      .filter((local) => socketKey(local) === socket && canPair(local, remote))
      .reduce<Candidate | undefined>((best, each) => (best && best.priority >= each.priority ? best : each), undefined);
  }

  function formPairs(): void {
    const sockets = new Set(locals.map(socketKey));
    for (const socket of sockets) {
      for (const remote of remotes.all()) {
        const local = localFor(socket, remote.candidate);
        if (local !== undefined && (local.tcpType !== 'passive' || remote.heard)) formPair(local, remote);
      }
    }
    order = undefined;
    discardWorst();
  }

  function formPair(local: Candidate, { candidate: remote, heard }: KnownRemote): void {
    const id = pairId(local, remote.endpoint);
    const known = pairs.get(id);
    if (known !== undefined) {
      known.local = local;
      known.remote = remote;
      return;
    }
    const pair: CandidatePair = {
      id,
      local,
      remote,
      state: 'frozen',
      checked: false,
      nominated: false,
      nominateOnSuccess: false,
      unproven: 0,
      requestsSent: 0,
      responsesReceived: 0,
      requestsReceived: 0,
    };
    pairs.set(id, pair);
    if (heard) trigger(pair);
  }

  /** RFC 8445 section 6.1.2.5; what has been checked, or is to be checked at the other side's wish, stays. */
  function discardWorst(): void {
    for (const pair of [...ordered()].reverse()) {
      if (pairs.size <= maxPairs) return;
      if (pair.checked || triggered.has(pair)) continue;
      pairs.delete(pair.id);
      order = undefined;
    }
  }

  function ordered(): readonly CandidatePair[] {
    order ??= [...pairs.values()]
      .map((pair) => ({ pair, priority: pairPriority(pair.local.priority, pair.remote.priority, role()) }))
      .sort((a, b) => Number(b.priority > a.priority) - Number(a.priority > b.priority))
      .map(({ pair }) => pair);
    return order;
  }

  function trigger(pair: CandidatePair): void {
    pair.state = 'waiting';
    triggered.add(pair);
  }

  function best(): CandidatePair | undefined {
    return ordered().find(({ state }) => state === 'waiting');
  }

  return {
    locals,
    remotes: () => remotes.all().map(({ candidate }) => candidate),
    find: (id) => pairs.get(id),
    size: () => pairs.size,
    ordered,
    reorder() {
      order = undefined;
    },
    addLocal(candidate) {
      const same = locals.findIndex(
        (local) => candidateKey(local) === candidateKey(candidate) && sameEndpoint(local.base, candidate.base),
      );
      if (same < 0) locals.push(candidate);
      else if (locals[same]!.priority < candidate.priority) locals[same] = candidate;
      formPairs();
    },
    addRemote(candidate) {
      const added = remotes.add(candidate);
      if (added) formPairs();
      return added;
    },
    hear(from, on, priority) {
      const heard = remotes.hear(from, on, priority);
      if (heard === undefined) return {};
      if (heard.isNew) formPairs();
      const pair = pairs.get(pairId(on, from));
      return { ...(pair && { pair }), ...(heard.isNew && { learned: heard.remote.candidate }) };
    },
    trigger,
    next() {
      const [first] = triggered;
      if (first !== undefined) return first;
      unfreeze(ordered());
      const waiting = best();
      if (waiting !== undefined) return waiting;
      unfreezeNext(ordered());
      return best();
    },
    begin(pair) {
      triggered.delete(pair);
      pair.state = 'in-progress';
      pair.checked = true;
    },
    succeed(pair) {
      triggered.delete(pair);
      pair.state = 'succeeded';
      pair.failure = undefined;
    },
    fail(pair, failure) {
      triggered.delete(pair);
      pair.state = 'failed';
      pair.failure = failure;
    },
    retry(pair) {
      pair.state = 'waiting';
    },
  };
}
