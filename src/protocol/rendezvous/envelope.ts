import { createHash } from 'node:crypto';
import { DecodeError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { deriveKey, NO_SESSION } from './key-schedule.ts';
import { decodeMessage, encodeMessage, type PeerMessage, type StandingMessage } from './messages.ts';
import { createReplayWindow } from './replay-window.ts';
import { type BoxKey, openBox, sealBox } from './sealed-box.ts';
import { ticketId } from './ticket.ts';

/**
 * The two directions of one session's signalling, sealed end to end under a shared secret: servers see sizes and
 * routing only.
 */
export interface EnvelopeChannel {
  /** Throws `ERR_TOO_LARGE` when the message does not fit. */
  seal(message: PeerMessage): Uint8Array;
  /**
   * Opens what the other side sealed, each envelope once. Throws `DecodeError` (`envelope/tag` for a stranger's or a
   * reflected one,
   * `envelope/sequence` for a repeated or very late one, `message/..` for text that makes no sense) and `ERR_VERSION`.
   */
  open(envelope: Uint8Array): PeerMessage;
}

export interface EnvelopeChannelOptions {
  /** The ticket's, 16 bytes, or what was agreed with the listener's contact, 32 bytes. */
  readonly secret: Uint8Array;
  /** 16 bytes, chosen at random by the dialer for this connection. */
  readonly session: Uint8Array;
  /** Listener's raw Ed25519 key, as in the ticket. */
  readonly listenerKey: Uint8Array;
  readonly role: 'dialer' | 'listener';
  readonly random: Random;
  /** Sequence number of the first envelope, 0 by default. */
  readonly firstSequence?: number | undefined;
}

/**
 * Each direction has its own key (HKDF of the secret, salted with the session id) and its own sequence numbers. Bound
 * to every envelope: version, sequence number, direction, ticket id, session id, listener's key.
 */
export function createEnvelopeChannel(options: EnvelopeChannelOptions): EnvelopeChannel {
  const forward = directionKey(options, 'dialer to listener');
  const backward = directionKey(options, 'listener to dialer');
  const [outgoing, incoming] = options.role === 'dialer' ? [forward, backward] : [backward, forward];
  const window = createReplayWindow();
  let sequence = options.firstSequence ?? 0;
  return {
    seal(message) {
      return sealBox(outgoing, { sequence: sequence++, plaintext: encodeMessage(message) }, options.random);
    },
    open(envelope) {
      const box = openBox(incoming, envelope, 'envelope');
      if (!window.accept(box.sequence)) throw new DecodeError('envelope/sequence', `${box.sequence} has been seen`);
      return decodeMessage(box.plaintext);
    },
  };
}

/**
 * SHA-256 of an offer's envelope: the listener's answer carries it, which ties the answer to what the listener read.
 */
export function envelopeHash(envelope: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(envelope).digest());
}

export interface StandingOptions {
  readonly secret: Uint8Array;
  readonly listenerKey: Uint8Array;
}

/**
 * The answer that a listener leaves with the server for whoever offers with a ticket. It belongs to no session and can
 * be handed out many times, so it has no sequence number; its `issuedAt` tells how old it is. Throws `ERR_TOO_LARGE`.
 */
export function sealStanding(options: StandingOptions & { random: Random; message: StandingMessage }): Uint8Array {
  return sealBox(standingKey(options), { sequence: 0, plaintext: encodeMessage(options.message) }, options.random);
}

/** Throws `DecodeError` and `ERR_VERSION`, as {@link EnvelopeChannel.open} does. */
export function openStanding(options: StandingOptions & { envelope: Uint8Array }): StandingMessage {
  const message = decodeMessage(openBox(standingKey(options), options.envelope, 'standing').plaintext);
  if (message.type !== 'standing') throw new DecodeError('standing/type', message.type);
  return message;
}

function directionKey(
  { secret, session, listenerKey }: EnvelopeChannelOptions,
  direction: 'dialer to listener' | 'listener to dialer',
): BoxKey {
  return {
    key: deriveKey(secret, session, direction, KEY_LENGTH),
    // It lives as long as the connection: in memory of its own, not as a piece that holds 8 KiB of node's pool.
    context: new Uint8Array(Buffer.concat([Buffer.from(direction), ticketId(secret), session, listenerKey])),
  };
}

function standingKey({ secret, listenerKey }: StandingOptions): BoxKey {
  return {
    key: deriveKey(secret, NO_SESSION, 'standing answer', KEY_LENGTH),
    context: Buffer.concat([Buffer.from('standing answer'), ticketId(secret), listenerKey]),
  };
}

const KEY_LENGTH = 32;
