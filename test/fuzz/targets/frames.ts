import type { ClientFrame, ServerFrame } from '../../../src/protocol/rendezvous/wire.ts';
import { filled } from '../../protocol/rendezvous/support.ts';

/** Ids that well-formed frames have, so that mutated ones meet them. */
export const SESSION = filled(16, 1);
export const TICKET_ID = filled(16, 2);
export const CALLER = filled(16, 3);

/** A frame of each kind that a client sends. */
export const clientFrames: readonly ClientFrame[] = [
  {
    type: 'register',
    key: filled(32, 4),
    signature: filled(64, 5),
    since: 1_700_000_000_000,
    contact: { key: filled(32, 14), signature: filled(64, 15) },
    standing: [
      { ticketId: TICKET_ID, envelope: filled(40, 6) },
      { ticketId: filled(16, 7), envelope: filled(1, 8) },
    ],
  },
  { type: 'offer', to: filled(32, 4), session: SESSION, ticketId: TICKET_ID, envelope: filled(40, 9), caller: CALLER },
  { type: 'envelope', session: SESSION, envelope: filled(40, 10) },
  { type: 'leave', session: SESSION },
  { type: 'lookup', session: SESSION, key: filled(32, 4) },
];

/** A frame of each kind that a server sends. */
export const serverFrames: readonly ServerFrame[] = [
  {
    type: 'hello',
    v: 1,
    name: 'meet.example.org:8790',
    challenge: filled(32, 11),
    stun: [':3478', 'stun.example.org:3479'],
    relay: true,
    limits: { standing: 16, datagram: 1500 },
  },
  { type: 'registered' },
  { type: 'replaced' },
  { type: 'offer', session: SESSION, ticketId: TICKET_ID, envelope: filled(40, 12) },
  { type: 'contact', session: SESSION, contact: { key: filled(32, 14), signature: filled(64, 15) } },
  { type: 'contact', session: SESSION },
  { type: 'standing', session: SESSION, envelope: filled(40, 13) },
  { type: 'envelope', session: SESSION, envelope: filled(40, 14) },
  { type: 'unreachable', session: SESSION, reason: 'silent' },
  { type: 'error', code: 'ERR_BUSY', message: 'too many offers', session: SESSION },
];
