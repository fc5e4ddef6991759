/** Why a connection does not become a WebSocket. */
export interface Refusal {
  readonly reason: RejectionReason;
  readonly status: HttpStatus;
  /** One line for whoever reads it. */
  readonly text: string;
}

/**
 * `connections`: more TCP connections than there is room for, ended without a word. `half-open`: the oldest of too many
 * that are no WebSocket yet. `source-half-open`, `source-rate`: too many of one address, at a time or a second. `late`:
 * no request, or no TLS handshake, in time. `request`: no HTTP/1.1 request. `forwarded`: the proxy names no address.
 * `token`: none, or a wrong one.
 * `token-rate`: too many wrong ones of one address.
 */
export type RejectionReason = keyof typeof NOTHING_REJECTED;

/** Rejections by reason, none so far. */
export const NOTHING_REJECTED = {
  connections: 0,
  'half-open': 0,
  'source-half-open': 0,
  'source-rate': 0,
  late: 0,
  request: 0,
  forwarded: 0,
  token: 0,
  'token-rate': 0,
};

export type HttpStatus = 200 | 400 | 401 | 404 | 408 | 426 | 429 | 431 | 503;

/** The reason phrase, and the field that goes with it (RFC 9110 section 15, RFC 6585, RFC 6750 section 3). */
export const STATUS: Readonly<Record<HttpStatus, { readonly phrase: string; readonly field?: string }>> = {
  200: { phrase: 'OK' },
  400: { phrase: 'Bad Request' },
  401: { phrase: 'Unauthorized', field: 'WWW-Authenticate: Bearer' },
  404: { phrase: 'Not Found' },
  408: { phrase: 'Request Timeout' },
  426: { phrase: 'Upgrade Required', field: 'Upgrade: websocket' },
  429: { phrase: 'Too Many Requests', field: 'Retry-After: 5' },
  431: { phrase: 'Request Header Fields Too Large' },
  503: { phrase: 'Service Unavailable', field: 'Retry-After: 5' },
};
