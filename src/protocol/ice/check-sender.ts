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
  readonly budget?: CheckBudget;
  readonly emit: (output: IceOutput) => void;
}

/** `identity` is read at each check, as it changes with a role conflict. */
export function createCheckSender(options: CheckSenderOptions): CheckSender {
  const { random, identity, transactions, budget, emit } = options;
  const username = `${options.remote.ufrag}:${options.local.ufrag}`;
  const key = shortTermKey(options.remote.pwd);
  let unproven = 0;

  function transmit(pair: CandidatePair, transactionId: Uint8Array, bytes: Uint8Array): void {
    pair.requestsSent++;
    const { local, remote } = pair;
    emit({
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

  function start(
    pair: CandidatePair,
    schedule: Pick<Transaction, 'purpose' | 'useCandidate' | 'startedAt' | 'rto' | 'lifetime'>,
    leaves: boolean,
  ): void {
    const { local, remote } = pair;
    const { role, tieBreaker } = identity;
    const { useCandidate } = schedule;
    const transactionId = random.bytes(12);
    const bytes = encodeCheck({ transactionId, username, key, local, role, tieBreaker, useCandidate });
    transactions.add(transactionId, {
      pairId: pair.id,
      local,
      to: remote.endpoint,
      bytes,
      role,
      ...schedule,
    });
    if (leaves) transmit(pair, transactionId, bytes);
  }

  function isUsedUp(pair: CandidatePair): boolean {
    return pair.unproven >= MAX_UNPROVEN.address || unproven >= MAX_UNPROVEN.total;
  }

  function spend(pair: CandidatePair, now: number): boolean {
    if (pair.state !== 'succeeded' && budget?.take(pair.remote.endpoint, now) === false) return false;
    pair.unproven++;
    unproven++;
    return true;
  }

  return {
    check(pair, now, rto, useCandidate) {
      if (isUsedUp(pair)) return false;
      const isTcp = pair.local.transport === 'tcp';
      const leaves = spend(pair, now);
      if (isTcp && !leaves) return false;
      const schedule = isTcp
        ? { rto: Number.POSITIVE_INFINITY, lifetime: TCP_LIFETIME }
        : { rto, lifetime: checkLifetime(rto) };
      start(pair, { purpose: 'check', useCandidate, startedAt: now, ...schedule }, leaves);
      return true;
    },
    resend(pair, { id, bytes }, now) {
      if (!isUsedUp(pair) && spend(pair, now)) transmit(pair, id, bytes);
    },
    consent(pair, now, lifetime) {
      start(pair, { purpose: 'consent', useCandidate: false, startedAt: now, rto: lifetime, lifetime }, true);
    },
    proven(pair) {
      budget?.answered(pair.remote.endpoint);
      unproven -= pair.unproven;
      pair.unproven = 0;
    },
  };
}
