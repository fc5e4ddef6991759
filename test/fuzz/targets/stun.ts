import { endpoint } from '../../../src/core/endpoint.ts';
import {
  attribute,
  BINDING,
  createStunServer,
  createStunStreamDecoder,
  decodeMessage,
  type EncodableAttribute,
  encodeMessage,
  isStunMessage,
  type StunAttribute,
  shortTermKey,
  verifyIntegrity,
} from '../../../src/protocol/stun/index.ts';
import * as rfc from '../../vectors/stun.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { mutateStun } from '../engine/mutate-stun.ts';
import { attempt, must, mustEqual, type Target } from '../engine/target.ts';

const KEY = shortTermKey(rfc.SHORT_TERM_PASSWORD);
const ID = new Uint8Array(12).fill(7);

/** One message of each class, with all attributes that can be written. */
const ALL_ATTRIBUTES: readonly EncodableAttribute[] = [
  { type: 'mapped-address', endpoint: endpoint('192.0.2.1', 3478) },
  { type: 'xor-mapped-address', endpoint: endpoint('2001:db8::7', 65535) },
  { type: 'alternate-server', endpoint: endpoint('192.0.2.9', 1) },
  { type: 'response-origin', endpoint: endpoint('::ffff:0:1', 9) },
  { type: 'other-address', endpoint: endpoint('203.0.113.1', 3479) },
  { type: 'username', value: 'evtj:h6vY' },
  { type: 'realm', value: 'example.org' },
  { type: 'nonce', value: 'f//499k954d6OL34oL9FSTvy64sA' },
  { type: 'software', value: 'ä€😀' },
  { type: 'error-code', code: 438, reason: 'Stale Nonce' },
  { type: 'unknown-attributes', types: [0x7fff, 1, 2] },
  { type: 'priority', value: 0x6e00_01ff },
  { type: 'use-candidate' },
  { type: 'ice-controlled', tieBreaker: 2n ** 64n - 1n },
  { type: 'ice-controlling', tieBreaker: 1n },
  { type: 'change-request', changeIp: true, changePort: false },
  { type: 'userhash', value: new Uint8Array(32).fill(3) },
  { type: 'password-algorithm', algorithm: 2, parameters: new Uint8Array(0) },
  {
    type: 'password-algorithms',
    algorithms: [
      { algorithm: 2, parameters: new Uint8Array(0) },
      { algorithm: 9, parameters: new Uint8Array(5) },
    ],
  },
  { type: 'channel-number', channel: 0x4000 },
  { type: 'lifetime', value: 600 },
  { type: 'xor-peer-address', endpoint: endpoint('198.51.100.7', 5000) },
  { type: 'data', value: new Uint8Array(5) },
  { type: 'xor-relayed-address', endpoint: endpoint('2001:db8::1', 50_000) },
  { type: 'requested-address-family', family: 6 },
  { type: 'even-port', reserve: true },
  { type: 'requested-transport', protocol: 17 },
  { type: 'dont-fragment' },
  { type: 'reservation-token', value: new Uint8Array(8).fill(5) },
  { type: 'additional-address-family', family: 6 },
  { type: 'address-error-code', family: 6, code: 440, reason: 'Address Family not Supported' },
  { type: 'icmp', icmpType: 3, icmpCode: 4, errorData: 1280 },
];

const messages = [
  rfc.SAMPLE_REQUEST,
  rfc.SAMPLE_IPV4_RESPONSE,
  rfc.SAMPLE_IPV6_RESPONSE,
  rfc.SAMPLE_LONG_TERM_REQUEST,
  rfc.SAMPLE_SHA256_REQUEST,
  ...(['request', 'indication', 'success', 'error'] as const).map((kind) =>
    encodeMessage(
      { class: kind, method: BINDING, transactionId: ID, attributes: ALL_ATTRIBUTES },
      { fingerprint: true },
    ),
  ),
  encodeMessage(
    { class: 'request', method: BINDING, transactionId: ID, attributes: [] },
    { integrityKey: KEY, algorithm: 'sha256', fingerprint: true },
  ),
];

/** Decodes; what was understood must come out the same when it is encoded and decoded again. */
export const stunMessage: Target = {
  name: 'stun-message',
  share: 3,
  seeds: messages,
  mutate: mutateStun,
  run(input) {
    const decoded = attempt(() => decodeMessage(input));
    if ('outcome' in decoded) return decoded.outcome;
    const message = decoded.value;
    must(isStunMessage(input), 'only what looks like STUN is decoded');
    must(message.attributes.length * 4 <= input.length, 'no more attributes than fit');
    const attributes = message.attributes.filter(isEncodable);
    const again = decodeMessage(encodeMessage({ ...message, attributes }));
    mustEqual(
      [again.class, again.method, again.transactionId, again.attributes],
      [message.class, message.method, message.transactionId, attributes],
      'what was decoded can be written and read again',
    );
    const verified = verifyIntegrity(message, KEY);
    return `${message.class}${message.unknownRequired.length > 0 ? ' with unknown attributes' : ''}${verified ? ', verified' : ''}`;
  },
};

const LONGEST = 548;

/** Messages on a TCP connection: however the stream is cut, the same ones come out, and no long ones. */
export const stunStream: Target = {
  name: 'stun-stream',
  share: 0.4,
  seeds: [Buffer.concat(messages.slice(0, 3)), rfc.SAMPLE_REQUEST],
  mutate: mutateBytes,
  run(input) {
    const whole = attempt(() => createStunStreamDecoder(LONGEST).decode(input).map(toHex));
    const seen: string[] = [];
    const pieces = attempt(() => {
      const decoder = createStunStreamDecoder(LONGEST);
      const step = 1 + (input.length % 29);
      for (let at = 0; at < input.length; at += step) {
        seen.push(...decoder.decode(input.subarray(at, at + step)).map(toHex));
      }
    });
    const both = [...('value' in whole ? whole.value : []), ...seen];
    must(
      both.every((each) => each.length <= 2 * LONGEST && isStunMessage(Buffer.from(each, 'hex'))),
      'what comes out looks like STUN, and is not too long',
    );
    mustEqual('outcome' in pieces, 'outcome' in whole, 'it does not matter how a stream is cut');
    if ('outcome' in whole) return whole.outcome;
    mustEqual(seen, whole.value, 'nor for what comes out');
    return seen.length > 0 ? 'messages' : 'none yet';
  },
};

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

const CLIENT = endpoint('198.51.100.7', 40_000);
const PRIMARY = endpoint('203.0.113.1', 3478);
const ALTERNATE = endpoint('203.0.113.2', 3479);

/** A server with and one without a second address: it answers at most twice the size, and Binding requests only. */
export const stunServer: Target = {
  name: 'stun-server',
  seeds: messages,
  mutate: mutateStun,
  run(input) {
    return [undefined, { primary: PRIMARY, alternate: ALTERNATE }]
      .map((addresses) => {
        const server = createStunServer(addresses && { addresses });
        const answer = server.handle({ data: input, from: CLIENT }, PRIMARY, 0);
        const { answered, refused, ignored, malformed, rateLimited } = server.counters;
        must(answered + refused + ignored + malformed + rateLimited === 1, 'each datagram is counted once');
        must((answer === undefined) === (answered + refused === 0), 'what is answered is counted so');
        if (answer === undefined) return ignored === 1 ? 'ignored' : 'malformed';
        const reply = decodeMessage(answer.reply);
        const request = decodeMessage(input);
        must(28 + answer.reply.length <= 2 * (28 + input.length), 'a reply is at most twice the request on the wire');
        must(request.class === 'request' && request.method === BINDING, 'Binding requests only are answered');
        must(reply.class !== 'request' && reply.class !== 'indication', 'an answer is a response');
        mustEqual(reply.transactionId, request.transactionId, 'an answer has the transaction ID of its request');
        mustEqual(answer.to, CLIENT, 'an answer goes to who asked');
        return reply.class === 'success' ? 'success' : `error ${attribute(reply, 'error-code')?.code}`;
      })
      .join(', ');
  },
};

function isEncodable(one: StunAttribute): one is EncodableAttribute {
  return one.type !== 'message-integrity' && one.type !== 'message-integrity-sha256' && one.type !== 'fingerprint';
}
