import fc from 'fast-check';
import { endpoint } from '../../../src/core/endpoint.ts';
import { printable } from '../../../src/core/printable.ts';
import type { EncodableAttribute, OutgoingMessage } from '../../../src/protocol/stun/index.ts';

const anyEndpoint = fc
  .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 65535 }))
  .map(([address, port]) => endpoint(address, port));

const phrase = fc.string({ unit: 'binary', maxLength: 127 });
/** As it is read: without what could paint a terminal. */
const reason = phrase.map((text) => printable(text, 127));
const uint16 = fc.nat({ max: 0xffff });
const uint32 = fc.nat({ max: 0xffff_ffff });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

const family = fc.constantFrom(4 as const, 6 as const);

/** Buffers, as decoded values are: views of the message. */
const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((each) => Buffer.from(each));
const someBytes = fc.uint8Array({ maxLength: 21 }).map((each) => Buffer.from(each));

const anyAttribute: fc.Arbitrary<EncodableAttribute> = fc.oneof(
  fc.record({
    type: fc.constantFrom(
      'mapped-address',
      'xor-mapped-address',
      'xor-peer-address',
      'xor-relayed-address',
      'alternate-server',
      'response-origin',
      'other-address',
    ),
    endpoint: anyEndpoint,
  }),
  fc.record({ type: fc.constant('username'), value: fc.string({ unit: 'binary', maxLength: 127 }) }),
  fc.record({ type: fc.constantFrom('realm', 'nonce', 'software'), value: phrase }),
  fc.record({ type: fc.constant('error-code'), code: fc.integer({ min: 300, max: 699 }), reason }),
  fc.record({ type: fc.constant('unknown-attributes'), types: fc.array(fc.nat({ max: 0xffff }), { maxLength: 9 }) }),
  fc.record({ type: fc.constant('priority'), value: uint32 }),
  fc.record({ type: fc.constant('use-candidate') }),
  fc.record({ type: fc.constantFrom('ice-controlled', 'ice-controlling'), tieBreaker: uint64 }),
  fc.record({ type: fc.constant('change-request'), changeIp: fc.boolean(), changePort: fc.boolean() }),
  fc.record({ type: fc.constant('userhash'), value: bytes(32) }),
  fc.record({ type: fc.constant('password-algorithm'), algorithm: uint16, parameters: someBytes }),
  fc.record({
    type: fc.constant('password-algorithms'),
    algorithms: fc.array(fc.record({ algorithm: uint16, parameters: someBytes }), { maxLength: 3 }),
  }),
  fc.record({ type: fc.constant('channel-number'), channel: uint16 }),
  fc.record({ type: fc.constant('lifetime'), value: uint32 }),
  fc.record({ type: fc.constant('data'), value: someBytes }),
  fc.record({ type: fc.constantFrom('requested-address-family', 'additional-address-family'), family }),
  fc.record({ type: fc.constant('even-port'), reserve: fc.boolean() }),
  fc.record({ type: fc.constant('requested-transport'), protocol: fc.nat({ max: 255 }) }),
  fc.record({ type: fc.constant('dont-fragment') }),
  fc.record({ type: fc.constant('reservation-token'), value: bytes(8) }),
  fc.record({
    type: fc.constant('address-error-code'),
    family,
    code: fc.integer({ min: 300, max: 699 }),
    reason,
  }),
  fc.record({
    type: fc.constant('icmp'),
    icmpType: fc.nat({ max: 127 }),
    icmpCode: fc.nat({ max: 511 }),
    errorData: uint32,
  }),
);

export const anyMessage: fc.Arbitrary<OutgoingMessage> = fc.record({
  class: fc.constantFrom('request', 'indication', 'success', 'error'),
  method: fc.nat({ max: 0xfff }),
  transactionId: fc.uint8Array({ minLength: 12, maxLength: 12 }),
  attributes: fc.array(anyAttribute, { maxLength: 8 }),
});
