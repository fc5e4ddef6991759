import { DecodeError, type ErrorCode, TraversalError } from '../../core/errors.ts';
import type { Contact, SignalingEvent, StandingAnswer } from '../../core/signaling.ts';
import { X25519_KEY_LENGTH } from './contact.ts';
import { formatJson, type JsonFields, parseJson } from './json.ts';
import { BOX_OVERHEAD, MAX_PLAINTEXT } from './sealed-box.ts';

/**
 * Control frames between a client and a rendezvous server: JSON in WebSocket text frames, byte strings as base64url,
 * unknown fields ignored. Datagrams travel in binary frames (`relay-frame.ts`).
 *
 * The server speaks first (`hello`, with its version), but a client need not wait for it to make an offer.
 */
export type ClientFrame = RegisterFrame | LookupFrame | OfferFrame | EnvelopeFrame | LeaveFrame;

/** What the server says: its hello, and then events as the client hands them on. */
export type ServerFrame = HelloFrame | SignalingEvent;

export interface RegisterFrame {
  readonly type: 'register';
  /** Raw Ed25519 key, 32 bytes. */
  readonly key: Uint8Array;
  /** 64 bytes over `registrationProof(server name, challenge)`. */
  readonly signature: Uint8Array;
  /** Wall time in ms at which the peer began to listen; the registration of one that began later stays. */
  readonly since: number;
  readonly contact?: Contact;
  /** At most as many as the server's hello allows; they replace those of an earlier registration. */
  readonly standing: readonly StandingAnswer[];
}

export interface LookupFrame {
  readonly type: 'lookup';
  readonly session: Uint8Array;
  readonly key: Uint8Array;
}

export interface OfferFrame {
  readonly type: 'offer';
  readonly to: Uint8Array;
  readonly session: Uint8Array;
  readonly ticketId: Uint8Array;
  readonly envelope: Uint8Array;
  /** 16 random bytes that only this client knows: with them it takes its sessions along to a new connection. */
  readonly caller: Uint8Array;
}

export interface EnvelopeFrame {
  readonly type: 'envelope';
  readonly session: Uint8Array;
  readonly envelope: Uint8Array;
}

export interface LeaveFrame {
  readonly type: 'leave';
  readonly session: Uint8Array;
}

export interface HelloFrame {
  readonly type: 'hello';
  /** Major version of this protocol. */
  readonly v: number;
  /** 1..255 visible ASCII characters; part of what a registration signs. */
  readonly name: string;
  /** 32 random bytes, fresh for each connection. */
  readonly challenge: Uint8Array;
  /** `host:port` of the server's STUN services; an empty host is the one that the client dialled. */
  readonly stun: readonly string[];
  readonly relay: boolean;
  readonly limits: HelloLimits;
}

/** What the server takes from one client. */
export interface HelloLimits {
  /** Standing answers of a registration. */
  readonly standing: number;
  /** Longest relayed datagram in bytes. */
  readonly datagram: number;
}

/** Major version spoken here. */
export const WIRE_VERSION = 1;

export function encodeFrame(frame: ClientFrame | ServerFrame): string {
  return formatJson(frame);
}

/** Throws `DecodeError`. */
export function decodeClientFrame(text: string): ClientFrame {
  const fields = readFrame(text);
  const type = fields.oneOf('type', Object.keys(clientReaders) as ClientFrame['type'][]);
  return clientReaders[type](fields);
}

/** Throws `DecodeError`, and `ERR_VERSION` when the hello is of a server that speaks another major version. */
export function decodeServerFrame(text: string): ServerFrame {
  const fields = readFrame(text);
  const type = fields.oneOf('type', Object.keys(serverReaders) as ServerFrame['type'][]);
  return serverReaders[type](fields);
}

function readFrame(text: string): JsonFields {
  if (text.length > MAX_FRAME) throw new DecodeError('frame/length', `${text.length} characters`);
  return parseJson(text, 'frame');
}

const clientReaders = {
  register: (fields: JsonFields): RegisterFrame => ({
    type: 'register',
    key: fields.bytes('key', 32),
    signature: fields.bytes('signature', 64),
    since: fields.integer('since', 0, 2 ** 48 - 1),
    ...(fields.has('contact') && { contact: readContact(fields.object('contact')) }),
    standing: fields.list('standing', MAX_STANDING, (item) => ({
      ticketId: readId(item, 'ticketId'),
      envelope: item.bytes('envelope', 1, MAX_STANDING_ENVELOPE),
    })),
  }),
  lookup: (fields: JsonFields): LookupFrame => ({
    type: 'lookup',
    session: readId(fields, 'session'),
    key: fields.bytes('key', 32),
  }),
  offer: (fields: JsonFields): OfferFrame => ({
    type: 'offer',
    to: fields.bytes('to', 32),
    session: readId(fields, 'session'),
    ticketId: readId(fields, 'ticketId'),
    envelope: readOfferEnvelope(fields),
    caller: readId(fields, 'caller'),
  }),
  envelope: readEnvelopeFrame,
  leave: (fields: JsonFields): LeaveFrame => ({ type: 'leave', session: readId(fields, 'session') }),
};

const serverReaders = {
  hello: readHello,
  offer: (fields: JsonFields): SignalingEvent => ({
    type: 'offer',
    session: readId(fields, 'session'),
    ticketId: readId(fields, 'ticketId'),
    envelope: readOfferEnvelope(fields),
  }),
  contact: (fields: JsonFields): SignalingEvent => ({
    type: 'contact',
    session: readId(fields, 'session'),
    ...(fields.has('contact') && { contact: readContact(fields.object('contact')) }),
  }),
  standing: (fields: JsonFields): SignalingEvent => ({
    type: 'standing',
    session: readId(fields, 'session'),
    envelope: readEnvelope(fields),
  }),
  envelope: readEnvelopeFrame,
  unreachable: (fields: JsonFields): SignalingEvent => ({
    type: 'unreachable',
    session: readId(fields, 'session'),
    reason: fields.oneOf('reason', ['unknown', 'declined', 'gone', 'silent']),
  }),
  registered: (): SignalingEvent => ({ type: 'registered' }),
  replaced: (): SignalingEvent => ({ type: 'replaced' }),
  error: (fields: JsonFields): SignalingEvent => ({
    type: 'error',
    code: readErrorCode(fields),
    message: fields.text('message', 300),
    ...(fields.has('session') && { session: readId(fields, 'session') }),
  }),
};

function readHello(fields: JsonFields): HelloFrame {
  const v = fields.integer('v', 1, 2 ** 16);
  if (v !== WIRE_VERSION) {
    throw new TraversalError('ERR_VERSION', `the server speaks version ${v}, this program version ${WIRE_VERSION}`);
  }
  const limits = fields.object('limits');
  return {
    type: 'hello',
    v,
    name: fields.string('name', /^[\x21-\x7e]{1,255}$/),
    challenge: fields.bytes('challenge', 32),
    stun: fields.values('stun', MAX_STUN, (holder) => holder.string('item', /^[\x21-\x7e]{0,255}:\d{1,5}$/)),
    relay: fields.boolean('relay'),
    limits: { standing: limits.integer('standing', 0, 2 ** 16), datagram: limits.integer('datagram', 0, 2 ** 16) },
  };
}

function readEnvelopeFrame(fields: JsonFields): EnvelopeFrame {
  return { type: 'envelope', session: readId(fields, 'session'), envelope: readEnvelope(fields) };
}

function readEnvelope(fields: JsonFields): Uint8Array {
  return fields.bytes('envelope', 1, MAX_PLAINTEXT + BOX_OVERHEAD);
}

/** An ephemeral key may go before the sealed part. */
function readOfferEnvelope(fields: JsonFields): Uint8Array {
  return fields.bytes('envelope', 1, X25519_KEY_LENGTH + MAX_PLAINTEXT + BOX_OVERHEAD);
}

function readContact(fields: JsonFields): Contact {
  return { key: fields.bytes('key', X25519_KEY_LENGTH), signature: fields.bytes('signature', 64) };
}

/** A code that this version does not know is a refusal all the same. */
function readErrorCode(fields: JsonFields): ErrorCode {
  const code = fields.string('code', /^ERR_[A-Z_]{1,40}$/);
  return SERVER_CODES.find((known) => known === code) ?? 'ERR_SERVER_REFUSED';
}

function readId(fields: JsonFields, name: string): Uint8Array {
  return fields.bytes(name, 16);
}

/** Standing answers of one registration, and the longest of them in bytes. */
export const MAX_STANDING = 16;
export const MAX_STANDING_ENVELOPE = 8 * 1024;

/** The longest frame in characters: a registration with all its standing answers in base64url. */
export const MAX_FRAME = 192 * 1024;

const MAX_STUN = 8;

const SERVER_CODES: readonly ErrorCode[] = ['ERR_BUSY', 'ERR_PEER_KEY', 'ERR_PROTOCOL', 'ERR_SERVER_REFUSED'];
