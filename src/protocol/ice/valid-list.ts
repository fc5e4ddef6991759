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
  return new ValidPairs(options);
}

class ValidPairs implements ValidList {
  readonly #nomination: IceAgentOptions['nomination'];
  readonly #checklist: Checklist;
  readonly #transactions: Transactions;
  readonly #sender: CheckSender;
  readonly #consent: Consent;
  readonly #report: (event: IceEvent) => void;
  /** The pair that we nominated. */
  #ours: CandidatePair | undefined;

  constructor({ nomination, checklist, transactions, sender, consent, report }: ValidListOptions) {
    this.#nomination = nomination;
    this.#checklist = checklist;
    this.#transactions = transactions;
    this.#sender = sender;
    this.#consent = consent;
    this.#report = report;
  }

  answered(pair: CandidatePair, transaction: Transaction, mapped: Endpoint, now: number): void {
    const rtt = now - transaction.lastSentAt;
    pair.rtt = rtt;
    this.#sender.proven(pair);
    if (pair.state === 'succeeded') {
      this.#consent.answered(pair.id, now);
      this.#report({ type: 'pair.confirmed', pairId: pair.id, rtt });
    } else {
      this.#validate(pair, mapped, rtt, now);
    }
    if (transaction.useCandidate) this.#ours = pair;
    if (transaction.useCandidate || pair.nominateOnSuccess) this.#markNominated(pair);
  }

  nominatedByPeer(pair: CandidatePair): void {
    pair.nominateOnSuccess = true;
    if (pair.state === 'succeeded') this.#markNominated(pair);
  }

  lose(pair: CandidatePair, reason: PairLoss): void {
    this.#consent.stop(pair.id);
    for (const transaction of this.#transactions.ofPair(pair.id)) this.#transactions.remove(transaction);
    this.#checklist.fail(pair, reason === 'superseded' ? 'superseded' : 'lost');
    pair.nominated = false;
    pair.nominateOnSuccess = false;
    this.#report({ type: 'pair.lost', pairId: pair.id, reason });
    this.#keepFew();
  }

  mayNominate(pair: CandidatePair): boolean {
    return this.#ours === undefined || this.#ours === pair;
  }

  #validate(pair: CandidatePair, mapped: Endpoint, rtt: number, now: number): void {
    const local = this.#localAt(mapped, pair);
    pair.seen = local;
    this.#transactions.supersede(pair.id);
    this.#checklist.succeed(pair);
    this.#consent.start(pair.id, now);
    const { id: pairId, remote, nominateOnSuccess: nominated } = pair;
    this.#report({ type: 'pair.valid', pairId, local, remote, rtt, nominated });
    this.#keepFew();
  }

  #localAt(mapped: Endpoint, pair: CandidatePair): Candidate {
    const learned = this.#checklist.ordered().flatMap(({ seen }) => seen ?? []);
    const known = candidateAt(mapped, pair.local, [...this.#checklist.locals, ...learned]);
    if (known !== undefined) return known;
    const candidate = localPeerReflexive(pair.local, mapped);
    this.#report({ type: 'candidate.peer-reflexive', side: 'local', candidate });
    return candidate;
  }

  #markNominated(pair: CandidatePair): void {
    if (pair.nominated) return;
    pair.nominated = true;
    this.#report({ type: 'pair.nominated', pairId: pair.id });
    if (this.#nomination === 'regular') this.#conclude();
    else this.#keepFew();
  }

  /** Ends the checks of all pairs that are not valid (RFC 8445 section 8.1.2). */
  #conclude(): void {
    for (const other of this.#checklist.ordered()) {
      if (other.state === 'succeeded') continue;
      this.#transactions.supersede(other.id);
      this.#checklist.fail(other, 'superseded');
    }
  }

  /** Beside the nominated pair and those in use, one is kept to fall back on: of another socket, if there is any. */
  #keepFew(): void {
    const valid = this.#checklist.ordered().filter(({ state }) => state === 'succeeded');
    const nominated = valid.find((pair) => pair.nominated);
    if (nominated === undefined || this.#nomination === 'regular') {
      this.#consent.keep(undefined);
      return;
    }
    const idle = valid.filter((pair) => !pair.nominated && !this.#consent.isUsed(pair.id));
    const standby = idle.find(({ local }) => socketKey(local) !== socketKey(nominated.local)) ?? idle[0];
    this.#consent.keep([nominated, ...(standby ? [standby] : [])].map(({ id }) => id));
  }
}
