import { candidatePriority, UDP } from '../../core/candidate.ts';
import type { Random } from '../../core/random.ts';
import { type StunMessage, shortTermKey } from '../stun/index.ts';
import { encodeCheck, judgeRequest } from './check-request.ts';
import { judgeResponse } from './check-response.ts';
import type { IceCredentials, IceRole } from './contract.ts';

export interface ProbeCodecOptions {
  readonly role: IceRole;
  readonly local: IceCredentials;
  readonly remote: IceCredentials;
  readonly random: Random;
}

/**
 * Connectivity checks without a checklist (RFC 8445 section 7): requests that an ICE agent of the other side takes for checks, and whether what
 * comes in is one. They show an address, and make no pair of it.
 */
export interface ProbeCodec {
  /** A new request, with an ID of its own: the same one from two addresses would be taken for a replay. */
  request(): { readonly transactionId: Uint8Array; readonly bytes: Uint8Array };
  /** Whether it is a check of the other side, or its answer to one of ours: that it proves the password. */
  isAuthentic(message: StunMessage): boolean;
}

export function createProbeCodec(options: ProbeCodecOptions): ProbeCodec {
  return new CheckCodec(options);
}

class CheckCodec implements ProbeCodec {
  readonly #random: Random;
  readonly #role: IceRole;
  readonly #tieBreaker: bigint;
  readonly #ufrag: string;
  readonly #username: string;
  readonly #localKey: Uint8Array;
  readonly #remoteKey: Uint8Array;

  constructor({ role, local, remote, random }: ProbeCodecOptions) {
    this.#random = random;
    this.#role = role;
    this.#tieBreaker = Buffer.from(random.bytes(8)).readBigUInt64BE();
    this.#ufrag = local.ufrag;
    this.#username = `${remote.ufrag}:${local.ufrag}`;
    this.#localKey = shortTermKey(local.pwd);
    this.#remoteKey = shortTermKey(remote.pwd);
  }

  request(): { readonly transactionId: Uint8Array; readonly bytes: Uint8Array } {
    const transactionId = this.#random.bytes(12);
    const bytes = encodeCheck({
      transactionId,
      username: this.#username,
      key: this.#remoteKey,
      local: REFLEXIVE,
      role: this.#role,
      tieBreaker: this.#tieBreaker,
      useCandidate: false,
    });
    return { transactionId, bytes };
  }

  isAuthentic(message: StunMessage): boolean {
    if (message.class !== 'request') return judgeResponse(message, this.#remoteKey).type === 'success';
    const context = { ufrag: this.#ufrag, key: this.#localKey, role: this.#role, tieBreaker: this.#tieBreaker };
    return judgeRequest(message, context).type === 'accept';
  }
}

/** Where a probe comes from is an address that only the other side can see. */
const REFLEXIVE = { priority: candidatePriority('prflx', 0), ...UDP };
