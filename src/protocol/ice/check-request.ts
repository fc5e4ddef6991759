import { type Candidate, peerReflexivePriority } from '../../core/candidate.ts';
import type { Endpoint } from '../../core/endpoint.ts';
import {
  attribute,
  BINDING,
  type EncodableAttribute,
  encodeMessage,
  errorResponse,
  type StunMessage,
  unknownAttributesResponse,
  verifyIntegrity,
} from '../stun/index.ts';
import { isPriority } from './admission.ts';
import type { IceRole } from './contract.ts';

/** What one side knows when it is asked. */
export interface RequestContext {
  /** Our username fragment; the first half of every incoming USERNAME. */
  readonly ufrag: string;
  /** Short-term key of our password. */
  readonly key: Uint8Array;
  readonly role: IceRole;
  readonly tieBreaker: bigint;
}

export type RequestVerdict =
  | {
      readonly type: 'accept';
      /** Our role from now on; another than before if we lost a role conflict. */
      readonly role: IceRole;
      /** Of the peer-reflexive candidate, if the request's source makes one. */
      readonly priority: number;
      readonly useCandidate: boolean;
    }
  /** `authenticated`: whether the requester proved the password. */
  | { readonly type: 'refuse'; readonly code: 400 | 401 | 420 | 487; readonly authenticated: boolean };

/** A connectivity check as a Binding request (RFC 8445 section 7.2.2). */
export function encodeCheck(check: {
  readonly transactionId: Uint8Array;
  /** `<their ufrag>:<our ufrag>`. */
  readonly username: string;
  /** Short-term key of their password. */
  readonly key: Uint8Array;
  readonly local: Pick<Candidate, 'priority' | 'transport'>;
  readonly role: IceRole;
  readonly tieBreaker: bigint;
  readonly useCandidate: boolean;
}): Uint8Array {
  const attributes: EncodableAttribute[] = [
    { type: 'username', value: check.username },
    { type: 'priority', value: peerReflexivePriority(check.local) },
    { type: check.role === 'controlling' ? 'ice-controlling' : 'ice-controlled', tieBreaker: check.tieBreaker },
  ];
  if (check.useCandidate) attributes.push({ type: 'use-candidate' });
  return encodeMessage(
    { class: 'request', method: BINDING, transactionId: check.transactionId, attributes },
    { integrityKey: check.key, fingerprint: true },
  );
}

/** What to do with a Binding request: RFC 8489 sections 9.1.3 and 6.3.1, RFC 8445 section 7.3. */
export function judgeRequest(request: StunMessage, context: RequestContext): RequestVerdict {
  const username = attribute(request, 'username');
  const signed = attribute(request, 'message-integrity') ?? attribute(request, 'message-integrity-sha256');
  if (username === undefined || signed === undefined) return { type: 'refuse', code: 400, authenticated: false };
  if (!username.value.startsWith(`${context.ufrag}:`) || !verifyIntegrity(request, context.key)) {
    return { type: 'refuse', code: 401, authenticated: false };
  }
  if (request.unknownRequired.length > 0) return { type: 'refuse', code: 420, authenticated: true };
  const priority = attribute(request, 'priority')?.value;
  if (priority === undefined || !isPriority(priority)) return { type: 'refuse', code: 400, authenticated: true };
  const role = resolveRole(request, context);
  if (role === undefined) return { type: 'refuse', code: 487, authenticated: true };
  return { type: 'accept', role, priority, useCandidate: attribute(request, 'use-candidate') !== undefined };
}

/** The success response, which tells the requester how we see it (RFC 8445 section 7.3.1.2). */
export function encodeSuccess(request: StunMessage, from: Endpoint, key: Uint8Array): Uint8Array {
  const { method, transactionId } = request;
  return encodeMessage(
    { class: 'success', method, transactionId, attributes: [{ type: 'xor-mapped-address', endpoint: from }] },
    { integrityKey: key, fingerprint: true },
  );
}

/** The error response; signed only for a requester that proved the password (RFC 8489 section 9.1.3). */
export function encodeRefusal(
  request: StunMessage,
  { code, authenticated }: Extract<RequestVerdict, { type: 'refuse' }>,
  key: Uint8Array,
): Uint8Array {
  const response = code === 420 ? unknownAttributesResponse(request) : errorResponse(request, code);
  return encodeMessage(response, { ...(authenticated && { integrityKey: key }), fingerprint: true });
}

/** Our role after this request; `undefined` when the other side is to switch (RFC 8445 section 7.3.1.1). */
function resolveRole(request: StunMessage, { role, tieBreaker }: RequestContext): IceRole | undefined {
  const theirs = attribute(request, role === 'controlling' ? 'ice-controlling' : 'ice-controlled');
  if (theirs === undefined) return role;
  const weControl = tieBreaker >= theirs.tieBreaker;
  if (role === 'controlling') return weControl ? undefined : 'controlled';
  return weControl ? 'controlling' : undefined;
}
