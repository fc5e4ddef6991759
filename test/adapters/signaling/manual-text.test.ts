import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeInvitation,
  decodeReply,
  encodeInvitation,
  encodeReply,
} from '../../../src/adapters/signaling/manual-text.ts';
import { TraversalError } from '../../../src/core/errors.ts';
import { encodeTicket } from '../../../src/protocol/rendezvous/index.ts';
import { filled } from '../../protocol/rendezvous/support.ts';

const NOW = 1_800_000_000_000;
const EXPIRES = NOW + 1_000;
const ticket = encodeTicket({
  servers: ['manual:'],
  stun: ['stun.example.org:3478'],
  key: filled(32, 1),
  secret: filled(16, 2),
  expires: EXPIRES,
});
const invitation = encodeInvitation({ ticket, standing: filled(1_000, 3) });
const offer = { expires: EXPIRES, session: filled(16, 4), ticketId: filled(16, 5), envelope: filled(3_000, 6) };
const reply = encodeReply(offer);

const codeOf = (attempt: () => unknown): string => {
  try {
    attempt();
  } catch (error) {
    if (error instanceof TraversalError) return error.code;
    throw error;
  }
  return 'none';
};

const kinds = [
  { name: 'invitation', text: invitation, decode: (text: string, now = NOW) => decodeInvitation(text, now) as unknown },
  { name: 'reply', text: reply, decode: (text: string, now = NOW) => decodeReply(text, now) as unknown },
];

it('an invitation holds a ticket and its standing answer', () => {
  const { ticket: read, standing } = decodeInvitation(invitation, NOW);
  expect(read).toBe(ticket);
  expect(new Uint8Array(standing)).toEqual(filled(1_000, 3));
});

it('a reply holds an offer', () => {
  const read = decodeReply(reply, NOW);
  expect(read.expires).toBe(EXPIRES);
  expect(new Uint8Array(read.session)).toEqual(offer.session);
  expect(new Uint8Array(read.ticketId)).toEqual(offer.ticketId);
  expect(new Uint8Array(read.envelope)).toEqual(offer.envelope);
});

it('an invitation is made of a ticket only', () => {
  const make = (text: string) => codeOf(() => encodeInvitation({ ticket: text, standing: filled(1, 1) }));
  expect([make('sp1AAAA'), make('sp2AAAA'), make('hello')]).toEqual([
    'ERR_TICKET_MALFORMED',
    'ERR_VERSION',
    'ERR_TICKET_MALFORMED',
  ]);
});

it.each([
  ['ERR_TICKET_EXPIRED', () => decodeInvitation(invitation, EXPIRES)],
  ['ERR_OFFER_EXPIRED', () => decodeReply(reply, EXPIRES)],
])('says when it has expired: %s', (code, decode) => {
  expect(codeOf(decode)).toBe(code);
});

describe.each(kinds)('$name', ({ name, text, decode }) => {
  it('is one line, and may be broken into several on its way', () => {
    expect(text).toMatch(/^[\w-]+$/);
    expect(decode(` ${text.replace(/(.{72})/g, '$1\r\n')}\n`)).toEqual(decode(text));
  });

  it('is not read from what is something else', () => {
    const other = name === 'reply' ? invitation : reply;
    for (const foreign of ['', 'hello', ticket, other, text.slice(1), 'x'.repeat(100_000)]) {
      expect(codeOf(() => decode(foreign))).toBe('ERR_TICKET_MALFORMED');
    }
    expect(() => decode(other)).toThrow(name === 'reply' ? 'this is an invitation, not a reply' : 'this is a reply');
  });

  it('is not read when it is of a later version', () => {
    expect(codeOf(() => decode(text.replace('1', '2')))).toBe('ERR_VERSION');
  });

  it('is found to be truncated, wherever it was cut', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: text.length - 1 }), (length) => {
        expect(codeOf(() => decode(text.slice(0, length)))).toBe('ERR_TICKET_MALFORMED');
      }),
    );
    expect(() => decode(text.slice(0, -10))).toThrow('truncated');
  });

  it('is found to be damaged by any other character, or one more or less', () => {
    const position = fc.integer({ min: 4, max: text.length - 1 });
    fc.assert(
      fc.property(position, fc.constantFrom(...'AZaz09-_.+/= '), fc.nat(2), (at, character, removed) => {
        const damaged = text.slice(0, at) + character + text.slice(at + removed);
        fc.pre(damaged.replace(/\s/g, '') !== text);
        expect(codeOf(() => decode(damaged))).toMatch(/^ERR_TICKET_MALFORMED$/);
      }),
    );
  });
});

it('a reply is refused when its checksum is right and its contents are not', () => {
  const short = encodeReply({ ...offer, session: filled(15, 4) });
  expect(() => decodeReply(short, NOW)).toThrow('inconsistent');
});
