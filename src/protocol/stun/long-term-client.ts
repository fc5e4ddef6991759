import { attribute, type EncodableAttribute } from './attribute.ts';
import { longTermKey, opaqueString, userHash, verifyIntegrity } from './integrity.ts';
import { type EncodeOptions, encodeMessage, type OutgoingMessage, type StunMessage } from './message.ts';
import { readNonceCookie } from './nonce-cookie.ts';
import { type PasswordAlgorithm, passwordHash } from './password-algorithm.ts';

export interface LongTermCredentials {
  /** At most 508 bytes. */
  readonly username: string;
  readonly password: string;
}

/** What becomes of a response: `unauthenticated` is as if it had never come (RFC 8489 section 9.2.5). */
export type ResponseJudgement = 'authentic' | 'retry' | 'denied' | 'unauthenticated';

/**
 * The client's side of the long-term credential mechanism (RFC 8489 sections 9.2.3 and 9.2.5), towards servers of RFC 5389
 * (MD5) too. The first request goes out without credentials; what the server answers tells how to sign the next.
 */
export class LongTermClient {
  readonly #credentials: LongTermCredentials;
  #challenge: Challenge | undefined;

  constructor(credentials: LongTermCredentials) {
    this.#credentials = credentials;
  }

  /** Whether requests are signed by now. */
  get challenged(): boolean {
    return this.#challenge !== undefined;
  }

  /** The request with credentials, once they were asked for. */
  encode(request: OutgoingMessage): Uint8Array {
    if (this.#challenge === undefined) return encodeMessage(request);
    const { attributes, signing } = this.#challenge;
    return encodeMessage({ ...request, attributes: [...request.attributes, ...attributes] }, signing);
  }

  /**
   * Judges the response to a request; `signed`: whether that had credentials. `retry`: the same request is to be sent anew,
   * with another transaction ID. `denied`: the server does not take these credentials, or asks for what we cannot do.
   */
  judge(response: StunMessage, signed: boolean): ResponseJudgement {
    const code = response.class === 'error' ? attribute(response, 'error-code')?.code : undefined;
    if (code === 401) return !signed && this.#learn(response) ? 'retry' : 'denied';
    if (code === 438) return this.#learn(response) ? 'retry' : 'denied';
    if (!signed || this.#challenge === undefined) return 'authentic';
    const nonce = attribute(response, 'nonce')?.value ?? '';
    if (readNonceCookie(nonce).passwordAlgorithms && attribute(response, 'password-algorithms') === undefined) {
      return 'unauthenticated';
    }
    // Where the server offers algorithms, MESSAGE-INTEGRITY alone may be somebody's who has broken the weaker hash.
    const { integrityKey, algorithm } = this.#challenge.signing;
    const protection = algorithm === 'sha256' ? 'message-integrity-sha256' : 'message-integrity';
    const isSigned = attribute(response, protection) !== undefined && verifyIntegrity(response, integrityKey);
    return isSigned ? 'authentic' : 'unauthenticated';
  }

  /** Another server is asked from now on. */
  forget(): void {
    this.#challenge = undefined;
  }

  /** False when a challenge cannot be met. */
  #learn(response: StunMessage): boolean {
    const realm = attribute(response, 'realm')?.value ?? this.#challenge?.realm;
    const nonce = attribute(response, 'nonce')?.value;
    if (realm === undefined || nonce === undefined) return false;
    const offered = attribute(response, 'password-algorithms')?.algorithms;
    const features = readNonceCookie(nonce);
    if (features.passwordAlgorithms && offered === undefined) return false;
    const chosen = offered?.map((one) => [one, passwordHash(one)] as const).find(([, hash]) => hash !== undefined);
    if (offered !== undefined && chosen === undefined) return false;
    // Who has offered the stronger ways once does not ask for the weaker ones later.
    if (offered === undefined && this.#challenge?.signing.algorithm === 'sha256') return false;
    const { username, password } = this.#credentials;
    this.#challenge = {
      realm,
      attributes: [
        features.usernameAnonymity
          ? { type: 'userhash', value: userHash(username, realm) }
          : { type: 'username', value: opaqueString(username) },
        { type: 'realm', value: realm },
        { type: 'nonce', value: nonce },
        ...algorithmAttributes(offered, chosen?.[0]),
      ],
      signing: {
        integrityKey: longTermKey(username, realm, password, chosen?.[1]),
        algorithm: chosen === undefined ? 'sha1' : 'sha256',
      },
    };
    return true;
  }
}

/** What the server asked for, and what each request says and is signed by for it. */
interface Challenge {
  readonly realm: string;
  readonly attributes: readonly EncodableAttribute[];
  readonly signing: Required<Pick<EncodeOptions, 'integrityKey' | 'algorithm'>>;
}

function algorithmAttributes(
  offered: readonly PasswordAlgorithm[] | undefined,
  chosen: PasswordAlgorithm | undefined,
): EncodableAttribute[] {
  if (offered === undefined || chosen === undefined) return [];
  return [
    { type: 'password-algorithms', algorithms: offered },
    { type: 'password-algorithm', ...chosen },
  ];
}
