import type { Json } from '../../core/strategy.ts';
import { formatJson, type JsonFields, parseJson } from '../rendezvous/json.ts';
import { readJson } from './json-value.ts';

/*
 * How two sides agree to run the same strategy at the same time: the dialer proposes, the listener accepts or declines, and the dialer may call
 * it off. JSON objects: notes of the session once both keys are proven, messages in envelopes before.
 *
 *   dialer                                              listener
 *     | propose {id, strategy, version, params, startIn}   |
 *     |--------------------------------------------------->|  starts the strategy of that name, which answers
 *     |                                accept {id, params} |
 *     |<---------------------------------------------------|  waits startIn
 *   starts                                             starts
 */

export type NegotiationMessage = ProposeMessage | AcceptMessage | DeclineMessage | CancelMessage;

export interface ProposeMessage {
  readonly type: 'propose';
  /** Counted up by the dialer, 1..2^31-1. */
  readonly id: number;
  /** Lower case letters, digits and hyphens, 1..64. */
  readonly strategy: string;
  /** Of the strategy: both sides must have the same, 1..65535. */
  readonly version: number;
  /** The strategy's own, at most 1,000 bytes and 8 levels of JSON. */
  readonly params: Json;
  /** ms between the leaving of an accept and the listener's start: how long the accept takes to the dialer; 0..{@link MAX_START_IN}. */
  readonly startIn: number;
}

export interface AcceptMessage {
  readonly type: 'accept';
  readonly id: number;
  readonly params: Json;
}

export interface DeclineMessage {
  readonly type: 'decline';
  readonly id: number;
  /** One line of at most {@link MAX_REASON} characters. */
  readonly reason: string;
}

/** The dialer does not run it any more. */
export interface CancelMessage {
  readonly type: 'cancel';
  readonly id: number;
}

/** Longest a start is put off, in ms. */
export const MAX_START_IN = 5_000;
/** Longest reason, in characters. */
export const MAX_REASON = 200;

/** At most 1,200 bytes. */
export function encodeNegotiation(message: NegotiationMessage): Uint8Array {
  return new TextEncoder().encode(formatJson(message));
}

/** Throws `DecodeError`, with `where` naming the field: `negotiation/params`. */
export function decodeNegotiation(bytes: Uint8Array): NegotiationMessage {
  const fields = parseJson(bytes, 'negotiation');
  const type = fields.oneOf('type', Object.keys(negotiationReaders) as NegotiationMessage['type'][]);
  return negotiationReaders[type](fields);
}

/** Each reads the fields of one message. */
export const negotiationReaders = {
  propose: (fields: JsonFields): ProposeMessage => ({
    type: 'propose',
    id: readId(fields),
    strategy: fields.string('strategy', STRATEGY),
    version: fields.integer('version', 1, 65_535),
    params: readParams(fields),
    startIn: fields.integer('startIn', 0, MAX_START_IN),
  }),
  accept: (fields: JsonFields): AcceptMessage => ({ type: 'accept', id: readId(fields), params: readParams(fields) }),
  decline: (fields: JsonFields): DeclineMessage => ({
    type: 'decline',
    id: readId(fields),
    reason: fields.text('reason', MAX_REASON),
  }),
  cancel: (fields: JsonFields): CancelMessage => ({ type: 'cancel', id: readId(fields) }),
};

function readId(fields: JsonFields): number {
  return fields.integer('id', 1, 2 ** 31 - 1);
}

function readParams(fields: JsonFields): Json {
  return fields.value('params', readJson);
}

const STRATEGY = /^[a-z0-9-]{1,64}$/;
