import type { Random } from '../../core/random.ts';
import { shortTermKey } from '../stun/index.ts';
import type { CandidatePair } from './candidate-pair.ts';
import { encodeCheck } from './check-request.ts';
import type { IceCredentials, IceOutput, IceRole } from './contract.ts';
import { checkLifetime, type Transaction, type Transactions } from './transactions.ts';

/** Requests that may be unanswered, to one address and to all together: a stranger's address gets no more than this. */
export const MAX_UNPROVEN = { address: 32, total: 640 } as const;

/** Makes and sends requests, and counts them. */
export interface CheckSender {
  /** Starts a check with this initial RTO in ms; false when the packets for unproven addresses are used up. */
  check(pair: CandidatePair, now: number, rto: number, useCandidate: boolean): boolean;
  /** Sends a check as often as it says, unless the packets are used up. */
  resend(pair: CandidatePair, transaction: Transaction): void;
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
  readonly emit: (output: IceOutput) => void;
}

/** `identity` is read at each check, as it changes with a role conflict. */
export function createCheckSender(options: CheckSenderOptions): CheckSender {
  const { random, identity, transactions, emit } = options;
  const username = `${options.remote.ufrag}:${options.local.ufrag}`;
  const key = shortTermKey(options.remote.pwd);
  let unproven = 0;

  function transmit(pair: CandidatePair, transactionId: Uint8Array, bytes: Uint8Array): void {
    pair.requestsSent++;
    emit({ type: 'transmit', base: pair.local.base, to: pair.remote.endpoint, bytes, transactionId, request: true });
  }

  function start(
    pair: CandidatePair,
    schedule: Pick<Transaction, 'purpose' | 'useCandidate' | 'startedAt' | 'rto' | 'lifetime'>,
  ): void {
    const { local, remote } = pair;
    const { role, tieBreaker } = identity;
    const { useCandidate } = schedule;
    const transactionId = random.bytes(12);
    const bytes = encodeCheck({ transactionId, username, key, local, role, tieBreaker, useCandidate });
    transactions.add(transactionId, {
      ...schedule,
      pairId: pair.id,
      base: local.base,
      to: remote.endpoint,
      bytes,
      role,
    });
    transmit(pair, transactionId, bytes);
  }

  function spend(pair: CandidatePair): boolean {
    if (pair.unproven >= MAX_UNPROVEN.address || unproven >= MAX_UNPROVEN.total) return false;
    pair.unproven++;
    unproven++;
    return true;
  }

  return {
    check(pair, now, rto, useCandidate) {
      if (!spend(pair)) return false;
      start(pair, { purpose: 'check', useCandidate, startedAt: now, rto, lifetime: checkLifetime(rto) });
      return true;
    },
    resend(pair, { id, bytes }) {
      if (spend(pair)) transmit(pair, id, bytes);
    },
    consent(pair, now, lifetime) {
      start(pair, { purpose: 'consent', useCandidate: false, startedAt: now, rto: lifetime, lifetime });
    },
    proven(pair) {
      unproven -= pair.unproven;
      pair.unproven = 0;
    },
  };
}
