import { type Candidate, type RemoteCandidate, transportOf } from '../../core/candidate.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import { classifyAddress } from '../../core/ip-address.ts';
import { BINDING, type StunMessage, shortTermKey } from '../stun/index.ts';
import { isAdmissible, isAdmissibleCandidate, normalizeCandidate } from './admission.ts';
import { type CandidatePair, type LocalSocket, type PairFailure, pairId, snapshotPair } from './candidate-pair.ts';
import { encodeRefusal, encodeSuccess, judgeRequest } from './check-request.ts';
import { judgeResponse } from './check-response.ts';
import { createCheckSender } from './check-sender.ts';
import { createCheckingPhase } from './checking-phase.ts';
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
import { createLinkLocalZones } from './link-local.ts';
import { createNominator } from './nomination.ts';
import { createPacer } from './pacer.ts';
import { createRecentChecks } from './recent-checks.ts';
import { createTransactions, type Transaction } from './transactions.ts';
import { createValidList } from './valid-list.ts';

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
  const { random, nomination, ta = 50, burst = 1, rto = 500, checkingTime = 10_000, lostAfter = 4000 } = options;
  const { maxRemoteCandidates = 32, maxPairs = 100, allowLoopback = false } = options;
  const localKey = shortTermKey(options.local.pwd);
  const remoteKey = shortTermKey(options.remote.pwd);
  const identity = { role: options.role, tieBreaker: options.tieBreaker };
  const outbox: IceOutput[] = [];
  const emit = (output: IceOutput): void => void outbox.push(output);
  const report = (event: IceEvent): void => emit({ type: 'event', event });

  const checklist = createChecklist({ role: () => identity.role, maxRemoteCandidates, maxPairs });
  const transactions = createTransactions((transactionId) => emit({ type: 'settled', transactionId }));
  const sender = createCheckSender({ ...options, identity, transactions, emit });
  const consent = createConsent({ random, lostAfter, pace: nomination === 'deferred' ? 'turns' : 'alone' });
  const pacer = createPacer(ta, burst);
  const nominator = createNominator();
  const zones = createLinkLocalZones(maxRemoteCandidates);
  const recentChecks = createRecentChecks();
  const phase = createCheckingPhase(checkingTime);
  const validList = createValidList({ nomination, checklist, transactions, sender, consent, report });
  const ended = { local: false, remote: false };
  /**
   * Sources of checks, so that their address is judged once: a socket gives the same object for all packets of a
   * source.
   */
  const admitted = new WeakSet<Endpoint>();
  const dropped: Record<IceDrop, number> = {
    'forbidden-address': 0,
    'malformed-candidate': 0,
    'too-many-candidates': 0,
    'not-a-check': 0,
    unauthenticated: 0,
    replayed: 0,
    'unmatched-response': 0,
  };

  function handle(input: IceInput, now: number): void {
    switch (input.type) {
      case 'local-candidate':
        addLocal(input.candidate, now);
        break;
      case 'remote-candidate':
        addRemote(input.candidate, now);
        break;
      case 'end-of-candidates':
        ended[input.side] = true;
        break;
      case 'message':
        onMessage(input.message, input.from, input, now);
        break;
      case 'disconnected': {
        const pair = checklist.find(pairId(input, input.to));
        if (pair !== undefined) disconnect(pair);
        break;
      }
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
  }

  function addLocal(given: Candidate, now: number): void {
    const candidate = normalize(given);
    if (candidate === undefined || !isAdmitted(candidate)) return;
    const before = checklist.size();
    checklist.addLocal(candidate);
    for (const remote of zones.addLocal(candidate)) checklist.addRemote(remote);
    if (checklist.size() > before) phase.extend(now);
  }

  function addRemote(signalled: RemoteCandidate, now: number): void {
    const candidate = normalize(signalled);
    if (candidate === undefined) return;
    const before = checklist.size();
    for (const each of zones.addRemote(candidate)) {
      if (isAdmitted(each) && !checklist.addRemote(each)) dropped['too-many-candidates']++;
    }
    if (checklist.size() > before) phase.extend(now);
  }

  function normalize<C extends RemoteCandidate>(given: C): C | undefined {
    const candidate = normalizeCandidate(given);
    if (candidate === undefined) dropped['malformed-candidate']++;
    return candidate;
  }

  function isAdmitted(candidate: RemoteCandidate): boolean {
    const admitted = isAdmissibleCandidate(candidate, allowLoopback);
    if (!admitted) dropped['forbidden-address']++;
    return admitted;
  }

  function onMessage(message: StunMessage, from: Endpoint, on: LocalSocket, now: number): void {
    if (!admitted.has(from) && !isAdmissible(from, allowLoopback)) dropped['forbidden-address']++;
    else if (message.method !== BINDING || message.class === 'indication') dropped['not-a-check']++;
    else if (message.class === 'request') onRequest(message, from, on, now);
    else onResponse(message, from, on, now);
  }

  function onRequest(request: StunMessage, from: Endpoint, on: LocalSocket, now: number): void {
    const { role, tieBreaker } = identity;
    const verdict = judgeRequest(request, { role, tieBreaker, ufrag: options.local.ufrag, key: localKey });
    const bytes =
      verdict.type === 'accept' ? encodeSuccess(request, from, localKey) : encodeRefusal(request, verdict, localKey);
    const { transactionId } = request;
    const replayed = verdict.type === 'accept' && isReplay(transactionId, pairId(on, from));
    const verified = verdict.type === 'accept' ? !replayed : verdict.authenticated;
    const { base } = on;
    emit({ type: 'transmit', base, to: from, bytes, transactionId, request: false, verified, ...transportOf(on) });
    if (replayed) dropped.replayed++;
    else if (!verified) dropped.unauthenticated++;
    if (verdict.type === 'refuse' || replayed) return;
    switchRole(verdict.role);
    const { pair, learned } = checklist.hear(from, on, verdict.priority);
    if (learned !== undefined) report({ type: 'candidate.peer-reflexive', side: 'remote', candidate: learned });
    if (pair === undefined) return;
    admitted.add(from);
    phase.begin(now);
    pair.requestsReceived++;
    if (verdict.useCandidate && identity.role === 'controlled') validList.nominatedByPeer(pair);
    if (pair.state === 'succeeded') consent.heard(pair.id, now);
    else trigger(pair);
  }

  /**
   * A check that comes again from elsewhere is answered, since nobody can tell which of the two is the true one; but it
   * teaches no address, and asks for no check of ours, or it would aim many of them at whom it names as its source. A
   * valid pair has nothing to fear.
   */
  function isReplay(transactionId: Uint8Array, id: string): boolean {
    return recentChecks.isReplay(transactionId, id) && checklist.find(id)?.state !== 'succeeded';
  }

  /** RFC 8445 section 7.3.1.4: a fresh check at once, whatever became of the one before. */
  function trigger(pair: CandidatePair): void {
    transactions.supersede(pair.id);
    checklist.trigger(pair);
  }

  function onResponse(response: StunMessage, from: Endpoint, on: LocalSocket, now: number): void {
    const transaction = transactions.match(response.transactionId, from, on);
    if (transaction === undefined) {
      dropped['unmatched-response']++;
      return;
    }
    const verdict = judgeResponse(response, remoteKey);
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
        phase.succeed();
        validList.answered(pair, transaction, verdict.mapped, now);
        break;
      case 'role-conflict':
        switchRole(transaction.role === 'controlling' ? 'controlled' : 'controlling');
        identity.tieBreaker = Buffer.from(random.bytes(8)).readBigUInt64BE();
        if (pair.state !== 'succeeded') trigger(pair);
        break;
      case 'revoked':
        if (pair.state === 'succeeded') validList.lose(pair, 'revoked');
        else giveUp(pair, 'refused');
        break;
      case 'failure':
        if (transaction.purpose === 'check' && !transaction.superseded) giveUp(pair, verdict.failure);
    }
  }

  function onSilence(pair: CandidatePair, transaction: Transaction, now: number): void {
    if (pair.state === 'in-progress' && phase.isOpen(now) && mayBecomeReachable(pair.remote)) checklist.retry(pair);
    else giveUp(pair, transaction.violated ? 'integrity-violated' : 'timeout');
  }

  /** A check failed; on a valid pair it was a nominating one (RFC 8445 section 7.2.5.2). */
  function giveUp(pair: CandidatePair, failure: PairFailure): void {
    if (pair.state === 'in-progress') checklist.fail(pair, failure);
    else if (pair.state === 'succeeded') validList.lose(pair, failure === 'refused' ? 'refused' : 'unanswered');
  }

  /**
   * A pair is nothing without its connection, and is not tried again by itself; one that we have yet to open is
   * another.
   */
  function disconnect(pair: CandidatePair): void {
    if (pair.state === 'succeeded') validList.lose(pair, 'disconnected');
    const wasCalled = pair.state === 'waiting' && pair.local.tcpType === 'passive';
    if (pair.state !== 'in-progress' && !wasCalled) return;
    transactions.supersede(pair.id);
    checklist.fail(pair, 'disconnected');
  }

  function nominate(pair: CandidatePair, now: number): void {
    if (!validList.mayNominate(pair)) return;
    if (!sender.check(pair, now, initialRto(), true)) validList.lose(pair, 'unanswered');
  }

  function switchRole(role: IceRole): void {
    if (role === identity.role) return;
    identity.role = role;
    checklist.reorder();
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
      sender.resend(checklist.find(transaction.pairId)!, transaction, now);
    }
    for (const step of consent.take(now)) {
      const pair = checklist.find(step.pairId)!;
      if (step.type === 'lost') validList.lose(pair, step.reason);
      else if (step.type === 'check') sender.consent(pair, now, lostAfter);
      else report({ type: 'pair.doubtful', pairId: step.pairId });
    }
    const nominee = nominating() ? nominator.choose(checklist.ordered().filter(validList.mayNominate), now) : undefined;
    if (nominee !== undefined) nominate(nominee, now);
    for (let pair = checklist.next(); pair !== undefined && pacer.readyAt() <= now; pair = checklist.next()) {
      checklist.begin(pair);
      if (sender.check(pair, now, initialRto(), false)) pacer.take(now);
      else checklist.fail(pair, 'out-of-packets');
    }
    const allFailed = ended.local && ended.remote && checklist.ordered().every(({ state }) => state === 'failed');
    const exhausted = phase.conclude(allFailed, now);
    if (exhausted !== undefined) report({ type: 'checks.exhausted', reason: exhausted });
  }

  function nextAt(): number | undefined {
    const at = Math.min(
      transactions.nextAt(),
      consent.nextAt(),
      nominating() ? nominator.nextAt() : Number.POSITIVE_INFINITY,
      checklist.next() === undefined ? Number.POSITIVE_INFINITY : pacer.readyAt(),
      phase.nextAt(),
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
    const pairs = checklist.ordered();
    const learned = new Set(pairs.flatMap(({ seen }) => (seen?.type === 'prflx' ? [seen] : [])));
    const selected = pairs.find(({ nominated, state }) => nominated && state === 'succeeded');
    return {
      role: identity.role,
      local: [...checklist.locals, ...learned],
      remote: checklist.remotes(),
      pairs: pairs.map(snapshotPair),
      ...(selected && { selected: selected.id }),
      dropped: { ...dropped },
    };
  }

  return { ufrag: options.local.ufrag, handle, poll, snapshot };
}

/**
 * A private host address is there from the start or not at all; others open up when the NAT or firewall in front does.
 * TCP has tried long enough by itself.
 */
function mayBecomeReachable({ type, endpoint, transport }: RemoteCandidate): boolean {
  if (transport === 'tcp') return false;
  return type !== 'host' || classifyAddress(endpoint.address) === 'public';
}
