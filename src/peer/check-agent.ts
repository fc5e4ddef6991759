import type { Random } from '../core/random.ts';
import { type CheckBudget, createIceAgent, type IceAgent, type IceCredentials } from '../protocol/ice/index.ts';

export interface CheckAgentOptions {
  readonly dialer: boolean;
  readonly tieBreaker: bigint;
  /** Of one generation. */
  readonly credentials: { readonly mine: IceCredentials; readonly theirs: IceCredentials };
  readonly random: Random;
  readonly loopback: boolean;
  /** What this connection may send of what all connections of the peer may. */
  readonly budget: CheckBudget;
  /** The other side will begin its checks when somebody has carried the offer there: checks go on slowly until then. */
  readonly isPatient?: boolean;
}

/** An ICE agent as two Sallyports run it between them: fast, and nominating late. */
export function createCheckAgent(options: CheckAgentOptions): IceAgent {
  const { dialer, tieBreaker, credentials, random, loopback, budget, isPatient = false } = options;
  return createIceAgent({
    role: dialer ? 'controlling' : 'controlled',
    tieBreaker,
    local: credentials.mine,
    remote: credentials.theirs,
    random,
    nomination: 'deferred',
    ta: TA,
    rto: isPatient ? PATIENT_RTO : RTO,
    burst: BURST,
    ...(isPatient && { checkingTime: Number.POSITIVE_INFINITY }),
    allowLoopback: loopback,
    budget,
  });
}

/** Two Sallyports agree on the fastest pacing that RFC 8445 section 14.2 allows. */
const TA = 5;
/** Retransmission of a check in ms: candidates are probed while the far side may still be opening its filter. */
const RTO = 200;
/** The same while the offer is carried by hand: a check leaves at least every 4 s. */
const PATIENT_RTO = 500;
/** Checks sent at once when candidates arrive together. */
const BURST = 4;
