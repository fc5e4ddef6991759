import type { Random } from '../../core/random.ts';
import { attribute, LongTermClient, type StunMessage, transactionKey } from '../stun/index.ts';
import type { TurnClientOptions } from './client-contract.ts';
import { turnRequest } from './client-request.ts';
import { type TurnRequest, TurnTransaction } from './client-transaction.ts';

/** How a request has ended. */
export type RequestOutcome =
  | { readonly type: 'granted'; readonly request: TurnRequest; readonly response: StunMessage }
  | {
      readonly type: 'refused';
      readonly request: TurnRequest;
      readonly response: StunMessage;
      readonly code: number;
      readonly reason: string;
    }
  /** Without an answer that counts; `violated`: there were some that were not signed as they must be. */
  | { readonly type: 'unanswered'; readonly request: TurnRequest; readonly violated: boolean };

type RequestOptions = Required<Pick<TurnClientOptions, 'username' | 'password' | 'transport' | 'family' | 'rto'>> &
  Pick<TurnClientOptions, 'lifetime'> & { readonly random: Random };

/** The requests of a client that are under way, with its credentials. `now` in ms. */
export class ClientRequests {
  readonly #options: RequestOptions;
  readonly #credentials: LongTermClient;
  readonly #transactions = new Map<string, TurnTransaction>();

  constructor(options: RequestOptions) {
    this.#options = options;
    this.#credentials = new LongTermClient(options);
  }

  /** Begins a request, which is due at once. */
  begin(request: TurnRequest, now: number): void {
    this.#begin(request, now, 0);
  }

  /** What is to be transmitted by now, and what has waited long enough. */
  take(now: number): readonly (Uint8Array | RequestOutcome)[] {
    const due: (Uint8Array | RequestOutcome)[] = [];
    for (const [key, transaction] of this.#transactions) {
      const step = transaction.take(now);
      if (step === 'transmit') due.push(transaction.bytes);
      else if (step === 'expire') due.push(this.#giveUp(key, transaction));
    }
    return due;
  }

  /**
   * A response has come (RFC 8489 section 9.2.5). `again`: the same is asked for anew, signed as the response wants it; `unmatched`
   * and `unauthenticated` ones change nothing.
   */
  answer(response: StunMessage, now: number): RequestOutcome | 'again' | 'unmatched' | 'unauthenticated' {
    const key = transactionKey(response.transactionId);
    const transaction = this.#transactions.get(key);
    if (transaction === undefined) return 'unmatched';
    const { request, retries, signed } = transaction;
    const judgement = this.#credentials.judge(response, signed);
    if (judgement === 'unauthenticated') {
      transaction.violated = true;
      return this.#options.transport === 'tcp' ? this.#giveUp(key, transaction) : 'unauthenticated';
    }
    this.#transactions.delete(key);
    if (judgement === 'retry' && retries < MAX_RETRIES) {
      this.#begin(request, now, retries + 1);
      return 'again';
    }
    if (response.class === 'success') return { type: 'granted', request, response };
    const { code, reason } = attribute(response, 'error-code') ?? { code: 500, reason: 'no ERROR-CODE' };
    return { type: 'refused', request, response, code, reason };
  }

  /** Nothing is asked for any longer. */
  clear(): void {
    this.#transactions.clear();
  }

  /** Another server is asked from now on. */
  forgetServer(): void {
    this.clear();
    this.#credentials.forget();
  }

  /** When something is due next. */
  get nextAt(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { nextAt } of this.#transactions.values()) next = Math.min(next, nextAt);
    return next;
  }

  #begin(request: TurnRequest, now: number, retries: number): void {
    const { random, family, lifetime, transport, rto } = this.#options;
    const id = random.bytes(12);
    const bytes = this.#credentials.encode(turnRequest(request, id, { family, lifetime }));
    const message = { bytes, signed: this.#credentials.challenged, retries };
    this.#transactions.set(transactionKey(id), new TurnTransaction(request, message, { transport, rto, now }));
  }

  #giveUp(key: string, { request, violated }: TurnTransaction): RequestOutcome {
    this.#transactions.delete(key);
    return { type: 'unanswered', request, violated };
  }
}

/** Of one request for want of a fresh nonce: the first challenge, and two nonces that went stale on the way. */
const MAX_RETRIES = 3;
