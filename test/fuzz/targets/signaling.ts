import { unknownBehavior } from '../../../src/core/nat-behavior.ts';
import {
  decodeNegotiation,
  encodeNegotiation,
  type NegotiationMessage,
} from '../../../src/protocol/negotiation/messages.ts';
import { readCandidate, writeCandidate } from '../../../src/protocol/rendezvous/candidate-json.ts';
import {
  createEnvelopeChannel,
  type EnvelopeChannelOptions,
  encodeRelayFrame,
  openStanding,
  type PeerMessage,
  sealStanding,
  ticketId,
} from '../../../src/protocol/rendezvous/index.ts';
import { formatJson, parseJson } from '../../../src/protocol/rendezvous/json.ts';
import { deriveKey } from '../../../src/protocol/rendezvous/key-schedule.ts';
import { decodeMessage, encodeMessage } from '../../../src/protocol/rendezvous/messages.ts';
import { decodeRelayFrame } from '../../../src/protocol/rendezvous/relay-frame.ts';
import { MAX_PLAINTEXT, sealBox } from '../../../src/protocol/rendezvous/sealed-box.ts';
import { decodeClientFrame, decodeServerFrame, encodeFrame } from '../../../src/protocol/rendezvous/wire.ts';
import { isNote } from '../../../src/protocol/session/control.ts';
import { filled, sampleOffer } from '../../protocol/rendezvous/support.ts';
import { seededChance } from '../engine/chance.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { mutateJson } from '../engine/mutate-json.ts';
import { attempt, must, mustEqual, type Target } from '../engine/target.ts';
import { clientFrames, SESSION, serverFrames } from './frames.ts';

const offer = sampleOffer();
const { candidates } = offer;
const behavior = { ...unknownBehavior, filtering: 'address-dependent', evidence: ['a', 'b'] } as const;
const standing = { type: 'standing', issuedAt: 1, candidates, behavior } as const;

const negotiation: readonly NegotiationMessage[] = [
  {
    type: 'propose',
    id: 1,
    strategy: 'knock',
    version: 1,
    params: { at: ['192.0.2.1:1', null], deep: [[[]]] },
    startIn: 40,
  },
  { type: 'accept', id: 2, params: [1, -0.5, 'ä'] },
  { type: 'decline', id: 3, reason: 'busy → later' },
  { type: 'cancel', id: 2 ** 31 - 1 },
];

/** One of each kind. */
const messages: readonly PeerMessage[] = [
  offer,
  { type: 'answer', offerHash: filled(32, 4), policy: 'direct-only', candidates, behavior, end: true },
  standing,
  { type: 'candidates', generation: 0, candidates, end: false },
  { type: 'restart', generation: 2 ** 31 - 1, candidates: [], behavior, end: true },
  { type: 'reject', code: 'ERR_POLICY', message: 'one → two' },
  ...negotiation,
];
const plaintexts = messages.map(encodeMessage);

/** What is inside an envelope. */
export const peerMessage: Target = {
  name: 'peer-message',
  seeds: plaintexts,
  mutate: mutateJson,
  run(input) {
    const decoded = attempt(() => decodeMessage(input));
    if ('outcome' in decoded) return decoded.outcome;
    const message = decoded.value;
    mustEqual(decodeMessage(encodeMessage(message)), message, 'a message that was read can be written and read again');
    return `${message.type}${'candidates' in message && message.candidates.length === 0 ? ' without candidates' : ''}`;
  },
};

/** The same as notes of a session. */
export const negotiationNote: Target = {
  name: 'negotiation-note',
  share: 0.5,
  seeds: negotiation.map(encodeNegotiation),
  mutate: mutateJson,
  run(input) {
    const decoded = attempt(() => decodeNegotiation(input));
    if ('outcome' in decoded) return decoded.outcome;
    const note = encodeNegotiation(decoded.value);
    must(isNote(note), 'what was read fits a note', () => note.length);
    mustEqual(decodeNegotiation(note), decoded.value, 'a message that was read can be written and read again');
    return decoded.value.type;
  },
};

const CHANNEL: Omit<EnvelopeChannelOptions, 'role'> = {
  secret: filled(16, 5),
  session: SESSION,
  listenerKey: filled(32, 2),
  random: seededChance(1),
};

/** Envelopes and standing answers that were sealed under a ticket and then damaged: none may open as anything but what it was. */
export const envelope: Target = {
  name: 'envelope',
  share: 0.6,
  seeds: [
    ...messages.map((message) => createEnvelopeChannel({ ...CHANNEL, role: 'dialer' }).seal(message)),
    createEnvelopeChannel({ ...CHANNEL, role: 'dialer', firstSequence: 2 ** 32 - 1 }).seal(messages[3]!),
    createEnvelopeChannel({ ...CHANNEL, role: 'listener' }).seal(messages[1]!),
    sealStanding({ ...CHANNEL, message: standing }),
  ],
  mutate: mutateBytes,
  run(input) {
    const listener = createEnvelopeChannel({ ...CHANNEL, role: 'listener' });
    const opened = attempt(() => listener.open(input), ['ERR_DECODE', 'ERR_VERSION']);
    if ('value' in opened) {
      must(
        envelope.seeds.some((seed) => Buffer.from(input).equals(seed)),
        'an envelope that was changed does not open',
      );
      must('outcome' in attempt(() => listener.open(input)), 'an envelope opens once');
      return opened.value.type;
    }
    const stood = attempt(() => openStanding({ ...CHANNEL, envelope: input }), ['ERR_DECODE', 'ERR_VERSION']);
    if ('outcome' in stood) return `${opened.outcome}, ${stood.outcome}`;
    must(Buffer.from(input).equals(envelope.seeds.at(-1)!), 'a standing answer that was changed does not open');
    return stood.value.type;
  },
};

/** The key of what the dialer seals, as docs/rendezvous-protocol.md has it. */
const dialerKey = {
  key: deriveKey(CHANNEL.secret, SESSION, 'dialer to listener', 32),
  context: Buffer.concat([Buffer.from('dialer to listener'), ticketId(CHANNEL.secret), SESSION, CHANNEL.listenerKey]),
};

/** Any text, sealed by somebody who has the ticket. */
export const sealedText: Target = {
  name: 'sealed-text',
  share: 0.4,
  seeds: plaintexts,
  mutate: mutateJson,
  run(input) {
    const plaintext = input.subarray(0, MAX_PLAINTEXT);
    const sealed = sealBox(dialerKey, { sequence: 7, plaintext }, CHANNEL.random);
    const listener = createEnvelopeChannel({ ...CHANNEL, role: 'listener' });
    const opened = attempt(() => listener.open(sealed));
    return 'outcome' in opened ? opened.outcome : opened.value.type;
  },
};

export const candidateJson: Target = {
  name: 'candidate-json',
  seeds: candidates.map((candidate) => Buffer.from(formatJson(writeCandidate(candidate)))),
  mutate: mutateJson,
  run(input) {
    const read = attempt(() => readCandidate(parseJson(input, 'candidate')));
    if ('outcome' in read) return read.outcome;
    const again = readCandidate(parseJson(formatJson(writeCandidate(read.value)), 'candidate'));
    mustEqual(again, read.value, 'a candidate that was read can be written and read again');
    return `${read.value.type} IPv${read.value.endpoint.family}`;
  },
};

export const clientFrame: Target = {
  name: 'client-frame',
  seeds: clientFrames.map((frame) => Buffer.from(encodeFrame(frame))),
  mutate: mutateJson,
  run(input) {
    const decoded = attempt(() => decodeClientFrame(Buffer.from(input).toString('utf8')));
    if ('outcome' in decoded) return decoded.outcome;
    mustEqual(decodeClientFrame(encodeFrame(decoded.value)), decoded.value, 'a frame can be written and read again');
    return decoded.value.type;
  },
};

export const serverFrame: Target = {
  name: 'server-frame',
  seeds: serverFrames.map((frame) => Buffer.from(encodeFrame(frame))),
  mutate: mutateJson,
  run(input) {
    const decoded = attempt(
      () => decodeServerFrame(Buffer.from(input).toString('utf8')),
      ['ERR_DECODE', 'ERR_VERSION'],
    );
    if ('outcome' in decoded) return decoded.outcome;
    mustEqual(decodeServerFrame(encodeFrame(decoded.value)), decoded.value, 'a frame can be written and read again');
    return decoded.value.type;
  },
};

export const relayFrame: Target = {
  name: 'relay-frame',
  share: 2,
  seeds: [encodeRelayFrame(SESSION, filled(1200, 9)), encodeRelayFrame(SESSION, filled(1, 9))],
  mutate: mutateBytes,
  run(input) {
    const decoded = decodeRelayFrame(input);
    if (decoded === undefined) return 'none';
    must(decoded.datagram.length > 0, 'a datagram has a length');
    mustEqual(encodeRelayFrame(decoded.session, decoded.datagram), input, 'a frame has one spelling');
    return 'a datagram';
  },
};
