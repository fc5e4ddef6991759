import { createHmac } from 'node:crypto';
import { rawAttribute, splitAttributes, stunMessage, typeOf, withFingerprint } from './mutate-stun.ts';

export interface Signing {
  readonly key: Uint8Array;
  /** Takes the place of the message's first USERNAME; absent: it keeps what it has. */
  readonly username?: string;
  /** Takes the place of the message's transaction ID. */
  readonly transactionId?: Uint8Array;
}

/** The message as somebody would send it who knows the password: MESSAGE-INTEGRITY and FINGERPRINT are right (RFC 8489 section 14). */
export function signStun(message: Uint8Array, { key, username, transactionId }: Signing): Uint8Array {
  const header = Uint8Array.from({ length: HEADER }, (_, i) => message[i] ?? 0);
  header.set([0x21, 0x12, 0xa4, 0x42], 4);
  if (transactionId !== undefined) header.set(transactionId, 8);
  const attributes = splitAttributes(message).filter((one) => !COMPUTED.includes(typeOf(one)));
  if (username !== undefined) attributes.unshift(rawAttribute(USERNAME, Buffer.from(username)));
  const unsigned = stunMessage(header, [...attributes, rawAttribute(INTEGRITY, new Uint8Array(20))]);
  const digest = createHmac('sha1', key).update(unsigned.subarray(0, -24)).digest();
  unsigned.set(digest, unsigned.length - digest.length);
  return withFingerprint(unsigned);
}

const HEADER = 20;
const USERNAME = 0x0006;
const INTEGRITY = 0x0008;
const COMPUTED: readonly number[] = [INTEGRITY, 0x001c, 0x8028];
