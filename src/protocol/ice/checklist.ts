import type { Candidate, RemoteCandidate } from '../../core/candidate.ts';
import { type Endpoint, formatEndpoint, sameEndpoint } from '../../core/endpoint.ts';
import { canPair } from './admission.ts';
import {
  type CandidatePair,
  type PairFailure,
  pairFoundation,
  pairId,
  pairPriority,
  socketKey,
} from './candidate-pair.ts';
import type { IceRole } from './contract.ts';
import { remotePeerReflexive } from './peer-reflexive.ts';

/**
 * The candidate pairs of one component and the order in which they are checked (RFC 8445 sections 6.1.2 and 6.1.4.2,
 * RFC 8838 section 12). A local candidate stands for the socket of its base, and one socket makes one pair with one remote
 * candidate: that is the pruning of section 6.1.2.4, done before the redundant pairs exist.
 */
export interface Checklist {
  readonly locals: readonly Candidate[];
  remotes(): readonly RemoteCandidate[];
  find(pairId: string): CandidatePair | undefined;
  /** How many pairs there are. */
  size(): number;
  /** Best first. */
  ordered(): readonly CandidatePair[];
  /** A candidate with the address and base of another is ignored unless it has a higher priority. */
  addLocal(candidate: Candidate): void;
  /** A signalled candidate; false when there are too many. It gives its type and priority to a peer-reflexive one at its address. */
  addRemote(candidate: RemoteCandidate): boolean;
  /**
   * A request came from `from`: the pair it belongs to, if it can be paired, and the peer-reflexive candidate, if it is new
   * (RFC 8445 section 7.3.1.3). A source that makes one candidate too many is not remembered.
   */
  hear(from: Endpoint, base: Endpoint, priority: number): { pair?: CandidatePair; learned?: RemoteCandidate };
  /** Puts a pair into the triggered-check queue (RFC 8445 section 6.1.4.1). */
  trigger(pair: CandidatePair): void;
  /** The pair to be checked next, if any: triggered ones, then waiting ones, then frozen ones whose foundation is idle. */
  next(): CandidatePair | undefined;
  begin(pair: CandidatePair): void;
  /** Unfreezes the pairs of the same foundation (RFC 8445 section 7.2.5.3.3). */
  succeed(pair: CandidatePair): void;
  fail(pair: CandidatePair, failure: PairFailure): void;
  retry(pair: CandidatePair): void;
}

export function createChecklist(options: { role: () => IceRole; maxRemoteCandidates: number }): Checklist {
  const { role, maxRemoteCandidates } = options;
  const locals: Candidate[] = [];
  /** `heard`: a request came from here before there was a local candidate to pair it with. */
  const remotes = new Map<string, { candidate: RemoteCandidate; learned: boolean; heard: boolean }>();
  const pairs = new Map<string, CandidatePair>();
  const triggered = new Set<CandidatePair>();

  /** The best local candidate of a socket that may be paired with the remote address. */
  function localFor(socket: string, remote: Endpoint): Candidate | undefined {
    return locals
      .filter((local) => socketKey(local.base) === socket && canPair(local.base, remote))
      .reduce<Candidate | undefined>((best, each) => (best && best.priority >= each.priority ? best : each), undefined);
  }

  function formPairs(): void {
    const sockets = new Set(locals.map(({ base }) => socketKey(base)));
    for (const socket of sockets) {
      for (const remote of remotes.values()) {
        const local = localFor(socket, remote.candidate.endpoint);
        if (local !== undefined) formPair(local, remote);
      }
    }
  }

  function formPair(local: Candidate, entry: { candidate: RemoteCandidate; heard: boolean }): void {
    const remote = entry.candidate;
    const id = pairId(local.base, remote.endpoint);
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
      state: startsFrozen(pairFoundation({ local, remote })) ? 'frozen' : 'waiting',
      nominated: false,
      nominateOnSuccess: false,
      unproven: 0,
      requestsSent: 0,
      responsesReceived: 0,
      requestsReceived: 0,
    };
    pairs.set(id, pair);
    if (entry.heard) trigger(pair);
  }

  function withFoundation(foundation: string): CandidatePair[] {
    return [...pairs.values()].filter((pair) => pairFoundation(pair) === foundation);
  }

  /** A new pair waits for its like unless one has succeeded, or none is left to be checked (RFC 8838 section 12). */
  function startsFrozen(foundation: string): boolean {
    const alike = withFoundation(foundation);
    return alike.some(({ state }) => state !== 'failed') && !alike.some(({ state }) => state === 'succeeded');
  }

  function isIdle(foundation: string): boolean {
    return !withFoundation(foundation).some(({ state }) => state === 'waiting' || state === 'in-progress');
  }

  function ordered(): CandidatePair[] {
    const keyed = [...pairs.values()].map((pair) => ({
      pair,
      priority: pairPriority(pair.local.priority, pair.remote.priority, role()),
    }));
    return keyed
      .sort((a, b) => Number(b.priority > a.priority) - Number(a.priority > b.priority))
      .map(({ pair }) => pair);
  }

  function trigger(pair: CandidatePair): void {
    pair.state = 'waiting';
    triggered.add(pair);
  }

  function hasRoom(learned: boolean): boolean {
    return [...remotes.values()].filter((other) => other.learned === learned).length < maxRemoteCandidates;
  }

  return {
    locals,
    remotes: () => [...remotes.values()].map(({ candidate }) => candidate),
    find: (id) => pairs.get(id),
    size: () => pairs.size,
    ordered,
    addLocal(candidate) {
      const same = locals.findIndex(
        ({ endpoint, base }) => sameEndpoint(endpoint, candidate.endpoint) && sameEndpoint(base, candidate.base),
      );
      if (same < 0) locals.push(candidate);
      else if (locals[same]!.priority < candidate.priority) locals[same] = candidate;
      formPairs();
    },
    addRemote(candidate) {
      const key = formatEndpoint(candidate.endpoint);
      const known = remotes.get(key);
      if (known !== undefined && !known.learned && known.candidate.priority >= candidate.priority) return true;
      if ((known === undefined || known.learned) && !hasRoom(false)) return false;
      remotes.set(key, { candidate, learned: false, heard: known?.heard ?? false });
      formPairs();
      return true;
    },
    hear(from, base, priority) {
      const known = remotes.get(formatEndpoint(from));
      if (known !== undefined) {
        known.heard = true;
        return { pair: pairs.get(pairId(base, from)) };
      }
      if (!hasRoom(true)) return {};
      const learned = remotePeerReflexive(from, priority);
      remotes.set(formatEndpoint(from), { candidate: learned, learned: true, heard: true });
      formPairs();
      return { pair: pairs.get(pairId(base, from)), learned };
    },
    trigger,
    next() {
      const [first] = triggered;
      if (first !== undefined) return first;
      const best = ordered();
      return (
        best.find(({ state }) => state === 'waiting') ??
        best.find((pair) => pair.state === 'frozen' && isIdle(pairFoundation(pair)))
      );
    },
    begin(pair) {
      triggered.delete(pair);
      pair.state = 'in-progress';
    },
    succeed(pair) {
      triggered.delete(pair);
      pair.state = 'succeeded';
      pair.failure = undefined;
      for (const alike of withFoundation(pairFoundation(pair))) {
        if (alike.state === 'frozen') alike.state = 'waiting';
      }
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
