import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TraversalError } from '../../../src/core/errors.ts';
import {
  checkTicket,
  decodeTicket,
  encodeTicket,
  type Ticket,
  ticketId,
} from '../../../src/protocol/rendezvous/index.ts';
import { filled } from './support.ts';

const ticket: Ticket = {
  servers: ['wss://meet.example.org'],
  stun: ['stun.example.org:3478', '[2001:db8::1]:3478'],
  key: filled(32, 0xab),
  secret: filled(16, 0xcd),
  expires: 1_800_000_000_000,
};

const anyTicket: fc.Arbitrary<Ticket> = fc.record({
  servers: fc.array(
    fc.webUrl({ size: 'small' }).filter((url) => /^[\x21-\x7e]{1,255}$/.test(url)),
    { minLength: 1, maxLength: 8 },
  ),
  stun: fc.array(
    fc.tuple(fc.domain(), fc.integer({ min: 1, max: 65535 })).map(([host, port]) => `${host}:${port}`),
    { maxLength: 8 },
  ),
  key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  secret: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  expires: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
});

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function codeOf(text: string): string {
  try {
    decodeTicket(text);
    return 'accepted';
  } catch (error) {
    if (error instanceof TraversalError) return error.code;
    throw error;
  }
}

describe('ticket text', () => {
  it('is one line that begins with sp1', () => {
    expect(encodeTicket(ticket)).toMatch(/^sp1[A-Za-z0-9_-]+$/);
  });

  it('reads back any ticket', () => {
    fc.assert(
      fc.property(anyTicket, (any) => {
        expect(decodeTicket(encodeTicket(any))).toEqual(any);
      }),
    );
  });

  it('forgives white space, as pasting adds it', () => {
    const text = encodeTicket(ticket);
    expect(decodeTicket(`  ${text.slice(0, 40)}\r\n${text.slice(40)}\n`)).toEqual(ticket);
  });

  it('notices every single wrong character', () => {
    const text = encodeTicket(ticket);
    for (let at = 0; at < text.length; at++) {
      for (const wrong of `${ALPHABET}+ é`) {
        if (wrong === text[at]) continue;
        const code = codeOf(text.slice(0, at) + wrong + text.slice(at + 1));
        expect(['ERR_TICKET_MALFORMED', 'ERR_VERSION'], `${wrong} at ${at}`).toContain(code);
      }
    }
  });

  it('notices a wrong character in any ticket', () => {
    const damage = fc.record({ ticket: anyTicket, at: fc.nat(), by: fc.integer({ min: 1, max: 63 }) });
    fc.assert(
      fc.property(damage, ({ ticket: any, at, by }) => {
        const text = encodeTicket(any);
        const position = 3 + (at % (text.length - 3));
        const wrong = ALPHABET[(ALPHABET.indexOf(text[position]!) + by) % 64];
        expect(codeOf(text.slice(0, position) + wrong + text.slice(position + 1))).toBe('ERR_TICKET_MALFORMED');
      }),
    );
  });

  it('notices a lost or doubled character and two swapped ones', () => {
    const text = encodeTicket(ticket);
    for (let at = 3; at < text.length - 1; at++) {
      expect(codeOf(text.slice(0, at) + text.slice(at + 1))).toBe('ERR_TICKET_MALFORMED');
      expect(codeOf(text.slice(0, at) + text[at] + text.slice(at))).toBe('ERR_TICKET_MALFORMED');
      if (text[at] === text[at + 1]) continue;
      expect(codeOf(text.slice(0, at) + text[at + 1] + text[at] + text.slice(at + 2))).toBe('ERR_TICKET_MALFORMED');
    }
  });

  it('says what is wrong', () => {
    const text = encodeTicket(ticket);
    expect(() => decodeTicket('hello')).toThrow(/not a ticket/);
    expect(() => decodeTicket('')).toThrow(/not a ticket/);
    expect(() => decodeTicket(text.slice(0, 30))).toThrow(/truncated/);
    expect(() => decodeTicket('sp1')).toThrow(/truncated/);
    expect(() => decodeTicket(`${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`)).toThrow(/damaged/);
    expect(() => decodeTicket(`${text}AAAA`)).toThrow(/damaged/);
    expect(() => decodeTicket('sp1'.padEnd(10_000, 'A'))).toThrow(/too long/);
  });

  it('tells a later kind of ticket from a broken one', () => {
    expect(codeOf(`sp2${encodeTicket(ticket).slice(3)}`)).toBe('ERR_VERSION');
    expect(codeOf('sp9')).toBe('ERR_VERSION');
  });

  it('gives nothing but its own errors for any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(codeOf(`sp1${text}`)).toBe('ERR_TICKET_MALFORMED');
      }),
    );
  });

  it.each<[string, Partial<Ticket>]>([
    ['no server', { servers: [] }],
    ['nine servers', { servers: new Array(9).fill('ws://h') }],
    ['a server that is no URL', { servers: ['meet.example.org'] }],
    ['a server with a space', { servers: ['ws://a b'] }],
    ['a STUN server without a port', { stun: ['stun.example.org'] }],
    ['a STUN port out of range', { stun: ['stun.example.org:65536'] }],
    ['a short key', { key: filled(31, 1) }],
    ['a short secret', { secret: filled(15, 1) }],
    ['a date beyond 48 bits', { expires: 2 ** 48 }],
    ['a fractional date', { expires: 1.5 }],
  ])('is not made of %s', (_name, change) => {
    expect(() => encodeTicket({ ...ticket, ...change })).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });
});

describe('a ticket in use', () => {
  it('is good until it expires', () => {
    expect(() => checkTicket(ticket, ticket.expires - 1)).not.toThrow();
    expect(() => checkTicket(ticket, ticket.expires)).toThrow(expect.objectContaining({ code: 'ERR_TICKET_EXPIRED' }));
  });

  it('has an id that is not its secret', () => {
    expect(ticketId(ticket.secret)).toHaveLength(16);
    expect(ticketId(ticket.secret)).not.toEqual(ticket.secret);
    expect(ticketId(ticket.secret)).not.toEqual(ticketId(filled(16, 0)));
  });
});
