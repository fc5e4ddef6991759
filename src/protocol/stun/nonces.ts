import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../core/random.ts';
import { encodeNonceCookie } from './nonce-cookie.ts';

export interface NonceOptions {
  readonly random: Random;
  /** ms for which a nonce is good. */
  readonly lifetime: number;
}

/**
 * Nonces of a server, none of which it remembers: each is the time of its issue and a code that only this server can
 * make, over that time and the client's address and port. So no two clients are given the same one (RFC 8489 section 9.2.4),
 * and after a restart those from before are stale.
 */
export class Nonces {
  readonly #key: Uint8Array;
  readonly #lifetime: number;

  constructor({ random, lifetime }: NonceOptions) {
    this.#key = random.bytes(32);
    this.#lifetime = lifetime;
  }

  /** `client`: a text for the client's address and port; `now` in ms. */
  issue(client: string, now: number): string {
    return this.#nonce(client, Math.floor(now / TICK));
  }

  /** Whether this server gave the client that nonce, not too long ago. */
  isValid(nonce: string, client: string, now: number): boolean {
    const bytes = Buffer.from(nonce.slice(PREFIX.length), 'base64url');
    if (bytes.length !== TIME_LENGTH + CODE_LENGTH) return false;
    const issued = bytes.readUInt32BE(0);
    const age = now - issued * TICK;
    if (age < 0 || age >= this.#lifetime) return false;
    const [given, expected] = [nonce, this.#nonce(client, issued)].map((text) => Buffer.from(text));
    return given!.length === expected!.length && timingSafeEqual(given!, expected!);
  }

  #nonce(client: string, time: number): string {
    const bytes = Buffer.alloc(TIME_LENGTH + CODE_LENGTH);
    bytes.writeUInt32BE(time >>> 0, 0);
    const code = createHmac('sha256', this.#key).update(bytes.subarray(0, TIME_LENGTH)).update(client).digest();
    bytes.set(code.subarray(0, CODE_LENGTH), TIME_LENGTH);
    return PREFIX + bytes.toString('base64url');
  }
}

/** ms: the grain of the time in a nonce, of which 32 bits last for 13 years. */
const TICK = 100;
/** Bytes. */
const TIME_LENGTH = 4;
const CODE_LENGTH = 8;
const PREFIX = encodeNonceCookie({ passwordAlgorithms: true, usernameAnonymity: true });
