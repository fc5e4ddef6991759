import { transportOf } from '../../core/candidate.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import type { Random } from '../../core/random.ts';
import { BINDING, type StunMessage, shortTermKey } from '../stun/index.ts';
import { mayBecomeReachable } from './admission.ts';
import { CandidateIntake } from './candidate-intake.ts';
import { type CandidatePair, type LocalSocket, type PairFailure, pairId, snapshotPair } from './candidate-pair.ts';
import { encodeRefusal, encodeSuccess, judgeRequest } from './check-request.ts';
import { judgeResponse } from './check-response.ts';
import { type CheckSender, createCheckSender } from './check-sender.ts';
import { type CheckingPhase, createCheckingPhase } from './checking-phase.ts';
import { type Checklist, createChecklist } from './checklist.ts';
import { type Consent, createConsent } from './consent.ts';
import type {
  IceAgent,
  IceAgentOptions,
  IceDrop,
  IceEvent,
  IceInput,
  IceOutput,
  IceRole,
  IceSnapshot,
} from './contract.ts';
import { createNominator } from './nomination.ts';
import { createPacer, type Pacer } from './pacer.ts';
import { createRecentChecks } from './recent-checks.ts';
import { createTransactions, type Transaction, type Transactions } from './transactions.ts';
import { createValidList, type ValidList } from './valid-list.ts';

/**
 * Makes an ICE agent (RFC 8445, trickle RFC 8838, consent RFC 7675).
 *
 * A check is sent at 0, 1, 3 and 7 x RTO and given up at 15 x RTO. Until `checkingTime` is over or a pair is valid, a
 * pair that was given up takes its turn again with a fresh check, because packets sent before the other side started,
 * or before its NAT was open, are lost; only private host addresses are given up at once, as they do not become
 * reachable. With RTO = 200 ms that makes 16 packets to a dead address, none more than 1.6 s after the one before. An
 * incoming check revives a failed pair at any time.
 */
export function createIceAgent(options: IceAgentOptions): IceAgent {
  return new ChecklistAgent(options);
}

class ChecklistAgent implements IceAgent {
  readonly ufrag: string;
  readonly #random: Random;
  readonly #nomination: IceAgentOptions['nomination'];
  readonly #ta: number;
  readonly #rto: number;
  readonly #lostAfter: number;
  readonly #localKey: Uint8Array;
  readonly #remoteKey: Uint8Array;
  readonly #identity: { role: IceRole; tieBreaker: bigint };
  readonly #outbox: IceOutput[] = [];
  readonly #checklist: Checklist;
  readonly #transactions: Transactions;
  readonly #sender: CheckSender;
  readonly #consent: Consent;
  readonly #pacer: Pacer;
  readonly #nominator = createNominator();
  readonly #intake: CandidateIntake;
  readonly #recentChecks = createRecentChecks();
  readonly #phase: CheckingPhase;
  readonly #validList: ValidList;
  readonly #ended = { local: false, remote: false };
  readonly #dropped: Record<IceDrop, number> = {
    'forbidden-address': 0,
    'malformed-candidate': 0,
    'too-many-candidates': 0,
    'not-a-check': 0,
    unauthenticated: 0,
    replayed: 0,
    'unmatched-response': 0,
  };

  constructor(options: IceAgentOptions) {
    const { local, remote, random, nomination, ta = 50, burst = 1, rto = 500 } = options;
    const { checkingTime = 10_000, lostAfter = 4000, allowLoopback = false } = options;
    const { maxRemoteCandidates = 32, maxPairs = 100, budget } = options;
    this.ufrag = local.ufrag;
    this.#random = random;
    this.#nomination = nomination;
    this.#ta = ta;
    this.#rto = rto;
    this.#lostAfter = lostAfter;
    this.#localKey = shortTermKey(local.pwd);
    this.#remoteKey = shortTermKey(remote.pwd);
    const identity = { role: options.role, tieBreaker: options.tieBreaker };
    const emit = (output: IceOutput): void => void this.#outbox.push(output);
    const report = (event: IceEvent): void => this.#report(event);
    const checklist = createChecklist({ role: () => identity.role, maxRemoteCandidates, maxPairs });
    const transactions = createTransactions((transactionId) => emit({ type: 'settled', transactionId }));
    const sender = createCheckSender({ local, remote, random, identity, transactions, budget, emit });
    const consent = createConsent({ random, lostAfter, pace: nomination === 'deferred' ? 'turns' : 'alone' });
    this.#identity = identity;
    this.#checklist = checklist;
    this.#transactions = transactions;
    this.#sender = sender;
    this.#consent = consent;
    this.#pacer = createPacer(ta, burst);
    this.#intake = new CandidateIntake({ checklist, maxRemoteCandidates, allowLoopback, dropped: this.#dropped });
    this.#phase = createCheckingPhase(checkingTime);
    this.#validList = createValidList({ nomination, checklist, transactions, sender, consent, report });
  }

  handle(input: IceInput, now: number): void {
    switch (input.type) {
      case 'local-candidate':
        if (this.#intake.addLocal(input.candidate)) this.#phase.extend(now);
        break;
      case 'remote-candidate':
        if (this.#intake.addRemote(input.candidate)) this.#phase.extend(now);
        break;
      case 'end-of-candidates':
        this.#ended[input.side] = true;
        break;
      case 'message':
        this.#onMessage(input.message, input.from, input, now);
        break;
      case 'disconnected': {
        const pair = this.#checklist.find(pairId(input, input.to));
        if (pair !== undefined) this.#disconnect(pair);
        break;
      }
      case 'use':
        this.#consent.use(input.pairIds, now);
        break;
      case 'check':
        this.#consent.hurry(input.pairId, now);
        break;
      case 'nominate': {
        const pair = this.#checklist.find(input.pairId);
        if (pair?.state === 'succeeded' && this.#identity.role === 'controlling') this.#nominate(pair, now);
      }
    }
  }

  poll(now: number): IceOutput {
    if (this.#outbox.length === 0) this.#advance(now);
    return this.#outbox.shift() ?? { type: 'wait', until: this.#nextAt() };
  }

  snapshot(): IceSnapshot {
    const pairs = this.#checklist.ordered();
    const learned = new Set(pairs.flatMap(({ seen }) => (seen?.type === 'prflx' ? [seen] : [])));
    const selected = pairs.find(({ nominated, state }) => nominated && state === 'succeeded');
    return {
      role: this.#identity.role,
      local: [...this.#checklist.locals, ...learned],
      remote: this.#checklist.remotes(),
      pairs: pairs.map(snapshotPair),
      ...(selected && { selected: selected.id }),
      dropped: { ...this.#dropped },
    };
  }

  #onMessage(message: StunMessage, from: Endpoint, on: LocalSocket, now: number): void {
    if (!this.#intake.admits(from)) return;
    if (message.method !== BINDING || message.class === 'indication') this.#dropped['not-a-check']++;
    else if (message.class === 'request') this.#onRequest(message, from, on, now);
    else this.#onResponse(message, from, on, now);
  }

  #onRequest(request: StunMessage, from: Endpoint, on: LocalSocket, now: number): void {
    const { role, tieBreaker } = this.#identity;
    const verdict = judgeRequest(request, { role, tieBreaker, ufrag: this.ufrag, key: this.#localKey });
    const bytes =
      verdict.type === 'accept'
        ? encodeSuccess(request, from, this.#localKey)
        : encodeRefusal(request, verdict, this.#localKey);
    const { transactionId } = request;
    const replayed = verdict.type === 'accept' && this.#isReplay(transactionId, pairId(on, from));
    const verified = verdict.type === 'accept' ? !replayed : verdict.authenticated;
    this.#outbox.push({
      type: 'transmit',
      base: on.base,
      to: from,
      bytes,
      transactionId,
      request: false,
      verified,
      ...transportOf(on),
    });
    if (replayed) this.#dropped.replayed++;
    else if (!verified) this.#dropped.unauthenticated++;
    if (verdict.type === 'refuse' || replayed) return;
    this.#switchRole(verdict.role);
    const { pair, learned } = this.#checklist.hear(from, on, verdict.priority);
    if (learned !== undefined) this.#report({ type: 'candidate.peer-reflexive', side: 'remote', candidate: learned });
    if (pair === undefined) return;
    this.#intake.remember(from);
    this.#phase.begin(now);
    pair.requestsReceived++;
    if (verdict.useCandidate && this.#identity.role === 'controlled') this.#validList.nominatedByPeer(pair);
    if (pair.state === 'succeeded') this.#consent.heard(pair.id, now);
    else this.#trigger(pair);
  }

  /**
   * A check that comes again from elsewhere is answered, since nobody can tell which of the two is the true one; but it
   * teaches no address, and asks for no check of ours, or it would aim many of them at whom it names as its source. A
   * valid pair has nothing to fear.
   */
  #isReplay(transactionId: Uint8Array, id: string): boolean {
    return this.#recentChecks.isReplay(transactionId, id) && this.#checklist.find(id)?.state !== 'succeeded';
  }

  /** RFC 8445 section 7.3.1.4: a fresh check at once, whatever became of the one before. */
  #trigger(pair: CandidatePair): void {
    this.#transactions.supersede(pair.id);
    this.#checklist.trigger(pair);
  }

  #onResponse(response: StunMessage, from: Endpoint, on: LocalSocket, now: number): void {
    const transaction = this.#transactions.match(response.transactionId, from, on);
    if (transaction === undefined) {
      this.#dropped['unmatched-response']++;
      return;
    }
    const verdict = judgeResponse(response, this.#remoteKey);
    if (verdict.type === 'discard') {
      transaction.violated = true;
      this.#dropped.unauthenticated++;
      return;
    }
    this.#transactions.remove(transaction);
    const pair = this.#checklist.find(transaction.pairId)!;
    pair.responsesReceived++;
    switch (verdict.type) {
      case 'success':
        this.#phase.succeed();
        this.#validList.answered(pair, transaction, verdict.mapped, now);
        break;
      case 'role-conflict':
        this.#switchRole(transaction.role === 'controlling' ? 'controlled' : 'controlling');
        this.#identity.tieBreaker = Buffer.from(this.#random.bytes(8)).readBigUInt64BE();
        if (pair.state !== 'succeeded') this.#trigger(pair);
        break;
      case 'revoked':
        if (pair.state === 'succeeded') this.#validList.lose(pair, 'revoked');
        else this.#giveUp(pair, 'refused');
        break;
      case 'failure':
        if (transaction.purpose === 'check' && !transaction.superseded) this.#giveUp(pair, verdict.failure);
    }
  }

  #onSilence(pair: CandidatePair, transaction: Transaction, now: number): void {
    if (pair.state === 'in-progress' && this.#phase.isOpen(now) && mayBecomeReachable(pair.remote))
      this.#checklist.retry(pair);
    else this.#giveUp(pair, transaction.violated ? 'integrity-violated' : 'timeout');
  }

  /** A check failed; on a valid pair it was a nominating one (RFC 8445 section 7.2.5.2). */
  #giveUp(pair: CandidatePair, failure: PairFailure): void {
    if (pair.state === 'in-progress') this.#checklist.fail(pair, failure);
    else if (pair.state === 'succeeded') this.#validList.lose(pair, failure === 'refused' ? 'refused' : 'unanswered');
  }

  /**
   * A pair is nothing without its connection, and is not tried again by itself; one that we have yet to open is
   * another.
   */
  #disconnect(pair: CandidatePair): void {
    if (pair.state === 'succeeded') this.#validList.lose(pair, 'disconnected');
    const wasCalled = pair.state === 'waiting' && pair.local.tcpType === 'passive';
    if (pair.state !== 'in-progress' && !wasCalled) return;
    this.#transactions.supersede(pair.id);
    this.#checklist.fail(pair, 'disconnected');
  }

  #nominate(pair: CandidatePair, now: number): void {
    if (!this.#validList.mayNominate(pair)) return;
    if (!this.#sender.check(pair, now, this.#initialRto(), true)) this.#validList.lose(pair, 'unanswered');
  }

  #switchRole(role: IceRole): void {
    if (role === this.#identity.role) return;
    this.#identity.role = role;
    this.#checklist.reorder();
    this.#nominator.reset();
    this.#report({ type: 'role.switched', role });
  }

  /** Does what is due. */
  #advance(now: number): void {
    for (const transaction of this.#transactions.expired(now)) {
      this.#transactions.remove(transaction);
      const pair = this.#checklist.find(transaction.pairId)!;
      if (transaction.purpose === 'check' && !transaction.superseded) this.#onSilence(pair, transaction, now);
    }
    for (const transaction of this.#transactions.takeResends(now)) {
      this.#sender.resend(this.#checklist.find(transaction.pairId)!, transaction, now);
    }
    for (const step of this.#consent.take(now)) {
      const pair = this.#checklist.find(step.pairId)!;
      if (step.type === 'lost') this.#validList.lose(pair, step.reason);
      else if (step.type === 'check') this.#sender.consent(pair, now, this.#lostAfter);
      else this.#report({ type: 'pair.doubtful', pairId: step.pairId });
    }
    const nominee = this.#nominating()
      ? this.#nominator.choose(
          this.#checklist.ordered().filter((pair) => this.#validList.mayNominate(pair)),
          now,
        )
      : undefined;
    if (nominee !== undefined) this.#nominate(nominee, now);
    for (
      let pair = this.#checklist.next();
      pair !== undefined && this.#pacer.readyAt() <= now;
      pair = this.#checklist.next()
    ) {
      this.#checklist.begin(pair);
      if (this.#sender.check(pair, now, this.#initialRto(), false)) this.#pacer.take(now);
      else this.#checklist.fail(pair, 'out-of-packets');
    }
    const allFailed =
      this.#ended.local && this.#ended.remote && this.#checklist.ordered().every(({ state }) => state === 'failed');
    const exhausted = this.#phase.conclude(allFailed, now);
    if (exhausted !== undefined) this.#report({ type: 'checks.exhausted', reason: exhausted });
  }

  #nextAt(): number | undefined {
    const at = Math.min(
      this.#transactions.nextAt(),
      this.#consent.nextAt(),
      this.#nominating() ? this.#nominator.nextAt() : Number.POSITIVE_INFINITY,
      this.#checklist.next() === undefined ? Number.POSITIVE_INFINITY : this.#pacer.readyAt(),
      this.#phase.nextAt(),
    );
    return at === Number.POSITIVE_INFINITY ? undefined : at;
  }

  #nominating(): boolean {
    return this.#nomination === 'regular' && this.#identity.role === 'controlling';
  }

  /** RFC 8445 section 14.3. */
  #initialRto(): number {
    const active = this.#checklist.ordered().filter(({ state }) => state === 'waiting' || state === 'in-progress');
    return Math.max(this.#rto, this.#ta * active.length);
  }

  #report(event: IceEvent): void {
    this.#outbox.push({ type: 'event', event });
  }
}
