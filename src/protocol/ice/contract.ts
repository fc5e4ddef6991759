import type { Candidate, CandidateTransport, RemoteCandidate } from '../../core/candidate.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import type { Random } from '../../core/random.ts';
import type { StunMessage } from '../stun/index.ts';
import type { PairFailure, PairState } from './candidate-pair.ts';
import type { CheckBudget } from './check-budget.ts';

/** The controlling agent chooses the pair (RFC 8445 section 6.1.1). */
export type IceRole = 'controlling' | 'controlled';

/** Username fragment and password of one side (RFC 8445 section 5.3). */
export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

export interface IceAgentOptions {
  readonly role: IceRole;
  /** 64 random bits (RFC 8445 section 16.1). */
  readonly tieBreaker: bigint;
  readonly local: IceCredentials;
  readonly remote: IceCredentials;
  readonly random: Random;
  /**
   * `regular`: a controlling agent nominates the best valid pair by itself (RFC 8445 section 8.1.1).
   * `deferred`: only on the input `nominate`, by both sides, which may use every valid pair until then and take turns
   * in asking for consent. Of the other valid pairs those in use stay, and one to fall back on.
   */
  readonly nomination: 'deferred' | 'regular';
  /** Ta, ms between two new checks (RFC 8445 section 14.2). Default 50; 5 is the least the RFC allows. */
  readonly ta?: number;
  /** Checks that may leave back to back after a pause. Default 1, as in RFC 8445. */
  readonly burst?: number;
  /** Least initial retransmission timeout in ms. Default 500 (RFC 8445 section 14.3). */
  readonly rto?: number;
  /** ms from the last candidate that made a pair during which failed pairs are tried again. Default 10 000. */
  readonly checkingTime?: number;
  /** ms of silence after the first unanswered consent check until a pair is lost. Default 4000. */
  readonly lostAfter?: number;
  /** Bounds the signalled candidates and, separately, the peer-reflexive ones. Default 32. */
  readonly maxRemoteCandidates?: number;
  /** Bounds the candidate pairs; those of the lowest priority give way. Default 100 (RFC 8445 section 6.1.2.5). */
  readonly maxPairs?: number;
  /** This agent's share of what all agents of a peer may send; absent, only the bounds of this one hold. */
  readonly budget?: CheckBudget;
  /** Lets loopback addresses take part: two peers on one machine. Default false. */
  readonly allowLoopback?: boolean;
}

/**
 * An ICE agent of one data stream with one component: a checklist without input or output of its own.
 * After every `handle`, and when a `wait` has run out, call `poll` until it gives the next `wait`. `now` is in ms and
 * never goes back.
 */
export interface IceAgent {
  /** Our username fragment: requests whose USERNAME begins with it are for this agent. */
  readonly ufrag: string;
  /** Never throws, whatever the other side sends or signals. */
  handle(input: IceInput, now: number): void;
  poll(now: number): IceOutput;
  snapshot(): IceSnapshot;
}

export type IceInput =
  | { readonly type: 'local-candidate'; readonly candidate: Candidate }
  | { readonly type: 'remote-candidate'; readonly candidate: RemoteCandidate }
  | { readonly type: 'end-of-candidates'; readonly side: 'local' | 'remote' }
  /**
   * A STUN message meant for this agent. `base` is the local address of the socket that it came in on; over TCP, with
   * the
   * `tcpType` of our end, of the listener or, on a connection that we opened, of any candidate of its family.
   */
  | (CandidateTransport & {
      readonly type: 'message';
      readonly message: StunMessage;
      readonly from: Endpoint;
      readonly base: Endpoint;
    })
  /** A TCP connection to or from this address could not be opened, or has ended: its pair has failed. */
  | (CandidateTransport & { readonly type: 'disconnected'; readonly base: Endpoint; readonly to: Endpoint })
  /** The pairs that carry data from now on: they get consent checks more often than other valid pairs. */
  | { readonly type: 'use'; readonly pairIds: readonly string[] }
  /** The path looks dead: asks for consent at once, and quicker until it is answered. */
  | { readonly type: 'check'; readonly pairId: string }
  /**
   * Nominates a valid pair; ignored while controlled, and once another pair has been nominated (RFC 8445 section
   * 8.1.1).
   */
  | { readonly type: 'nominate'; readonly pairId: string };

export type IceOutput =
  /**
   * Send over UDP, or over the TCP connection with `to`: the one that we open (`active`), or the one that came in on
   * our listener (`passive`).
   */
  | (CandidateTransport & {
      readonly type: 'transmit';
      /** Tells the socket to send from, by family and port; by family alone where `tcpType` is `active`. */
      readonly base: Endpoint;
      readonly to: Endpoint;
      readonly bytes: Uint8Array;
      readonly transactionId: Uint8Array;
      /** True for a request, whose response is to be handed to `handle`; false for a response. */
      readonly request: boolean;
      /**
       * False towards a requester that did not prove our password, or repeats what others sent: its TCP connection
       * deserves nothing more.
       */
      readonly verified: boolean;
    })
  /** No response to this request is of interest any more. */
  | { readonly type: 'settled'; readonly transactionId: Uint8Array }
  | { readonly type: 'event'; readonly event: IceEvent }
  /** Nothing to do until this time, or until the next input if `until` is undefined. */
  | { readonly type: 'wait'; readonly until: number | undefined };

export type IceEvent =
  /** A check was answered: the pair carries datagrams both ways. `local` is as the other side saw it. */
  | {
      readonly type: 'pair.valid';
      readonly pairId: string;
      readonly local: Candidate;
      readonly remote: RemoteCandidate;
      /** ms since the last transmission of the answered check, hence too short if an earlier one was answered. */
      readonly rtt: number;
      readonly nominated: boolean;
    }
  /** A check on a valid pair was answered. */
  | { readonly type: 'pair.confirmed'; readonly pairId: string; readonly rtt: number }
  /** Several checks in a row on a valid pair got no answer: it is lost soon, unless one does. */
  | { readonly type: 'pair.doubtful'; readonly pairId: string }
  | { readonly type: 'pair.nominated'; readonly pairId: string }
  /** A valid pair is valid no more; it comes back with another `pair.valid` when the other side gets through again. */
  | { readonly type: 'pair.lost'; readonly pairId: string; readonly reason: PairLoss }
  | { readonly type: 'candidate.peer-reflexive'; readonly side: 'local'; readonly candidate: Candidate }
  | { readonly type: 'candidate.peer-reflexive'; readonly side: 'remote'; readonly candidate: RemoteCandidate }
  | { readonly type: 'role.switched'; readonly role: IceRole }
  /**
   * No pair became valid: all have failed and both sides ended their candidates, or the checking time is over. Given
   * once, and again for candidates that come later. Incoming checks are still answered, so a `pair.valid` may yet
   * follow.
   */
  | { readonly type: 'checks.exhausted'; readonly reason: 'all-failed' | 'timeout' };

export type PairLoss =
  /** Several checks in a row got no answer. */
  | 'unanswered'
  /** No answer for 30 s (RFC 7675 section 5.1). */
  | 'consent-expired'
  /** The other side wants no more packets (RFC 7675 section 5.2). */
  | 'revoked'
  /** The nominating check was answered by an error. */
  | 'refused'
  /** Another pair was nominated (RFC 8445 section 8.1.2), and this one is not needed to fall back on. */
  | 'superseded'
  /** Its TCP connection has ended. */
  | 'disconnected';

/** Plain data for verdicts and the inspector. */
export interface IceSnapshot {
  readonly role: IceRole;
  /** Peer-reflexive ones included. */
  readonly local: readonly Candidate[];
  readonly remote: readonly RemoteCandidate[];
  /** Best first. */
  readonly pairs: readonly PairSnapshot[];
  /** The best of the nominated pairs (RFC 8445 section 8.1.1). */
  readonly selected?: string;
  readonly dropped: Readonly<Record<IceDrop, number>>;
}

export interface PairSnapshot {
  readonly id: string;
  readonly state: PairState;
  /** As the other side saw it where that is known, else as paired. */
  readonly local: Candidate;
  readonly remote: RemoteCandidate;
  readonly nominated: boolean;
  /** ms, of the latest answered check. */
  readonly rtt?: number;
  readonly failure?: PairFailure;
  /** Requests sent, retransmissions included. */
  readonly requestsSent: number;
  readonly responsesReceived: number;
  /** Authenticated requests received. */
  readonly requestsReceived: number;
}

/** Why an input was ignored. */
export type IceDrop =
  | 'forbidden-address'
  | 'malformed-candidate'
  | 'too-many-candidates'
  | 'not-a-check'
  | 'unauthenticated'
  /** A check that has been here before, from another source. */
  | 'replayed'
  /** No request that went there waits for it. */
  | 'unmatched-response';
