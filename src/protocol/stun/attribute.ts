import type { Endpoint } from '../../core/endpoint.ts';
import type { PasswordAlgorithm } from './password-algorithm.ts';
import type { TurnAttributeFields } from './turn-attributes.ts';

/** What each attribute holds, by its name in the IANA registry in lower case. */
export interface AttributeFields extends TurnAttributeFields {
  /** RFC 8489 section 14.1. */
  readonly 'mapped-address': { readonly endpoint: Endpoint };
  /** RFC 8489 section 14.2. */
  readonly 'xor-mapped-address': { readonly endpoint: Endpoint };
  /** At most 508 bytes of UTF-8 (RFC 8489 section 14.3). */
  readonly username: { readonly value: string };
  /** HMAC-SHA1, 20 bytes (RFC 8489 section 14.5). */
  readonly 'message-integrity': { readonly value: Uint8Array };
  /** HMAC-SHA256, 32 bytes: no usage here allows a truncated one (RFC 8489 section 14.6). */
  readonly 'message-integrity-sha256': { readonly value: Uint8Array };
  /** CRC-32 XOR 0x5354554e (RFC 8489 section 14.7). */
  readonly fingerprint: { readonly value: number };
  /** `code` 300..699 (RFC 8489 section 14.8). */
  readonly 'error-code': { readonly code: number; readonly reason: string };
  /** RFC 8489 section 14.9. */
  readonly realm: { readonly value: string };
  /** RFC 8489 section 14.10. */
  readonly nonce: { readonly value: string };
  /** A hash of user name and realm, 32 bytes (RFC 8489 section 14.4). */
  readonly userhash: { readonly value: Uint8Array };
  /** The one that the client has chosen (RFC 8489 section 14.12). */
  readonly 'password-algorithm': PasswordAlgorithm;
  /** Those that the server knows, the preferred one first (RFC 8489 section 14.11). */
  readonly 'password-algorithms': { readonly algorithms: readonly PasswordAlgorithm[] };
  /** Attribute types, 16 bits each (RFC 8489 section 14.13). */
  readonly 'unknown-attributes': { readonly types: readonly number[] };
  /** RFC 8489 section 14.14. */
  readonly software: { readonly value: string };
  /** RFC 8489 section 14.15. */
  readonly 'alternate-server': { readonly endpoint: Endpoint };
  /** Unsigned 32 bits (RFC 8445 section 16.1). */
  readonly priority: { readonly value: number };
  /** A flag without value (RFC 8445 section 16.1). */
  readonly 'use-candidate': object;
  /** Unsigned 64 bits (RFC 8445 section 16.1). */
  readonly 'ice-controlled': { readonly tieBreaker: bigint };
  /** Unsigned 64 bits (RFC 8445 section 16.1). */
  readonly 'ice-controlling': { readonly tieBreaker: bigint };
  /** RFC 5780 section 7.2. */
  readonly 'change-request': { readonly changeIp: boolean; readonly changePort: boolean };
  /** RFC 5780 section 7.3. */
  readonly 'response-origin': { readonly endpoint: Endpoint };
  /** RFC 5780 section 7.4. */
  readonly 'other-address': { readonly endpoint: Endpoint };
}

export type AttributeType = keyof AttributeFields;
export type AttributeOf<T extends AttributeType> = { readonly type: T } & AttributeFields[T];

/** An attribute that this codec understands; told apart by `type`. */
export type StunAttribute = { [T in AttributeType]: AttributeOf<T> }[AttributeType];

/** Attributes that `encodeMessage` computes by itself, from its options. */
type ComputedType = 'message-integrity' | 'message-integrity-sha256' | 'fingerprint';

/** An attribute that a message can be made of. */
export type EncodableAttribute = Exclude<StunAttribute, { readonly type: ComputedType }>;

/** The first attribute of a type: where one is repeated, the others do not count (RFC 8489 section 14). */
export function attribute<T extends AttributeType>(
  message: { readonly attributes: readonly StunAttribute[] },
  type: T,
): AttributeOf<T> | undefined {
  return message.attributes.find((candidate): candidate is AttributeOf<T> & StunAttribute => candidate.type === type);
}
