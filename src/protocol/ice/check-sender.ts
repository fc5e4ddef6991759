import { transportOf } from '../../core/candidate.ts';
import type { Random } from '../../core/random.ts';
import { shortTermKey } from '../stun/index.ts';
import type { CandidatePair } from './candidate-pair.ts';
import type { CheckBudget } from './check-budget.ts';
import { encodeCheck } from './check-request.ts';
import type { IceCredentials, IceOutput, IceRole } from './contract.ts';
import { checkLifetime, type Transaction, type Transactions } from './transactions.ts';

/** Requests that may be unanswered, to one address and to all together: a stranger's address gets no more than this. */
export const MAX_UNPROVEN = { address: 32, total: 640 } as const;

/** ms that a check over TCP lives: Ti of RFC 8489 section 6.2.2. */
const TCP_LIFETIME = 39_500;

/** Makes and sends requests, and counts them. */
export interface CheckSender {
  /**
   * Starts a check with this initial RTO in ms; false when the packets for unproven addresses are used up. What the
   * budget has no room for now counts as lost on the way; over TCP, which sends nothing again, as used up.
   */
  check(pair: CandidatePair, now: number, rto: number, useCandidate: boolean): boolean;
  /** Sends a check as often as it says, unless the packets are used up. */
  resend(pair: CandidatePair, transaction: Transaction, now: number): void;
  /** Asks a valid pair for consent, once; the answer counts for `lifetime` ms. */
  consent(pair: CandidatePair, now: number, lifetime: number): void;
  /** The pair's address has answered, so what was sent to it no longer counts. */
  proven(pair: CandidatePair): void;
}

export interface CheckSenderOptions {
  readonly local: IceCredentials;
  readonly remote: IceCredentials;
  readonly random: Random;
  readonly identity: { readonly role: IceRole; readonly tieBreaker: bigint };
  readonly transactions: Transactions;
  readonly budget?: CheckBudget | undefined;
  readonly emit: (output: IceOutput) => void;
}

/** `identity` is read at each check, as it changes with a role conflict. */
export function createCheckSender(options: CheckSenderOptions): CheckSender {
  return new CountingSender(options);
}

class CountingSender implements CheckSender {
  readonly #random: Random;
  readonly #identity: CheckSenderOptions['identity'];
  readonly #transactions: Transactions;
  readonly #budget: CheckBudget | undefined;
  readonly #emit: (output: IceOutput) => void;
  readonly #username: string;
  readonly #key: Uint8Array;
  #unproven = 0;

  constructor({ local, remote, random, identity, transactions, budget, emit }: CheckSenderOptions) {
    this.#random = random;
    this.#identity = identity;
    this.#transactions = transactions;
    this.#budget = budget;
    this.#emit = emit;
    this.#username = `${remote.ufrag}:${local.ufrag}`;
    this.#key = shortTermKey(remote.pwd);
  }

  check(pair: CandidatePair, now: number, rto: number, useCandidate: boolean): boolean {
    if (this.#isUsedUp(pair)) return false;
    const isTcp = pair.local.transport === 'tcp';
    const leaves = this.#spend(pair, now);
    if (isTcp && !leaves) return false;
    const schedule = isTcp
      ? { rto: Number.POSITIVE_INFINITY, lifetime: TCP_LIFETIME }
      : { rto, lifetime: checkLifetime(rto) };
    this.#start(pair, { purpose: 'check', useCandidate, startedAt: now, ...schedule }, leaves);
    return true;
  }

  resend(pair: CandidatePair, { id, bytes }: Transaction, now: number): void {
    if (!this.#isUsedUp(pair) && this.#spend(pair, now)) this.#transmit(pair, id, bytes);
  }

  consent(pair: CandidatePair, now: number, lifetime: number): void {
    this.#start(pair, { purpose: 'consent', useCandidate: false, startedAt: now, rto: lifetime, lifetime }, true);
  }

  proven(pair: CandidatePair): void {
    this.#budget?.answered(pair.remote.endpoint);
    this.#unproven -= pair.unproven;
    pair.unproven = 0;
  }

  #start(
    pair: CandidatePair,
    schedule: Pick<Transaction, 'purpose' | 'useCandidate' | 'startedAt' | 'rto' | 'lifetime'>,
    leaves: boolean,
  ): void {
    const { local, remote } = pair;
    const { role, tieBreaker } = this.#identity;
    const transactionId = this.#random.bytes(12);
    const bytes = encodeCheck({
      transactionId,
      username: this.#username,
      key: this.#key,
      local,
      role,
      tieBreaker,
      useCandidate: schedule.useCandidate,
    });
    this.#transactions.add(transactionId, { pairId: pair.id, local, to: remote.endpoint, bytes, role, ...schedule });
    if (leaves) this.#transmit(pair, transactionId, bytes);
  }

  #transmit(pair: CandidatePair, transactionId: Uint8Array, bytes: Uint8Array): void {
    pair.requestsSent++;
    const { local, remote } = pair;
    this.#emit({
      type: 'transmit',
      base: local.base,
      to: remote.endpoint,
      bytes,
      transactionId,
      request: true,
      verified: true,
      ...transportOf(local),
    });
  }

  #isUsedUp(pair: CandidatePair): boolean {
    return pair.unproven >= MAX_UNPROVEN.address || this.#unproven >= MAX_UNPROVEN.total;
  }

  #spend(pair: CandidatePair, now: number): boolean {
    if (pair.state !== 'succeeded' && this.#budget?.take(pair.remote.endpoint, now) === false) return false;
    pair.unproven++;
    this.#unproven++;
    return true;
  }
}
