import { hkdfSync } from 'node:crypto';

/** What a derived key is for; each purpose is its own HKDF `info`, so that no two share a key. */
type KeyPurpose =
  | 'ticket id'
  | 'standing answer'
  | 'contact id'
  | 'contact secret'
  | 'dialer to listener'
  | 'listener to dialer'
  | `ice ${number}`
  | `ice at relay ${string}`;

/**
 * `length` bytes of HKDF-SHA256 (RFC 5869) over the secret of a ticket or of a contact; `salt` is the session id, or
 * empty where there is no session.
 */
export function deriveKey(secret: Uint8Array, salt: Uint8Array, purpose: KeyPurpose, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, salt, `sallyport/1 ${purpose}`, length));
}

/** The salt of keys that belong to a ticket or a contact as a whole. */
export const NO_SESSION = new Uint8Array(0);
