import type { Candidate } from '../../core/candidate.ts';
import { type Endpoint, sameEndpoint } from '../../core/endpoint.ts';
import { transactionKey } from '../stun/index.ts';
import { type LocalSocket, socketKey } from './candidate-pair.ts';
import type { IceRole } from './contract.ts';

/** Sends of one check: Rc of RFC 8489 section 6.2.1, smaller than its default because failed pairs are tried again. */
const MAX_SENDS = 4;

/** One Binding request that may still be answered. */
export interface Transaction extends TransactionStart {
  readonly id: Uint8Array;
  sends: number;
  lastSentAt: number;
  /** A response came that failed authentication. */
  violated: boolean;
  /** Not sent again, and its end says nothing about the pair; a response still counts. */
  superseded: boolean;
}

export interface TransactionStart {
  readonly pairId: string;
  readonly local: Candidate;
  readonly to: Endpoint;
  readonly bytes: Uint8Array;
  /** Our role as the request states it. */
  readonly role: IceRole;
  /** `consent` is sent once (RFC 7675 section 5.1). */
  readonly purpose: 'check' | 'consent';
  readonly useCandidate: boolean;
  readonly startedAt: number;
  /**
   * ms until the first retransmission; doubles. Infinite over TCP, which retransmits by itself (RFC 8489 section
   * 6.2.2).
   */
  readonly rto: number;
  /** ms from the start until a response counts no more. */
  readonly lifetime: number;
}

/** ms that a check lives: after its last send it waits as long as the next doubling would. */
export function checkLifetime(rto: number): number {
  return rto * (2 ** MAX_SENDS - 1);
}

/** Requests under way, by transaction ID. */
export interface Transactions {
  /** The request counts as sent once, now. */
  add(id: Uint8Array, start: TransactionStart): void;
  /**
   * The request that a response with this ID answers. One from elsewhere than the request went to, or on another
   * socket, answers nothing: failing the pair for it (RFC 8445 section 7.2.5.2.1) would let who repeats true responses
   * fail any.
   */
  match(id: Uint8Array, from: Endpoint, on: LocalSocket): Transaction | undefined;
  remove(transaction: Transaction): void;
  /** Stops the retransmissions of a pair. */
  supersede(pairId: string): void;
  /** Those whose lifetime is over, to be removed by the caller. */
  expired(now: number): readonly Transaction[];
  /** Returns those to be sent again now, and counts that send. */
  takeResends(now: number): readonly Transaction[];
  ofPair(pairId: string): readonly Transaction[];
  /** When something is to be taken next. */
  nextAt(): number;
}

/** `settled` is told each transaction that is removed. */
export function createTransactions(settled: (id: Uint8Array) => void): Transactions {
  return new TransactionTable(settled);
}

class TransactionTable implements Transactions {
  readonly #settled: (id: Uint8Array) => void;
  readonly #table = new Map<string, Transaction>();

  constructor(settled: (id: Uint8Array) => void) {
    this.#settled = settled;
  }

  add(id: Uint8Array, start: TransactionStart): void {
    this.#table.set(transactionKey(id), {
      id,
      sends: 1,
      lastSentAt: start.startedAt,
      violated: false,
      superseded: false,
      ...start,
    });
  }

  match(id: Uint8Array, from: Endpoint, on: LocalSocket): Transaction | undefined {
    const transaction = this.#table.get(transactionKey(id));
    if (transaction === undefined) return undefined;
    const { to, local } = transaction;
    return sameEndpoint(from, to) && socketKey(on) === socketKey(local) ? transaction : undefined;
  }

  remove({ id }: Transaction): void {
    if (this.#table.delete(transactionKey(id))) this.#settled(id);
  }

  supersede(pairId: string): void {
    for (const transaction of this.ofPair(pairId)) transaction.superseded = true;
  }

  expired(now: number): readonly Transaction[] {
    return this.#select((transaction) => expiresAt(transaction) <= now);
  }

  takeResends(now: number): readonly Transaction[] {
    const due = this.#select((transaction) => resendAt(transaction) <= now);
    for (const transaction of due) {
      transaction.sends++;
      transaction.lastSentAt = now;
    }
    return due;
  }

  ofPair(pairId: string): readonly Transaction[] {
    return this.#select((transaction) => transaction.pairId === pairId);
  }

  nextAt(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const transaction of this.#table.values()) {
      next = Math.min(next, resendAt(transaction), expiresAt(transaction));
    }
    return next;
  }

  #select(test: (transaction: Transaction) => boolean): readonly Transaction[] {
    if (this.#table.size === 0) return NONE;
    return [...this.#table.values()].filter(test);
  }
}

const NONE: readonly Transaction[] = [];

function resendAt({ superseded, purpose, sends, startedAt, rto }: Transaction): number {
  if (superseded || purpose === 'consent' || sends >= MAX_SENDS) return Number.POSITIVE_INFINITY;
  return startedAt + rto * (2 ** sends - 1);
}

function expiresAt({ startedAt, lifetime }: Transaction): number {
  return startedAt + lifetime;
}
