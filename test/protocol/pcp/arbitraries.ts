import fc from 'fast-check';
import { endpoint } from '../../../src/core/endpoint.ts';
import type { PcpOption, PcpPayload, PcpRequest, PcpResponse } from '../../../src/protocol/pcp/index.ts';

const address = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => endpoint(text, 0).address);
const port = fc.nat({ max: 0xffff });
const anyEndpoint = fc.tuple(address, port).map(([text, number]) => endpoint(text, number));
const seconds = fc.nat({ max: 0xffff_ffff });
const byte = fc.nat({ max: 255 });

const map = {
  nonce: fc.uint8Array({ minLength: 12, maxLength: 12 }),
  protocol: byte,
  internalPort: port,
  external: anyEndpoint,
};

const anyPayload: fc.Arbitrary<PcpPayload> = fc.oneof(
  fc.record({ opcode: fc.constant('MAP' as const), ...map }),
  fc.record({ opcode: fc.constant('PEER' as const), ...map, remote: anyEndpoint }),
  fc.constant({ opcode: 'ANNOUNCE' as const }),
);

const anyOption: fc.Arbitrary<PcpOption> = fc.oneof(
  fc.record({ type: fc.constant('THIRD_PARTY' as const), address }),
  fc.constant({ type: 'PREFER_FAILURE' as const }),
  fc.record({
    type: fc.constant('FILTER' as const),
    prefixLength: fc.nat({ max: 128 }),
    remotePort: port,
    remoteAddress: address,
  }),
  fc.record({
    type: fc.constant('unknown' as const),
    code: fc.integer({ min: 4, max: 255 }),
    data: fc.uint8Array({ maxLength: 40 }),
  }),
);

const options = fc.array(anyOption, { maxLength: 6 });

export const anyRequest: fc.Arbitrary<PcpRequest> = fc.record({
  lifetime: seconds,
  clientAddress: address,
  payload: anyPayload,
  options,
});

export const anyResponse: fc.Arbitrary<PcpResponse> = fc.oneof(
  fc.record({
    type: fc.constant('answer' as const),
    result: byte.filter((code) => code !== 1),
    lifetime: seconds,
    epoch: seconds,
    payload: anyPayload,
    options,
  }),
  fc.record({ type: fc.constant('version-refused' as const), version: byte }),
);
