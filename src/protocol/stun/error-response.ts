import type { EncodableAttribute } from './attribute.ts';
import type { OutgoingMessage, StunMessage } from './message.ts';

/**
 * Error codes that our engines answer with (RFC 8489 section 14.8, RFC 8445 section 7.3.1.1, RFC 8656 section 19), and
 * their reason phrases.
 */
const ERROR_REASONS = {
  400: 'Bad Request',
  401: 'Unauthenticated',
  403: 'Forbidden',
  420: 'Unknown Attribute',
  437: 'Allocation Mismatch',
  438: 'Stale Nonce',
  440: 'Address Family not Supported',
  441: 'Wrong Credentials',
  442: 'Unsupported Transport Protocol',
  443: 'Peer Address Family Mismatch',
  486: 'Allocation Quota Reached',
  487: 'Role Conflict',
  508: 'Insufficient Capacity',
} as const;

export type ErrorResponseCode = keyof typeof ERROR_REASONS;

/** The error response to a request, with what else it must carry (REALM and NONCE for 401, for example). */
export function errorResponse(
  request: Pick<StunMessage, 'method' | 'transactionId'>,
  code: ErrorResponseCode,
  attributes: readonly EncodableAttribute[] = [],
): OutgoingMessage {
  return {
    class: 'error',
    method: request.method,
    transactionId: request.transactionId,
    attributes: [{ type: 'error-code', code, reason: ERROR_REASONS[code] }, ...attributes],
  };
}

/** The 420 response to a request with attributes that must be understood and are not (RFC 8489 section 6.3.1). */
export function unknownAttributesResponse(
  request: Pick<StunMessage, 'method' | 'transactionId' | 'unknownRequired'>,
): OutgoingMessage {
  return errorResponse(request, 420, [{ type: 'unknown-attributes', types: request.unknownRequired }]);
}
