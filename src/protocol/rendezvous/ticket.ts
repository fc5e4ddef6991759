import { crc32 } from 'node:zlib';
import { TraversalError } from '../../core/errors.ts';
import { encodeBase64Url } from './base64url.ts';
import { deriveKey, NO_SESSION } from './key-schedule.ts';

/**
 * What a listener hands to whoever may connect: where to meet, whom, and the secret that proves the invitation.
 *
 * As text it is one line, `sp1` and base64url of
 * ```
 *  length   2   bytes that follow, checksum included
 *  expires  6   ms since 1970
 *  key     32   listener's Ed25519 key
 *  secret  16   never leaves the two peers
 *  servers  1   count, then each: 1 length, text
 *  stun     1   count, then each: 1 length, text
 *  crc-32   4   of everything before it; finds every damage of up to 32 bits in a row, so every wrong character
 * ```
 */
export interface Ticket {
  /** URLs of the rendezvous servers where the listener is registered; 1..8 of at most 255 characters. */
  readonly servers: readonly string[];
  /** `host:port` of STUN servers, so that a cold connector asks them while it still dials the rendezvous; 0..8. */
  readonly stun: readonly string[];
  /** Listener's raw Ed25519 key, 32 bytes. */
  readonly key: Uint8Array;
  /** 16 random bytes. */
  readonly secret: Uint8Array;
  /** Wall time in ms at which the ticket stops being accepted. */
  readonly expires: number;
}

/** Throws `ERR_USAGE` when a field is out of the bounds that {@link Ticket} names. */
export function encodeTicket(ticket: Ticket): string {
  const problem = findProblem(ticket);
  if (problem !== undefined) throw new TraversalError('ERR_USAGE', `cannot make a ticket: ${problem}`);
  const expires = Buffer.alloc(EXPIRES_LENGTH);
  expires.writeUIntBE(ticket.expires, 0, EXPIRES_LENGTH);
  const content = [expires, ticket.key, ticket.secret, encodeTexts(ticket.servers), encodeTexts(ticket.stun)];
  const length = Buffer.alloc(2);
  length.writeUInt16BE(content.reduce((sum, part) => sum + part.length, CHECKSUM_LENGTH));
  const body = Buffer.concat([length, ...content]);
  const checksum = Buffer.alloc(CHECKSUM_LENGTH);
  checksum.writeUInt32BE(crc32(body));
  return PREFIX + encodeBase64Url(Buffer.concat([body, checksum]));
}

/**
 * Reads a ticket; white space in it, such as a pasted line break, does not matter.
 * Throws `ERR_TICKET_MALFORMED` saying what is wrong (no ticket, truncated, damaged), `ERR_VERSION` for a later kind of
 * ticket.
 */
export function decodeTicket(text: string): Ticket {
  if (text.length > MAX_TEXT) throw malformed('this is too long for a ticket');
  const compact = text.replace(/\s+/g, '');
  const version = /^sp(\d)/.exec(compact)?.[1];
  if (version === undefined) throw malformed('this is not a ticket: a ticket begins with sp1');
  if (version !== '1') {
    throw new TraversalError('ERR_VERSION', `this ticket is of version ${version}; this program reads version 1`);
  }
  return decodeBody(readBody(compact.slice(PREFIX.length)));
}

/** Throws `ERR_TICKET_EXPIRED` when the ticket has run out at `now` (wall time, ms). */
export function checkTicket(ticket: Ticket, now: number): void {
  if (now < ticket.expires) return;
  const expired = new Date(ticket.expires).toISOString();
  throw new TraversalError('ERR_TICKET_EXPIRED', `the ticket expired at ${expired}; ask the listener for a new one`);
}

/** The 16 bytes by which a listener finds the ticket that an offer was made with; they tell nothing of the secret. */
export function ticketId(secret: Uint8Array): Uint8Array {
  return deriveKey(secret, NO_SESSION, 'ticket id', 16);
}

/** The base64url part as bytes, complete and undamaged. */
function readBody(encoded: string): Buffer {
  if (/[^A-Za-z0-9_-]/.test(encoded)) throw malformed('the ticket is damaged: it has characters that no ticket has');
  const body = Buffer.from(encoded, 'base64url');
  const expected = body.length < 2 ? MIN_BODY : 2 + body.readUInt16BE();
  if (body.length < expected) throw malformed('the ticket is truncated: its end is missing');
  const whole = body.length === expected && expected >= MIN_BODY && encodeBase64Url(body) === encoded;
  if (!whole || crc32(body.subarray(0, -CHECKSUM_LENGTH)) !== body.readUInt32BE(expected - CHECKSUM_LENGTH)) {
    throw malformed('the ticket is damaged: its checksum does not match; copy it again');
  }
  return body;
}

function decodeBody(body: Buffer): Ticket {
  let at = 2;
  const take = (length: number): Buffer => {
    if (at + length > body.length - CHECKSUM_LENGTH) throw malformed('the ticket is inconsistent');
    at += length;
    return body.subarray(at - length, at);
  };
  const takeTexts = (): string[] => Array.from({ length: take(1)[0]! }, () => take(take(1)[0]!).toString('latin1'));
  const ticket: Ticket = {
    expires: take(EXPIRES_LENGTH).readUIntBE(0, EXPIRES_LENGTH),
    key: new Uint8Array(take(KEY_LENGTH)),
    secret: new Uint8Array(take(SECRET_LENGTH)),
    servers: takeTexts(),
    stun: takeTexts(),
  };
  const problem = at === body.length - CHECKSUM_LENGTH ? findProblem(ticket) : 'more bytes than fields';
  if (problem !== undefined) throw malformed(`the ticket is inconsistent: ${problem}`);
  return ticket;
}

/** What keeps these fields from being a ticket, if anything. */
function findProblem({ servers, stun, key, secret, expires }: Ticket): string | undefined {
  if (key.length !== KEY_LENGTH) return `key of ${key.length} bytes`;
  if (secret.length !== SECRET_LENGTH) return `secret of ${secret.length} bytes`;
  if (!Number.isSafeInteger(expires) || expires < 0 || expires > MAX_EXPIRES) return `expiry date ${expires}`;
  if (servers.length < 1 || servers.length > MAX_TICKET_SERVERS) return `${servers.length} servers`;
  if (stun.length > MAX_TICKET_SERVERS) return `${stun.length} STUN servers`;
  const wrong = servers.find((server) => !isServerUrl(server)) ?? stun.find((server) => !isStunServer(server));
  return wrong === undefined ? undefined : `server address "${wrong.slice(0, 80)}"`;
}

function isServerUrl(text: string): boolean {
  return PRINTABLE.test(text) && URL.canParse(text);
}

/** `host:port` as a ticket takes it. */
export function isStunServer(text: string): boolean {
  const port = /^(?:\[[0-9a-f:.]+\]|[^:[\]]+):(\d{1,5})$/i.exec(text)?.[1];
  return PRINTABLE.test(text) && port !== undefined && Number(port) >= 1 && Number(port) <= 65535;
}

function encodeTexts(texts: readonly string[]): Buffer {
  const encoded = texts.flatMap((text) => [Buffer.of(text.length), Buffer.from(text, 'latin1')]);
  return Buffer.concat([Buffer.of(texts.length), ...encoded]);
}

function malformed(message: string): TraversalError {
  return new TraversalError('ERR_TICKET_MALFORMED', message);
}

const PREFIX = 'sp1';
const KEY_LENGTH = 32;
const SECRET_LENGTH = 16;
const EXPIRES_LENGTH = 6;
const CHECKSUM_LENGTH = 4;
const MIN_BODY = 2 + EXPIRES_LENGTH + KEY_LENGTH + SECRET_LENGTH + 1 + 1 + CHECKSUM_LENGTH;
/** Rendezvous servers of a ticket, and STUN servers. */
export const MAX_TICKET_SERVERS = 8;
const MAX_TEXT = 8_192;
/** What 6 bytes hold. */
const MAX_EXPIRES = 2 ** 48 - 1;
/** 1..255 visible ASCII characters: what a length byte holds and a terminal shows without harm. */
const PRINTABLE = /^[\x21-\x7e]{1,255}$/;
