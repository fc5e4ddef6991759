import { crc32 } from 'node:zlib';
import { decodeTicket, encodeTicket, type Ticket } from '../../../src/protocol/rendezvous/index.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { mutateText } from '../engine/mutate-text.ts';
import { attempt, must, type Target } from '../engine/target.ts';

const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

const tickets: readonly Ticket[] = [
  { servers: ['ws://127.0.0.1:8790'], stun: [], key: filled(32, 1), secret: filled(16, 2), expires: 0 },
  {
    servers: ['wss://meet.example.org/', 'ws://[2001:db8::1]:8790'],
    stun: ['stun.example.org:3478', '[2001:db8::2]:3479'],
    key: filled(32, 255),
    secret: filled(16, 128),
    expires: 2 ** 48 - 1,
  },
  {
    servers: Array.from({ length: 8 }, (_, i) => `ws://${'a'.repeat(240)}:${i + 1}`),
    stun: Array.from({ length: 8 }, (_, i) => `${'b'.repeat(250)}:${i + 1}`),
    key: filled(32, 3),
    secret: filled(16, 4),
    expires: 1_700_000_000_000,
  },
];

/** The text as a person pastes it. */
export const ticketText: Target = {
  name: 'ticket-text',
  seeds: tickets.map((ticket) => Buffer.from(encodeTicket(ticket))),
  mutate: mutateText,
  run: (input) => readTicket(Buffer.from(input).toString('utf8')),
};

/** The fields, under a length and a checksum that are right: what somebody would make who wants to be read. */
export const ticketBody: Target = {
  name: 'ticket-body',
  seeds: tickets.map((ticket) => Buffer.from(encodeTicket(ticket).slice(3), 'base64url').subarray(2, -4)),
  mutate: mutateBytes,
  run(input) {
    const body = Buffer.concat([Buffer.alloc(2), input.subarray(0, 6000), Buffer.alloc(4)]);
    body.writeUInt16BE(body.length - 2, 0);
    body.writeUInt32BE(crc32(body.subarray(0, -4)), body.length - 4);
    return readTicket(`sp1${body.toString('base64url')}`);
  },
};

function readTicket(text: string): string {
  const read = attempt(() => decodeTicket(text), ['ERR_TICKET_MALFORMED', 'ERR_VERSION']);
  if ('outcome' in read) return read.outcome;
  const compact = text.replaceAll(/\s+/g, '');
  must(encodeTicket(read.value) === compact, 'a ticket has one spelling', () => compact);
  return `a ticket with ${read.value.servers.length} servers and ${read.value.stun.length}`;
}
