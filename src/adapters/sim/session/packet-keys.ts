import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';

/** Bytes that a seal adds. */
export const SEAL_LENGTH = 16;
/** Bytes that {@link PacketKeys} are made from: a key of 16, the start of each nonce of 12. */
export const SECRET_LENGTH = 28;

/** The keys of one direction: AES-128-GCM, a nonce from each packet's number (RFC 9001 section 5.3). */
export class PacketKeys {
  readonly #key: KeyObject;
  readonly #iv: Buffer;

  /** `secret`: {@link SECRET_LENGTH} bytes. */
  constructor(secret: Buffer) {
    this.#key = createSecretKey(secret.subarray(0, 16));
    this.#iv = Buffer.from(secret.subarray(16, SECRET_LENGTH));
  }

  /** A whole packet: header, sealed payload, seal. No two packets may have the same number. */
  seal(header: Buffer, number: number, payload: Uint8Array): Buffer {
    const cipher = createCipheriv('aes-128-gcm', this.#key, this.#nonce(number), OPTIONS);
    cipher.setAAD(header);
    const sealed = cipher.update(payload);
    cipher.final();
    return Buffer.concat([header, sealed, cipher.getAuthTag()]);
  }

  /** The payload, in bytes of its own; `undefined` when header or body are not what the holder of the keys sealed. */
  open(header: Buffer, number: number, body: Buffer): Buffer | undefined {
    if (body.length < SEAL_LENGTH) return undefined;
    const decipher = createDecipheriv('aes-128-gcm', this.#key, this.#nonce(number), OPTIONS);
    decipher.setAAD(header);
    decipher.setAuthTag(body.subarray(-SEAL_LENGTH));
    const payload = decipher.update(body.subarray(0, -SEAL_LENGTH));
    try {
      decipher.final();
    } catch {
      return undefined; // the seal does not fit
    }
    return payload;
  }

  #nonce(number: number): Buffer {
    const nonce = Buffer.from(this.#iv);
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ number) >>> 0, 8);
    return nonce;
  }
}

const OPTIONS = { authTagLength: SEAL_LENGTH };
