import { generateKeyPairSync, sign } from 'node:crypto';

/** What a certificate says, and who says it. */
export interface CertificateClaims {
  /** SubjectPublicKeyInfo of the key that it is said to be over (RFC 5280 section 4.1.2.7). */
  readonly spki: Uint8Array;
  /** `YYMMDDHHMMSSZ`, both in the past or not. */
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** AlgorithmIdentifier of the signature. */
  readonly algorithm?: Uint8Array;
  readonly sign: (body: Uint8Array) => Uint8Array;
}

/** A self-issued certificate in PEM (RFC 5280 section 4.1), true or not. */
export function forgeCertificate(claims: CertificateClaims): string {
  const { spki, notBefore = '700101000000Z', notAfter = '491231235959Z', algorithm = ED25519, sign } = claims;
  const name = der(0x30, der(0x31, der(0x30, COMMON_NAME, der(0x0c, Buffer.from('forged')))));
  const validity = der(0x30, der(0x17, Buffer.from(notBefore)), der(0x17, Buffer.from(notAfter)));
  const version = der(0xa0, der(0x02, Uint8Array.of(2)));
  const body = der(0x30, version, der(0x02, Uint8Array.of(1)), algorithm, name, validity, name, spki);
  const signature = der(0x03, Uint8Array.of(0), sign(body));
  const lines =
    der(0x30, body, algorithm, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** The SubjectPublicKeyInfo of a raw Ed25519 key (RFC 8410 section 4). */
export function ed25519Spki(key: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]);
}

/** A fresh key on P-256, which no Sallyport has, and a certificate over it. */
export function p256Proof(): { readonly key: string; readonly certificate: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = forgeCertificate({
    spki: publicKey.export({ type: 'spki', format: 'der' }),
    algorithm: ECDSA_WITH_SHA256,
    sign: (body) => sign('sha256', body, privateKey),
  });
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, certificate };
}

/** id-Ed25519, 1.3.101.112 (RFC 8410 section 3); ecdsa-with-SHA256, 1.2.840.10045.4.3.2 (RFC 5758 section 3.2); id-at-commonName. */
const ED25519 = Buffer.from('300506032b6570', 'hex');
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');

/** Tag, length, content (X.690 section 8.1); contents here are shorter than 2^16. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}
