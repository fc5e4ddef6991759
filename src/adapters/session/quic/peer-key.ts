import { X509Certificate } from 'node:crypto';

/** Whether the certificate (DER) is over this raw Ed25519 key. Nothing else of it counts: not name, dates or issuer. */
export function certifiesKey(certificate: Uint8Array | undefined, key: Uint8Array): boolean {
  if (certificate === undefined) return false;
  let spki: Buffer;
  try {
    spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  } catch {
    return false; // not a certificate, or over a key of a kind that node does not know
  }
  return spki.equals(Buffer.concat([SPKI_PREFIX, key]));
}

/** SubjectPublicKeyInfo of an Ed25519 key up to the 32 bytes of the key itself (RFC 8410 section 4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
