import type { Candidate, RemoteCandidate } from '../../core/candidate.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import { classifyAddress } from '../../core/ip-address.ts';
import { BINDING, type StunMessage, shortTermKey } from '../stun/index.ts';
import { isAdmissible, normalizeCandidate } from './admission.ts';
import { type CandidatePair, type PairFailure, snapshotPair } from './candidate-pair.ts';
import { encodeRefusal, encodeSuccess, judgeRequest } from './check-request.ts';
import { judgeResponse } from './check-response.ts';
import { createCheckSender } from './check-sender.ts';
import { createChecklist } from './checklist.ts';
import { createConsent } from './consent.ts';
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
import { createPacer } from './pacer.ts';
import { createTransactions, type Transaction } from './transactions.ts';
import { createValidList } from './valid-list.ts';

/**
 * Makes an ICE agent (RFC 8445, trickle RFC 8838, consent RFC 7675).
 *
 * A check is sent at 0, 1, 3 and 7 x RTO and given up at 15 x RTO. Until `checkingTime` is over or a pair is valid, a pair that
 * was given up takes its turn again with a fresh check, because packets sent before the other side started, or before its NAT
 * was open, are lost; only private host addresses are given up at once, as they do not become reachable. With RTO = 200 ms that
 * makes 16 packets to a dead address, none more than 1.6 s after the one before. An incoming check revives a failed pair at
 * any time.
 */
export function createIceAgent(options: IceAgentOptions): IceAgent {
  const { random, nomination, ta = 50, burst = 1, rto = 500, checkingTime = 10_000, lostAfter = 4000 } = options;
  const { maxRemoteCandidates = 32, allowLoopback = false } = options;
  const localKey = shortTermKey(options.local.pwd);
  const remoteKey = shortTermKey(options.remote.pwd);
  const identity = { role: options.role, tieBreaker: options.tieBreaker };
  const outbox: IceOutput[] = [];
  const emit = (output: IceOutput): void => void outbox.push(output);
  const report = (event: IceEvent): void => emit({ type: 'event', event });

  const checklist = createChecklist({ role: () => identity.role, maxRemoteCandidates });
  const transactions = createTransactions((transactionId) => emit({ type: 'settled', transactionId }));
  const sender = createCheckSender({ ...options, identity, transactions, emit });
  const consent = createConsent({ random, lostAfter });
  const pacer = createPacer(ta, burst);
  const nominator = createNominator();
  const validList = createValidList({ nomination, checklist, transactions, sender, consent, report });
  const ended = { local: false, remote: false };
  const dropped: Record<IceDrop, number> = {
    'forbidden-address': 0,
    'malformed-candidate': 0,
    'too-many-candidates': 0,
    'not-a-check': 0,
    unauthenticated: 0,
    'unmatched-response': 0,
  };
  /** Set with the first pair. */
  let checkingUntil: number | undefined;
  /** Whether a pair was valid, or `checks.exhausted` was reported: there is nothing left to give up. */
  let decided = false;

  function handle(input: IceInput, now: number): void {
    switch (input.type) {
      case 'local-candidate':
        addLocal(input.candidate);
        break;
      case 'remote-candidate':
        addRemote(input.candidate);
        break;
      case 'end-of-candidates':
        ended[input.side] = true;
        break;
      case 'message':
        onMessage(input.message, input.from, input.base, now);
        break;
      case 'use':
        consent.use(input.pairIds, now);
        break;
      case 'check':
        consent.hurry(input.pairId, now);
        break;
      case 'nominate': {
        const pair = checklist.find(input.pairId);
        if (pair?.state === 'succeeded' && identity.role === 'controlling') nominate(pair, now);
      }
    }
    if (checklist.size() > 0) checkingUntil ??= now + checkingTime;
  }

  function addLocal(given: Candidate): void {
    const candidate = admit(given);
    if (candidate !== undefined) checklist.addLocal(candidate);
  }

  function addRemote(signalled: RemoteCandidate): void {
    const candidate = admit(signalled);
    if (candidate !== undefined && !checklist.addRemote(candidate)) dropped['too-many-candidates']++;
  }

  function admit<C extends RemoteCandidate>(given: C): C | undefined {
    const candidate = normalizeCandidate(given);
    if (candidate === undefined) dropped['malformed-candidate']++;
    else if (!isAdmissible(candidate.endpoint, allowLoopback)) dropped['forbidden-address']++;
    else return candidate;
    return undefined;
  }

  function onMessage(message: StunMessage, from: Endpoint, base: Endpoint, now: number): void {
    if (!isAdmissible(from, allowLoopback)) dropped['forbidden-address']++;
    else if (message.method !== BINDING || message.class === 'indication') dropped['not-a-check']++;
    else if (message.class === 'request') onRequest(message, from, base);
    else onResponse(message, from, base, now);
  }

  function onRequest(request: StunMessage, from: Endpoint, base: Endpoint): void {
    const verdict = judgeRequest(request, { ...identity, ufrag: options.local.ufrag, key: localKey });
    const bytes =
      verdict.type === 'accept' ? encodeSuccess(request, from, localKey) : encodeRefusal(request, verdict, localKey);
    emit({ type: 'transmit', base, to: from, bytes, transactionId: request.transactionId, request: false });
    if (verdict.type === 'refuse') {
      if (!verdict.authenticated) dropped.unauthenticated++;
      return;
    }
    switchRole(verdict.role);
    const { pair, learned } = checklist.hear(from, base, verdict.priority);
    if (learned !== undefined) report({ type: 'candidate.peer-reflexive', side: 'remote', candidate: learned });
    if (pair === undefined) return;
    pair.requestsReceived++;
    if (verdict.useCandidate && identity.role === 'controlled') validList.nominatedByPeer(pair);
    if (pair.state !== 'succeeded') trigger(pair);
  }

  /** RFC 8445 section 7.3.1.4: a fresh check at once, whatever became of the one before. */
  function trigger(pair: CandidatePair): void {
    transactions.supersede(pair.id);
    checklist.trigger(pair);
  }

  function onResponse(response: StunMessage, from: Endpoint, base: Endpoint, now: number): void {
    const transaction = transactions.match(response.transactionId);
    if (transaction === undefined) {
      dropped['unmatched-response']++;
      return;
    }
    const verdict = judgeResponse(response, { from, base }, transaction, remoteKey);
    if (verdict.type === 'discard') {
      transaction.violated = true;
      dropped.unauthenticated++;
      return;
    }
    transactions.remove(transaction);
    const pair = checklist.find(transaction.pairId)!;
    pair.responsesReceived++;
    switch (verdict.type) {
      case 'success':
        decided = true;
        validList.answered(pair, transaction, verdict.mapped, now);
        break;
      case 'role-conflict':
        switchRole(transaction.role === 'controlling' ? 'controlled' : 'controlling');
        identity.tieBreaker = Buffer.from(random.bytes(8)).readBigUInt64BE();
        if (pair.state !== 'succeeded') trigger(pair);
        break;
      case 'failure':
        if (transaction.purpose === 'check' && !transaction.superseded) giveUp(pair, verdict.failure);
    }
  }

  function onSilence(pair: CandidatePair, transaction: Transaction, now: number): void {
    const worthwhile =
      !decided && checkingUntil !== undefined && now < checkingUntil && mayBecomeReachable(pair.remote);
    if (worthwhile && pair.state === 'in-progress') checklist.retry(pair);
    else giveUp(pair, transaction.violated ? 'integrity-violated' : 'timeout');
  }

  /** A check failed; on a valid pair it was a nominating one (RFC 8445 section 7.2.5.2). */
  function giveUp(pair: CandidatePair, failure: PairFailure): void {
    if (pair.state === 'in-progress') checklist.fail(pair, failure);
    else if (pair.state === 'succeeded') validList.lose(pair, failure === 'refused' ? 'refused' : 'unanswered');
  }

  function nominate(pair: CandidatePair, now: number): void {
    if (!sender.check(pair, now, initialRto(), true)) validList.lose(pair, 'unanswered');
  }

  function switchRole(role: IceRole): void {
    if (role === identity.role) return;
    identity.role = role;
    nominator.reset();
    report({ type: 'role.switched', role });
  }

  function poll(now: number): IceOutput {
    if (outbox.length === 0) advance(now);
    return outbox.shift() ?? { type: 'wait', until: nextAt() };
  }

  /** Does what is due. */
  function advance(now: number): void {
    for (const transaction of transactions.expired(now)) {
      transactions.remove(transaction);
      const pair = checklist.find(transaction.pairId)!;
      if (transaction.purpose === 'check' && !transaction.superseded) onSilence(pair, transaction, now);
    }
    for (const transaction of transactions.takeResends(now)) {
      sender.resend(checklist.find(transaction.pairId)!, transaction);
    }
    for (const step of consent.take(now)) {
      const pair = checklist.find(step.pairId)!;
      if (step.type === 'lost') validList.lose(pair, step.reason);
      else sender.consent(pair, now, lostAfter);
    }
    const nominee = nominating() ? nominator.choose(checklist.ordered(), now) : undefined;
    if (nominee !== undefined) nominate(nominee, now);
    for (let pair = checklist.next(); pair !== undefined && pacer.readyAt() <= now; pair = checklist.next()) {
      checklist.begin(pair);
      if (sender.check(pair, now, initialRto(), false)) pacer.take(now);
      else checklist.fail(pair, 'out-of-packets');
    }
    if (!decided) concludeUndecided(now);
  }

  function concludeUndecided(now: number): void {
    const allFailed = ended.local && ended.remote && checklist.ordered().every(({ state }) => state === 'failed');
    if (!allFailed && (checkingUntil === undefined || now < checkingUntil)) return;
    decided = true;
    report({ type: 'checks.exhausted', reason: allFailed ? 'all-failed' : 'timeout' });
  }

  function nextAt(): number | undefined {
    const at = Math.min(
      transactions.nextAt(),
      consent.nextAt(),
      nominating() ? nominator.nextAt() : Number.POSITIVE_INFINITY,
      checklist.next() === undefined ? Number.POSITIVE_INFINITY : pacer.readyAt(),
      decided || checkingUntil === undefined ? Number.POSITIVE_INFINITY : checkingUntil,
    );
    return at === Number.POSITIVE_INFINITY ? undefined : at;
  }

  function nominating(): boolean {
    return nomination === 'regular' && identity.role === 'controlling';
  }

  /** RFC 8445 section 14.3. */
  function initialRto(): number {
    const active = checklist.ordered().filter(({ state }) => state === 'waiting' || state === 'in-progress');
    return Math.max(rto, ta * active.length);
  }

  function snapshot(): IceSnapshot {
    return {
      role: identity.role,
      local: [...checklist.locals],
      remote: checklist.remotes(),
      pairs: checklist.ordered().map(snapshotPair),
      dropped: { ...dropped },
    };
  }

  return { ufrag: options.local.ufrag, handle, poll, snapshot };
}

/** A private host address is there from the start or not at all; others open up when the NAT or firewall in front does. */
function mayBecomeReachable({ type, endpoint }: RemoteCandidate): boolean {
  return type !== 'host' || classifyAddress(endpoint.address) === 'public';
}
