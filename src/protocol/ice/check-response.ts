import type { Endpoint } from '../../core/endpoint.ts';
import { attribute, type StunMessage, verifyIntegrity } from '../stun/index.ts';
import type { PairFailure } from './candidate-pair.ts';

export type ResponseVerdict =
  /** As if it had never come: retransmissions go on. */
  | { readonly type: 'discard' }
  /** `mapped`: our address as the other side saw it. */
  | { readonly type: 'success'; readonly mapped: Endpoint }
  /** The other side keeps its role, so we switch ours. */
  | { readonly type: 'role-conflict' }
  /** Consent is withdrawn (RFC 7675 section 5.2). */
  | { readonly type: 'revoked' }
  | { readonly type: 'failure'; readonly failure: PairFailure };

/**
 * What a response says about the check that it answers (RFC 8445 section 7.2.5). Without the password of the other side
 * it says nothing (RFC 8489 section 9.1.4), errors 400 and 401 included: who sends them cannot sign them, nor can a
 * forger.
 */
export function judgeResponse(response: StunMessage, key: Uint8Array): ResponseVerdict {
  if (!verifyIntegrity(response, key)) return { type: 'discard' };
  if (response.unknownRequired.length > 0) return { type: 'failure', failure: 'refused' };
  if (response.class === 'error') {
    const code = attribute(response, 'error-code')?.code;
    if (code === 487) return { type: 'role-conflict' };
    return code === 403 ? { type: 'revoked' } : { type: 'failure', failure: 'refused' };
  }
  const mapped = attribute(response, 'xor-mapped-address');
  return mapped === undefined ? { type: 'discard' } : { type: 'success', mapped: mapped.endpoint };
}
