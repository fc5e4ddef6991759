import { toHex } from '../../core/hex.ts';
import type { Random } from '../../core/random.ts';

/**
 * The NATS subjects of Sallyport. Keys are 64 hex digits; tokens are 32, random, and known only to who made one and who
 * was sent it.
 * ```
 *  sallyport.1.key.<key>.claim            who else holds this key
 *  sallyport.1.key.<key>.<dialer>         to whoever holds the key: offers, lookups, all else until it has answered
 *  sallyport.1.host.<holder>.<dialer>     to the holder that has answered
 *  sallyport.1.at.<token>.frame           to a dialer
 *  sallyport.1.at.<token>.key|host|claim  where the NATS server says that nobody is subscribed (status 503)
 * ```
 */
const PREFIX = 'sallyport.1';

/** 128 random bits as a subject token. */
export function createToken(random: Random): string {
  return toHex(random.bytes(16));
}

/** Everything that concerns a key; a `leaf` is a dialer's token, {@link CLAIM}, or `*`. */
export function keySubject(key: Uint8Array, leaf: string): string {
  return `${PREFIX}.key.${toHex(key)}.${leaf}`;
}

export function hostSubject(holder: string, dialer: string): string {
  return `${PREFIX}.host.${holder}.${dialer}`;
}

/** `what` is `*` or one of the words above. */
export function inboxSubject(token: string, what: 'frame' | 'key' | 'host' | 'claim' | '*'): string {
  return `${PREFIX}.at.${token}.${what}`;
}

/** The last part of a subject: whom or what it is about. */
export function leafOf(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

export function isToken(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

/** Whether a message to this subject goes to a holder that the dialer of this token talks to, and to nobody else. */
export function isHostSubject(subject: string, dialer: string): boolean {
  const prefix = `${PREFIX}.host.`;
  const holder = subject.slice(prefix.length, -1 - dialer.length);
  return subject === hostSubject(holder, dialer) && isToken(holder);
}

export const CLAIM = 'claim';
