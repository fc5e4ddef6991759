import { createCipheriv, createDecipheriv } from 'node:crypto';
import { DecodeError, TraversalError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';

/**
 * AES-256-GCM (NIST SP 800-38D) with a versioned header:
 * ```
 *  version     1   0x01
 *  sequence    4
 *  nonce      12   random
 *  ciphertext  n
 *  tag        16
 * ```
 * The header and what both sides know anyway (`context`) are authenticated with the text.
 */
export interface SealedBox {
  readonly sequence: number;
  readonly plaintext: Uint8Array;
}

export interface BoxKey {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** What the text is bound to: opening with another context fails. */
  readonly context: Uint8Array;
}

/** `sequence` is 0..2^32-1. Throws `ERR_TOO_LARGE` for more than {@link MAX_PLAINTEXT} bytes. */
export function sealBox({ key, context }: BoxKey, { sequence, plaintext }: SealedBox, random: Random): Uint8Array {
  if (plaintext.length > MAX_PLAINTEXT) {
    throw new TraversalError('ERR_TOO_LARGE', `${plaintext.length} bytes to seal, at most ${MAX_PLAINTEXT} fit`);
  }
  const header = Buffer.alloc(HEADER_LENGTH);
  header[0] = VERSION;
  header.writeUInt32BE(sequence, SEQUENCE_AT);
  header.set(random.bytes(NONCE_LENGTH), NONCE_AT);
  const cipher = createCipheriv('aes-256-gcm', key, header.subarray(NONCE_AT));
  cipher.setAAD(Buffer.concat([header, context]));
  return new Uint8Array(Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

/**
 * Throws `DecodeError` with `where` and what is wrong, and `ERR_VERSION` for a box of another version; that byte cannot
 * be authenticated before it is understood, so it proves nothing about who wrote it.
 */
export function openBox({ key, context }: BoxKey, box: Uint8Array, where: string): SealedBox {
  if (box.length < BOX_OVERHEAD) throw new DecodeError(`${where}/length`, `${box.length} bytes`);
  if (box[0] !== VERSION) {
    throw new TraversalError('ERR_VERSION', `${where} is of version ${box[0]}; this program reads version ${VERSION}`);
  }
  if (box.length > MAX_PLAINTEXT + BOX_OVERHEAD) throw new DecodeError(`${where}/length`, `${box.length} bytes`);
  const bytes = Buffer.from(box.buffer, box.byteOffset, box.byteLength);
  const header = bytes.subarray(0, HEADER_LENGTH);
  const decipher = createDecipheriv('aes-256-gcm', key, header.subarray(NONCE_AT), { authTagLength: TAG_LENGTH });
  decipher.setAAD(Buffer.concat([header, context]));
  decipher.setAuthTag(bytes.subarray(-TAG_LENGTH));
  const plaintext = decipher.update(bytes.subarray(HEADER_LENGTH, -TAG_LENGTH));
  try {
    decipher.final();
  } catch {
    throw new DecodeError(`${where}/tag`, 'sealed under another key or for another purpose, or damaged');
  }
  return { sequence: header.readUInt32BE(SEQUENCE_AT), plaintext: new Uint8Array(plaintext) };
}

const VERSION = 0x01;
const SEQUENCE_AT = 1;
const NONCE_AT = 5;
const NONCE_LENGTH = 12;
const HEADER_LENGTH = NONCE_AT + NONCE_LENGTH;
const TAG_LENGTH = 16;

/** Longest text in bytes that is sealed. */
export const MAX_PLAINTEXT = 16 * 1024;

/** What sealing adds, in bytes. */
export const BOX_OVERHEAD = HEADER_LENGTH + TAG_LENGTH;
