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
import { createRemoteCandidates, type KnownRemote, type RemoteCandidates } from './remote-candidates.ts';
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

export function createChecklist(options: ChecklistOptions): Checklist {
  return new PairList(options);
}

class PairList implements Checklist {
  readonly locals: Candidate[] = [];
  readonly #role: () => IceRole;
  readonly #maxPairs: number;
  readonly #remotes: RemoteCandidates;
  readonly #pairs = new Map<string, CandidatePair>();
  readonly #triggered = new Set<CandidatePair>();
  /** Kept until a pair or a priority changes. */
  #order: readonly CandidatePair[] | undefined;

  constructor({ role, maxRemoteCandidates, maxPairs }: ChecklistOptions) {
    this.#role = role;
    this.#maxPairs = maxPairs;
    this.#remotes = createRemoteCandidates(maxRemoteCandidates);
  }

  remotes(): readonly RemoteCandidate[] {
    return this.#remotes.all().map(({ candidate }) => candidate);
  }

  find(id: string): CandidatePair | undefined {
    return this.#pairs.get(id);
  }

  size(): number {
    return this.#pairs.size;
  }

  ordered(): readonly CandidatePair[] {
    this.#order ??= [...this.#pairs.values()]
      .map((pair) => ({ pair, priority: pairPriority(pair.local.priority, pair.remote.priority, this.#role()) }))
      .sort((a, b) => Number(b.priority > a.priority) - Number(a.priority > b.priority))
      .map(({ pair }) => pair);
    return this.#order;
  }

  reorder(): void {
    this.#order = undefined;
  }

  addLocal(candidate: Candidate): void {
    const { locals } = this;
    const same = locals.findIndex(
      (local) => candidateKey(local) === candidateKey(candidate) && sameEndpoint(local.base, candidate.base),
    );
    if (same < 0) locals.push(candidate);
    else if (locals[same]!.priority < candidate.priority) locals[same] = candidate;
    this.#formPairs();
  }

  addRemote(candidate: RemoteCandidate): boolean {
    const added = this.#remotes.add(candidate);
    if (added) this.#formPairs();
    return added;
  }

  hear(from: Endpoint, on: LocalSocket, priority: number): { pair?: CandidatePair; learned?: RemoteCandidate } {
    const heard = this.#remotes.hear(from, on, priority);
    if (heard === undefined) return {};
    if (heard.isNew) this.#formPairs();
    const pair = this.#pairs.get(pairId(on, from));
    return { ...(pair && { pair }), ...(heard.isNew && { learned: heard.remote.candidate }) };
  }

  trigger(pair: CandidatePair): void {
    pair.state = 'waiting';
    this.#triggered.add(pair);
  }

  next(): CandidatePair | undefined {
    const [first] = this.#triggered;
    if (first !== undefined) return first;
    unfreeze(this.ordered());
    const waiting = this.#best();
    if (waiting !== undefined) return waiting;
    unfreezeNext(this.ordered());
    return this.#best();
  }

  begin(pair: CandidatePair): void {
    this.#triggered.delete(pair);
    pair.state = 'in-progress';
    pair.checked = true;
  }

  succeed(pair: CandidatePair): void {
    this.#triggered.delete(pair);
    pair.state = 'succeeded';
    pair.failure = undefined;
  }

  fail(pair: CandidatePair, failure: PairFailure): void {
    this.#triggered.delete(pair);
    pair.state = 'failed';
    pair.failure = failure;
  }

  retry(pair: CandidatePair): void {
    pair.state = 'waiting';
  }

  #best(): CandidatePair | undefined {
    return this.ordered().find(({ state }) => state === 'waiting');
  }

  /** The best local candidate of a socket that may be paired with the remote one. */
  #localFor(socket: string, remote: RemoteCandidate): Candidate | undefined {
    return this.locals
      .filter((local) => socketKey(local) === socket && canPair(local, remote))
      .reduce<Candidate | undefined>((best, each) => (best && best.priority >= each.priority ? best : each), undefined);
  }

  #formPairs(): void {
    const sockets = new Set(this.locals.map(socketKey));
    for (const socket of sockets) {
      for (const remote of this.#remotes.all()) {
        const local = this.#localFor(socket, remote.candidate);
        if (local !== undefined && (local.tcpType !== 'passive' || remote.heard)) this.#formPair(local, remote);
      }
    }
    this.#order = undefined;
    this.#discardWorst();
  }

  #formPair(local: Candidate, { candidate: remote, heard }: KnownRemote): void {
    const id = pairId(local, remote.endpoint);
    const known = this.#pairs.get(id);
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
    this.#pairs.set(id, pair);
    if (heard) this.trigger(pair);
  }

  /** RFC 8445 section 6.1.2.5; what has been checked, or is to be checked at the other side's wish, stays. */
  #discardWorst(): void {
    for (const pair of [...this.ordered()].reverse()) {
      if (this.#pairs.size <= this.#maxPairs) return;
      if (pair.checked || this.#triggered.has(pair)) continue;
      this.#pairs.delete(pair.id);
      this.#order = undefined;
    }
  }
}
