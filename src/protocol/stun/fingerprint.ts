import { crc32 } from 'node:zlib';

/** FINGERPRINT of what precedes it; the header's length must already count it (RFC 8489 section 14.7). */
export function computeFingerprint(preceding: Uint8Array): number {
  return (crc32(preceding) ^ 0x5354_554e) >>> 0;
}
