import { type Endpoint, sameEndpoint } from '../../core/endpoint.ts';
import { attribute, type StunMessage, verifyIntegrity } from '../stun/index.ts';
import { type PairFailure, socketKey } from './candidate-pair.ts';

export type ResponseVerdict =
  /** As if it had never come: retransmissions go on. */
  | { readonly type: 'discard' }
  /** `mapped`: our address as the other side saw it. */
  | { readonly type: 'success'; readonly mapped: Endpoint }
  /** The other side keeps its role, so we switch ours. */
  | { readonly type: 'role-conflict' }
  | { readonly type: 'failure'; readonly failure: PairFailure };

/** Where a message came in. */
export interface Arrival {
  readonly from: Endpoint;
  readonly base: Endpoint;
}

/**
 * What a response says about the check that it answers (RFC 8445 section 7.2.5). Without the password of the other side it
 * says nothing (RFC 8489 section 9.1.4), errors 400 and 401 included: who sends them cannot sign them, nor can a forger.
 */
export function judgeResponse(
  response: StunMessage,
  arrival: Arrival,
  check: { readonly to: Endpoint; readonly base: Endpoint },
  key: Uint8Array,
): ResponseVerdict {
  if (!verifyIntegrity(response, key)) return { type: 'discard' };
  const symmetric = sameEndpoint(arrival.from, check.to) && socketKey(arrival.base) === socketKey(check.base);
  if (!symmetric) return { type: 'failure', failure: 'asymmetric' };
  if (response.unknownRequired.length > 0) return { type: 'failure', failure: 'refused' };
  if (response.class === 'error') {
    const conflict = attribute(response, 'error-code')?.code === 487;
    return conflict ? { type: 'role-conflict' } : { type: 'failure', failure: 'refused' };
  }
  const mapped = attribute(response, 'xor-mapped-address');
  return mapped === undefined ? { type: 'discard' } : { type: 'success', mapped: mapped.endpoint };
}
