/**
 * The nonce cookie: how a server says by its NONCE, which nobody can change unnoticed, what it is capable of (RFC 8489
 * section 9.2). The nonce begins with `obMatJos2` and 24 bits in base64, of which bit 0 is the leftmost (section 18.1).
 */

/** What a server's nonce says that it can do. */
export interface SecurityFeatures {
  /** Bit 0: it offers PASSWORD-ALGORITHMS. */
  readonly passwordAlgorithms: boolean;
  /** Bit 1: it knows users by USERHASH. */
  readonly usernameAnonymity: boolean;
}

/** What a nonce begins with. */
export function encodeNonceCookie({ passwordAlgorithms, usernameAnonymity }: SecurityFeatures): string {
  const first = (passwordAlgorithms ? 0x80 : 0) | (usernameAnonymity ? 0x40 : 0);
  return COOKIE + Buffer.of(first, 0, 0).toString('base64');
}

/** Nothing is promised by a nonce that has no cookie, or none that can be read. */
export function readNonceCookie(nonce: string): SecurityFeatures {
  const features = nonce.slice(COOKIE.length, COOKIE.length + FEATURES_LENGTH);
  const isCookie = nonce.startsWith(COOKIE) && /^[A-Za-z0-9+/]{4}$/.test(features);
  const first = isCookie ? Buffer.from(features, 'base64')[0]! : 0;
  return { passwordAlgorithms: (first & 0x80) !== 0, usernameAnonymity: (first & 0x40) !== 0 };
}

const COOKIE = 'obMatJos2';
/** Characters: 24 bits. */
const FEATURES_LENGTH = 4;
