import type { RemoteCandidate } from '../../core/candidate.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { NatBehavior } from '../../core/nat-behavior.ts';
import { type Policy, policies } from '../../core/policy.ts';
import { type NegotiationMessage, negotiationReaders } from '../negotiation/messages.ts';
import { readBehavior, writeBehavior } from './behavior-json.ts';
import { MAX_CANDIDATES, readCandidate, writeCandidate } from './candidate-json.ts';
import { formatJson, type JsonFields, parseJson } from './json.ts';

/**
 * What the two peers say to each other inside envelopes: JSON, byte strings as base64url; fields unknown to the reader
 * are ignored.
 */
export type PeerMessage =
  | OfferMessage
  | AnswerMessage
  | StandingMessage
  | CandidatesMessage
  | RestartMessage
  | RejectMessage
  | NegotiationMessage;

/**
 * Dialer to listener, first. With a ticket, the envelope proves that the dialer holds the ticket; that it also holds
 * `dialerKey` is proven by the QUIC handshake, where the listener expects that key, and by nothing before it. Without
 * one, `proof` proves it.
 */
export interface OfferMessage {
  readonly type: 'offer';
  /** Raw Ed25519 keys, 32 bytes. */
  readonly dialerKey: Uint8Array;
  readonly listenerKey: Uint8Array;
  /** Wall time in ms. */
  readonly issuedAt: number;
  /** Without a ticket: 64 bytes, `dialerKey`'s signature over `offerProof(..)`. */
  readonly proof?: Uint8Array;
  readonly policy: Policy;
  /** At most 32. */
  readonly candidates: readonly RemoteCandidate[];
  readonly behavior: NatBehavior;
  /** The dialer's first QUIC packets, at most 3 of 1..1200 bytes: they save the session's handshake a crossing. */
  readonly flight: readonly Uint8Array[];
  /** Whether these are all the candidates (RFC 8838 section 13). */
  readonly end: boolean;
}

/** Listener to dialer: let in. */
export interface AnswerMessage {
  readonly type: 'answer';
  /** `envelopeHash` of the offer that is answered: 32 bytes. */
  readonly offerHash: Uint8Array;
  readonly policy: Policy;
  readonly candidates: readonly RemoteCandidate[];
  readonly behavior: NatBehavior;
  readonly end: boolean;
}

/** Left with the server by the listener, for the first checks while the real answer is under way. */
export interface StandingMessage {
  readonly type: 'standing';
  readonly issuedAt: number;
  readonly candidates: readonly RemoteCandidate[];
  readonly behavior: NatBehavior;
}

/** Candidates found since (trickle ICE, RFC 8838). */
export interface CandidatesMessage {
  readonly type: 'candidates';
  /** Of the ICE credentials they belong to; 0 until the first restart. */
  readonly generation: number;
  readonly candidates: readonly RemoteCandidate[];
  readonly end: boolean;
}

/** Checks begin again with the next generation of credentials (RFC 8445 section 9). */
export interface RestartMessage {
  readonly type: 'restart';
  readonly generation: number;
  readonly candidates: readonly RemoteCandidate[];
  readonly behavior: NatBehavior;
  readonly end: boolean;
}

/** Listener to dialer: not let in. */
export interface RejectMessage {
  readonly type: 'reject';
  /** Any that a later version may know is read as `ERR_OFFER_REJECTED`. */
  readonly code: ErrorCode;
  /** One line of at most 300 characters. */
  readonly message: string;
}

export function encodeMessage(message: PeerMessage): Uint8Array {
  const wire: Record<string, unknown> = { ...message };
  if ('candidates' in message) wire.candidates = message.candidates.map(writeCandidate);
  if ('behavior' in message) wire.behavior = writeBehavior(message.behavior);
  return new TextEncoder().encode(formatJson(wire));
}

/** Throws `DecodeError`, with `where` naming the field: `message/candidates/3/endpoint`. */
export function decodeMessage(bytes: Uint8Array): PeerMessage {
  const fields = parseJson(bytes, 'message');
  const type = fields.oneOf('type', Object.keys(readers) as PeerMessage['type'][]);
  return readers[type](fields);
}

const readers = {
  offer: (fields: JsonFields): OfferMessage => ({
    type: 'offer',
    dialerKey: fields.bytes('dialerKey', 32),
    listenerKey: fields.bytes('listenerKey', 32),
    issuedAt: readTime(fields),
    ...(fields.has('proof') && { proof: fields.bytes('proof', 64) }),
    policy: fields.oneOf('policy', policies),
    candidates: readCandidates(fields),
    behavior: readBehavior(fields.object('behavior')),
    flight: fields.values('flight', MAX_FLIGHT, (holder) => holder.bytes('item', 1, MAX_PACKET)),
    end: fields.boolean('end'),
  }),
  answer: (fields: JsonFields): AnswerMessage => ({
    type: 'answer',
    offerHash: fields.bytes('offerHash', 32),
    policy: fields.oneOf('policy', policies),
    candidates: readCandidates(fields),
    behavior: readBehavior(fields.object('behavior')),
    end: fields.boolean('end'),
  }),
  standing: (fields: JsonFields): StandingMessage => ({
    type: 'standing',
    issuedAt: readTime(fields),
    candidates: readCandidates(fields),
    behavior: readBehavior(fields.object('behavior')),
  }),
  candidates: (fields: JsonFields): CandidatesMessage => ({
    type: 'candidates',
    generation: readGeneration(fields),
    candidates: readCandidates(fields),
    end: fields.boolean('end'),
  }),
  restart: (fields: JsonFields): RestartMessage => ({
    type: 'restart',
    generation: readGeneration(fields),
    candidates: readCandidates(fields),
    behavior: readBehavior(fields.object('behavior')),
    end: fields.boolean('end'),
  }),
  reject: (fields: JsonFields): RejectMessage => ({
    type: 'reject',
    code: readRejection(fields),
    message: fields.text('message', 300),
  }),
  propose: negotiationReaders.propose,
  accept: negotiationReaders.accept,
  decline: negotiationReaders.decline,
  cancel: negotiationReaders.cancel,
};

function readCandidates(fields: JsonFields): RemoteCandidate[] {
  return fields.list('candidates', MAX_CANDIDATES, readCandidate);
}

function readTime(fields: JsonFields): number {
  return fields.integer('issuedAt', 0, 2 ** 48 - 1);
}

function readGeneration(fields: JsonFields): number {
  return fields.integer('generation', 0, 2 ** 31 - 1);
}

/** Codes are stable and explained: the other side's word adds none to them. */
function readRejection(fields: JsonFields): ErrorCode {
  const code = fields.string('code', /^ERR_[A-Z_]{1,40}$/);
  return REJECTIONS.find((known) => known === code) ?? 'ERR_OFFER_REJECTED';
}

const REJECTIONS: readonly ErrorCode[] = [
  'ERR_BUSY',
  'ERR_OFFER_EXPIRED',
  'ERR_OFFER_REJECTED',
  'ERR_PEER_GONE',
  'ERR_PEER_KEY',
  'ERR_POLICY',
  'ERR_TICKET_EXPIRED',
  'ERR_TICKET_REJECTED',
];
const MAX_FLIGHT = 3;
const MAX_PACKET = 1200;
