import fc from 'fast-check';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { EncodableAttribute, OutgoingMessage } from '../../../src/protocol/stun/index.ts';

const anyEndpoint = fc
  .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 65535 }))
  .map(([address, port]) => endpoint(address, port));

const phrase = fc.string({ unit: 'binary', maxLength: 127 });
const uint32 = fc.nat({ max: 0xffff_ffff });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

const anyAttribute: fc.Arbitrary<EncodableAttribute> = fc.oneof(
  fc.record({
    type: fc.constantFrom(
      'mapped-address',
      'xor-mapped-address',
      'alternate-server',
      'response-origin',
      'other-address',
    ),
    endpoint: anyEndpoint,
  }),
  fc.record({ type: fc.constant('username'), value: fc.string({ unit: 'binary', maxLength: 127 }) }),
  fc.record({ type: fc.constantFrom('realm', 'nonce', 'software'), value: phrase }),
  fc.record({ type: fc.constant('error-code'), code: fc.integer({ min: 300, max: 699 }), reason: phrase }),
  fc.record({ type: fc.constant('unknown-attributes'), types: fc.array(fc.nat({ max: 0xffff }), { maxLength: 9 }) }),
  fc.record({ type: fc.constant('priority'), value: uint32 }),
  fc.record({ type: fc.constant('use-candidate') }),
  fc.record({ type: fc.constantFrom('ice-controlled', 'ice-controlling'), tieBreaker: uint64 }),
  fc.record({ type: fc.constant('change-request'), changeIp: fc.boolean(), changePort: fc.boolean() }),
);

export const anyMessage: fc.Arbitrary<OutgoingMessage> = fc.record({
  class: fc.constantFrom('request', 'indication', 'success', 'error'),
  method: fc.nat({ max: 0xfff }),
  transactionId: fc.uint8Array({ minLength: 12, maxLength: 12 }),
  attributes: fc.array(anyAttribute, { maxLength: 8 }),
});
