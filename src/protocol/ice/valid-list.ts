import type { Candidate } from '../../core/candidate.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import { type CandidatePair, socketKey } from './candidate-pair.ts';
import type { CheckSender } from './check-sender.ts';
import type { Checklist } from './checklist.ts';
import type { Consent } from './consent.ts';
import type { IceAgentOptions, IceEvent, PairLoss } from './contract.ts';
import { candidateAt, localPeerReflexive } from './peer-reflexive.ts';
import type { Transaction, Transactions } from './transactions.ts';

/** How pairs become valid, are nominated and get lost (RFC 8445 sections 7.2.5.3 and 8.1, RFC 7675). */
export interface ValidList {
  /** A check of the pair succeeded; `mapped` is our address as the other side saw it. */
  answered(pair: CandidatePair, transaction: Transaction, mapped: Endpoint, now: number): void;
  /**
   * The controlling side asked for this pair: it is nominated, now or once our own check succeeds (section 7.3.1.5).
   */
  nominatedByPeer(pair: CandidatePair): void;
  lose(pair: CandidatePair, reason: PairLoss): void;
  /** Whether we may nominate the pair: a controlling agent nominates one only, for good (section 8.1.1). */
  mayNominate(pair: CandidatePair): boolean;
}

export interface ValidListOptions {
  readonly nomination: IceAgentOptions['nomination'];
  readonly checklist: Checklist;
  readonly transactions: Transactions;
  readonly sender: CheckSender;
  readonly consent: Consent;
  readonly report: (event: IceEvent) => void;
}

export function createValidList(options: ValidListOptions): ValidList {
  const { nomination, checklist, transactions, sender, consent, report } = options;
  /** The pair that we nominated. */
  let ours: CandidatePair | undefined;

  function validate(pair: CandidatePair, mapped: Endpoint, rtt: number, now: number): void {
    const local = localAt(mapped, pair);
    pair.seen = local;
    transactions.supersede(pair.id);
    checklist.succeed(pair);
    consent.start(pair.id, now);
    const { id: pairId, remote, nominateOnSuccess: nominated } = pair;
    report({ type: 'pair.valid', pairId, local, remote, rtt, nominated });
    keepFew();
  }

  function localAt(mapped: Endpoint, pair: CandidatePair): Candidate {
    const learned = checklist.ordered().flatMap(({ seen }) => seen ?? []);
    const known = candidateAt(mapped, pair.local, [...checklist.locals, ...learned]);
    if (known !== undefined) return known;
    const candidate = localPeerReflexive(pair.local, mapped);
    report({ type: 'candidate.peer-reflexive', side: 'local', candidate });
    return candidate;
  }

  function markNominated(pair: CandidatePair): void {
    if (pair.nominated) return;
    pair.nominated = true;
    report({ type: 'pair.nominated', pairId: pair.id });
    if (nomination === 'regular') conclude();
    else keepFew();
  }

  /** Ends the checks of all pairs that are not valid (RFC 8445 section 8.1.2). */
  function conclude(): void {
    for (const other of checklist.ordered()) {
      if (other.state === 'succeeded') continue;
      transactions.supersede(other.id);
      checklist.fail(other, 'superseded');
    }
  }

  /** Beside the nominated pair and those in use, one is kept to fall back on: of another socket, if there is any. */
  function keepFew(): void {
    const valid = checklist.ordered().filter(({ state }) => state === 'succeeded');
    const nominated = valid.find((pair) => pair.nominated);
    if (nominated === undefined || nomination === 'regular') {
      consent.keep(undefined);
      return;
    }
    const idle = valid.filter((pair) => !pair.nominated && !consent.isUsed(pair.id));
    const standby = idle.find(({ local }) => socketKey(local) !== socketKey(nominated.local)) ?? idle[0];
    consent.keep([nominated, ...(standby ? [standby] : [])].map(({ id }) => id));
  }

  function lose(pair: CandidatePair, reason: PairLoss): void {
    consent.stop(pair.id);
    for (const transaction of transactions.ofPair(pair.id)) transactions.remove(transaction);
    checklist.fail(pair, reason === 'superseded' ? 'superseded' : 'lost');
    pair.nominated = false;
    pair.nominateOnSuccess = false;
    report({ type: 'pair.lost', pairId: pair.id, reason });
    keepFew();
  }

  return {
    answered(pair, transaction, mapped, now) {
      const rtt = now - transaction.lastSentAt;
      pair.rtt = rtt;
      sender.proven(pair);
      if (pair.state === 'succeeded') {
        consent.answered(pair.id, now);
        report({ type: 'pair.confirmed', pairId: pair.id, rtt });
      } else {
        validate(pair, mapped, rtt, now);
      }
      if (transaction.useCandidate) ours = pair;
      if (transaction.useCandidate || pair.nominateOnSuccess) markNominated(pair);
    },
    nominatedByPeer(pair) {
      pair.nominateOnSuccess = true;
      if (pair.state === 'succeeded') markNominated(pair);
    },
    lose,
    mayNominate: (pair) => ours === undefined || ours === pair,
  };
}
