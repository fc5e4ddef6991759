import type { Identity } from '../../../core/identity.ts';

/*
 * Certificate ::= SEQUENCE {
 *   tbsCertificate SEQUENCE {
 *     [0] version v3, serialNumber 1, signature AlgorithmIdentifier, issuer Name,
 *     validity { 1970-01-01, 9999-12-31 }, subject Name, subjectPublicKeyInfo },
 *   signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
 */

/**
 * Self-signed certificate over the identity's Ed25519 key, as PEM (RFC 5280 section 4.1, RFC 8410).
 * TLS wants one; Sallyport reads only its key, so name, serial number and dates are the same in every certificate.
 */
export function selfSignedCertificate(identity: Identity): string {
  const name = sequence(der(SET, sequence(COMMON_NAME, der(UTF8_STRING, Buffer.from('sallyport')))));
  const publicKey = sequence(ED25519, bitString(identity.publicKey));
  const body = sequence(VERSION_3, SERIAL_NUMBER, ED25519, name, VALIDITY, name, publicKey);
  const certificate = sequence(body, ED25519, bitString(identity.sign(body)));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const EXPLICIT_0 = 0xa0;

const VERSION_3 = der(EXPLICIT_0, der(INTEGER, Buffer.of(2)));
const SERIAL_NUMBER = der(INTEGER, Buffer.of(1));
/** id-Ed25519, 1.3.101.112; no parameters (RFC 8410 section 3). */
const ED25519 = sequence(der(OBJECT_IDENTIFIER, Buffer.of(0x2b, 0x65, 0x70)));
/** id-at-commonName, 2.5.4.3. */
const COMMON_NAME = der(OBJECT_IDENTIFIER, Buffer.of(0x55, 0x04, 0x03));
/** From the epoch until "no well-defined expiration date" (RFC 5280 section 4.1.2.5). */
const VALIDITY = sequence(
  der(UTC_TIME, Buffer.from('700101000000Z')),
  der(GENERALIZED_TIME, Buffer.from('99991231235959Z')),
);

function sequence(...parts: Uint8Array[]): Buffer {
  return der(SEQUENCE, Buffer.concat(parts));
}

/** A whole number of bytes: no unused bits. */
function bitString(bytes: Uint8Array): Buffer {
  return der(BIT_STRING, Buffer.concat([Buffer.of(0), bytes]));
}

/** Tag, length, content (X.690 section 8.1); contents here are shorter than 2^16. */
function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}
