import { byteKey } from '../../core/byte-key.ts';
import type { Random } from '../../core/random.ts';
import { attribute, type EncodableAttribute } from './attribute.ts';
import { type ErrorResponseCode, errorResponse } from './error-response.ts';
import { longTermKey, opaqueString, userHash, verifyIntegrity } from './integrity.ts';
import type { EncodeOptions, OutgoingMessage, StunMessage } from './message.ts';
import { Nonces } from './nonces.ts';
import { PASSWORD_ALGORITHMS, type PasswordHash, passwordHash } from './password-algorithm.ts';
import { encodeText, PHRASE_LIMITS } from './text.ts';

export interface LongTermServerOptions {
  /** Names the server to its users, as a domain does; at most 127 characters. */
  readonly realm: string;
  /** Passwords by user name; keys are made of them at once. */
  readonly users: Readonly<Record<string, string>>;
  readonly random: Random;
  /** ms for which a nonce is good. */
  readonly nonceLifetime: number;
}

export type Authentication =
  /** `signing`: how every response to this request is to be encoded. */
  | { readonly accepted: true; readonly user: string; readonly signing: EncodeOptions }
  /** The response says why; it is signed where the nonce alone was wrong. */
  | {
      readonly accepted: false;
      readonly code: ErrorResponseCode;
      readonly response: OutgoingMessage;
      readonly signing: EncodeOptions;
    };

/**
 * The server's side of the long-term credential mechanism (RFC 8489 section 9.2.4). It offers SHA-256 and MD5, and user
 * names as hashes; clients of RFC 5389, which know neither, are served by MD5 and MESSAGE-INTEGRITY.
 */
export class LongTermServer {
  readonly #realm: string;
  /** By user name. Passwords are not kept (RFC 8656 section 6). */
  readonly #keys: ReadonlyMap<string, UserKeys>;
  /** By hash. */
  readonly #names: ReadonlyMap<string, string>;
  readonly #nonces: Nonces;

  /** Throws `RangeError` when the realm is too long. */
  constructor({ realm, users, random, nonceLifetime }: LongTermServerOptions) {
    encodeText(realm, PHRASE_LIMITS, 'realm');
    this.#realm = realm;
    this.#keys = new Map(
      Object.entries(users).map(([name, password]) => [opaqueString(name), userKeys(name, realm, password)]),
    );
    this.#names = new Map([...this.#keys.keys()].map((name) => [byteKey(userHash(name, realm)), name]));
    this.#nonces = new Nonces({ random, lifetime: nonceLifetime });
  }

  /** `client`: a text for the address and port that the request came from; `now` in ms. */
  authenticate(request: StunMessage, client: string, now: number): Authentication {
    const refuse = (code: 400 | 401 | 438, signing: EncodeOptions = {}): Authentication => {
      const challenge = code === 400 ? [] : this.#challenge(client, now);
      return { accepted: false, code, response: errorResponse(request, code, challenge), signing };
    };
    if (!isSigned(request)) return refuse(401);
    const hash = attribute(request, 'userhash');
    const name = attribute(request, 'username');
    const nonce = attribute(request, 'nonce');
    const realm = attribute(request, 'realm');
    if ((hash ?? name) === undefined || nonce === undefined || realm === undefined) return refuse(400);
    const chosen = chosenHash(request);
    if (chosen === 'mismatch') return refuse(400);
    const user = hash === undefined ? name!.value : this.#names.get(byteKey(hash.value));
    const keys = user === undefined ? undefined : this.#keys.get(user);
    if (user === undefined || keys === undefined || realm.value !== this.#realm) return refuse(401);
    const integrityKey = keys[chosen ?? 'md5'];
    if (!verifyIntegrity(request, integrityKey)) return refuse(401);
    const signing: EncodeOptions = { integrityKey, algorithm: chosen === undefined ? 'sha1' : 'sha256' };
    return this.#nonces.isValid(nonce.value, client, now) ? { accepted: true, user, signing } : refuse(438, signing);
  }

  #challenge(client: string, now: number): EncodableAttribute[] {
    return [
      { type: 'realm', value: this.#realm },
      { type: 'nonce', value: this.#nonces.issue(client, now) },
      { type: 'password-algorithms', algorithms: OFFERED },
    ];
  }
}

type UserKeys = Readonly<Record<PasswordHash, Uint8Array>>;

function userKeys(name: string, realm: string, password: string): UserKeys {
  return { md5: longTermKey(name, realm, password), sha256: longTermKey(name, realm, password, 'sha256') };
}

/** The preferred one first. */
const OFFERED = (['sha256', 'md5'] as const).map((hash) => ({
  algorithm: PASSWORD_ALGORITHMS[hash],
  parameters: new Uint8Array(0),
}));

function isSigned(request: StunMessage): boolean {
  return request.attributes.some(({ type }) => type === 'message-integrity' || type === 'message-integrity-sha256');
}

/** `undefined` for a client that has not heard of such a choice; `mismatch` when it is not one of those offered. */
function chosenHash(request: StunMessage): PasswordHash | 'mismatch' | undefined {
  const offered = attribute(request, 'password-algorithms');
  const chosen = attribute(request, 'password-algorithm');
  if (offered === undefined && chosen === undefined) return undefined;
  if (offered === undefined || chosen === undefined) return 'mismatch';
  const isWhole =
    offered.algorithms.length === OFFERED.length &&
    offered.algorithms.every(({ algorithm, parameters }, i) => {
      return algorithm === OFFERED[i]!.algorithm && parameters.length === 0;
    });
  return (isWhole ? passwordHash(chosen) : undefined) ?? 'mismatch';
}
