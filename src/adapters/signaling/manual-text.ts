import { crc32 } from 'node:zlib';
import { TraversalError } from '../../core/errors.ts';
import { decodeTicket } from '../../protocol/rendezvous/index.ts';

/**
 * What people carry between two peers, as one line of text: `spi1` (an invitation, from listener to dialer) or `spr1`
 * (the reply) and base64url of
 * ```
 *  length   4   bytes that follow, checksum included
 *  expires  6   ms since 1970
 *  parts        each: 2 length, bytes
 *  crc-32   4   of everything before it
 * ```
 */
export interface Invitation {
  /** As the listener's peer made it. */
  readonly ticket: string;
  /** The standing answer, sealed under the ticket's secret. */
  readonly standing: Uint8Array;
}

export interface Reply {
  /** Wall time in ms from which the listener would not take the offer any more. */
  readonly expires: number;
  readonly session: Uint8Array;
  readonly ticketId: Uint8Array;
  readonly envelope: Uint8Array;
}

/** Throws `ERR_TICKET_MALFORMED` and `ERR_VERSION` for what is no ticket. */
export function encodeInvitation({ ticket, standing }: Invitation): string {
  const { expires } = decodeTicket(ticket);
  return encode('invitation', expires, [
    Buffer.from(ticket.replace(/\s+/g, '').slice(TICKET.length), 'base64url'),
    standing,
  ]);
}

export function encodeReply({ expires, session, ticketId, envelope }: Reply): string {
  return encode('reply', expires, [session, ticketId, envelope]);
}

/**
 * White space, such as a line break of the terminal, does not matter. Throws `ERR_TICKET_MALFORMED` saying what is
 * wrong (no invitation, truncated, damaged), `ERR_VERSION` for a later kind, `ERR_TICKET_EXPIRED` at `now` (wall time,
 * ms).
 */
export function decodeInvitation(text: string, now: number): Invitation {
  const { expires, parts } = decode('invitation', text);
  const [ticket, standing] = parts;
  if (parts.length !== 2 || ticket === undefined || standing === undefined)
    throw malformed('the invitation is inconsistent');
  if (now >= expires) throw new TraversalError('ERR_TICKET_EXPIRED', 'the invitation has expired; ask for a new one');
  return { ticket: TICKET + ticket.toString('base64url'), standing };
}

/** The same, with `ERR_OFFER_EXPIRED`. */
export function decodeReply(text: string, now: number): Reply {
  const { expires, parts } = decode('reply', text);
  const [session, ticketId, envelope] = parts;
  if (parts.length !== 3 || session?.length !== ID_LENGTH || ticketId?.length !== ID_LENGTH || envelope === undefined) {
    throw malformed('the reply is inconsistent');
  }
  if (now >= expires)
    throw new TraversalError('ERR_OFFER_EXPIRED', 'the reply is too old; let the dialer make another');
  return { expires, session, ticketId, envelope };
}

type Kind = 'invitation' | 'reply';

function encode(kind: Kind, expires: number, parts: readonly Uint8Array[]): string {
  const content = parts.flatMap((part) => [uint(part.length, PART_LENGTH), part]);
  const length = content.reduce((sum, { length }) => sum + length, EXPIRES_LENGTH + CHECKSUM_LENGTH);
  const body = Buffer.concat([uint(length, LENGTH), uint(expires, EXPIRES_LENGTH), ...content]);
  return `${PREFIX[kind]}${VERSION}${Buffer.concat([body, uint(crc32(body), CHECKSUM_LENGTH)]).toString('base64url')}`;
}

function decode(kind: Kind, text: string): { readonly expires: number; readonly parts: readonly Buffer[] } {
  if (text.length > MAX_TEXT) throw malformed(`this is too long for ${A[kind]}`);
  const compact = text.replace(/\s+/g, '');
  const [, prefix, version = ''] = /^(sp[ir])(\d)/.exec(compact) ?? [];
  if (prefix === undefined) throw malformed(`this is not ${A[kind]}: it does not begin with ${PREFIX[kind]}${VERSION}`);
  if (prefix !== PREFIX[kind]) throw malformed(`this is ${kind === 'reply' ? A.invitation : A.reply}, not ${A[kind]}`);
  if (version !== VERSION) {
    throw new TraversalError(
      'ERR_VERSION',
      `this ${kind} is of version ${version}; this program reads version ${VERSION}`,
    );
  }
  const body = readBody(kind, compact.slice(prefix.length + VERSION.length));
  return { expires: body.readUIntBE(LENGTH, EXPIRES_LENGTH), parts: readParts(kind, body) };
}

/** Complete and undamaged. */
function readBody(kind: Kind, encoded: string): Buffer {
  if (/[^A-Za-z0-9_-]/.test(encoded)) throw malformed(`the ${kind} is damaged: it has characters that none has`);
  const body = Buffer.from(encoded, 'base64url');
  const expected = body.length < LENGTH ? MIN_BODY : LENGTH + body.readUInt32BE();
  if (body.length < expected) throw malformed(`the ${kind} is truncated: its end is missing`);
  const isWhole = body.length === expected && expected >= MIN_BODY && body.toString('base64url') === encoded;
  if (!isWhole || crc32(body.subarray(0, -CHECKSUM_LENGTH)) !== body.readUInt32BE(expected - CHECKSUM_LENGTH)) {
    throw malformed(`the ${kind} is damaged: its checksum does not match; copy it again`);
  }
  return body;
}

function readParts(kind: Kind, body: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  const end = body.length - CHECKSUM_LENGTH;
  for (let at = LENGTH + EXPIRES_LENGTH; at < end; ) {
    const length = at + PART_LENGTH <= end ? body.readUInt16BE(at) : end;
    at += PART_LENGTH + length;
    if (at > end) throw malformed(`the ${kind} is inconsistent`);
    parts.push(body.subarray(at - length, at));
  }
  return parts;
}

function uint(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}

function malformed(message: string): TraversalError {
  return new TraversalError('ERR_TICKET_MALFORMED', message);
}

const PREFIX: Record<Kind, string> = { invitation: 'spi', reply: 'spr' };
const A: Record<Kind, string> = { invitation: 'an invitation', reply: 'a reply' };
const VERSION = '1';
const TICKET = 'sp1';
const LENGTH = 4;
const EXPIRES_LENGTH = 6;
const PART_LENGTH = 2;
const ID_LENGTH = 16;
const CHECKSUM_LENGTH = 4;
const MIN_BODY = LENGTH + EXPIRES_LENGTH + CHECKSUM_LENGTH;
/** Characters; an envelope of the longest kind needs 22,000. */
const MAX_TEXT = 65_536;
