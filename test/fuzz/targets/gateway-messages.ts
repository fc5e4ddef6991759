import { endpoint } from '../../../src/core/endpoint.ts';
import {
  decodeNatPmpRequest,
  decodeNatPmpResponse,
  encodeNatPmpRequest,
  encodeNatPmpResponse,
  type NatPmpRequest,
} from '../../../src/protocol/natpmp/index.ts';
import {
  decodePcpRequest,
  decodePcpResponse,
  encodePcpRequest,
  encodePcpResponse,
  PCP_MAX_LENGTH,
  type PcpOption,
  type PcpPayload,
} from '../../../src/protocol/pcp/index.ts';
import { decodePcpOptions, encodePcpOption } from '../../../src/protocol/pcp/option.ts';
import { filled } from '../../protocol/rendezvous/support.ts';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import { attempt, must, mustEqual, type Target } from '../engine/target.ts';

/** What a NAT-PMP gateway is asked. */
export const natPmpRequests: readonly NatPmpRequest[] = [
  { opcode: 'external-address' },
  { opcode: 'udp', internalPort: 5000, externalPort: 6000, lifetime: 7200 },
  { opcode: 'tcp', internalPort: 80, externalPort: 0, lifetime: 0 },
];

/** What a NAT-PMP gateway says, well-formed. */
export const natPmpResponses: readonly Uint8Array[] = [
  encodeNatPmpResponse({ type: 'external-address', epoch: 0x102, externalAddress: '203.0.113.9' }),
  encodeNatPmpResponse({
    type: 'mapped',
    protocol: 'udp',
    epoch: 5,
    internalPort: 5000,
    externalPort: 6000,
    lifetime: 3600,
  }),
  encodeNatPmpResponse({ type: 'refused', opcode: 'udp', result: 2, epoch: 9, internalPort: 5000 }),
  Buffer.from(`0281000100000000${'00'.repeat(16)}`, 'hex'),
  Buffer.from(`028000000000000000000011${'00'.repeat(12)}`, 'hex'),
];

/** A datagram as a client of NAT-PMP reads it, and as a gateway does. */
export const natPmpMessage: Target = {
  name: 'natpmp-message',
  share: 0.6,
  seeds: [...natPmpRequests.map(encodeNatPmpRequest), ...natPmpResponses],
  mutate: mutateBytes,
  run(input) {
    const request = attempt(() => decodeNatPmpRequest(input));
    const response = attempt(() => decodeNatPmpResponse(input));
    must(!('value' in request && 'value' in response), 'a request is no response');
    if ('value' in request) {
      const again = decodeNatPmpRequest(encodeNatPmpRequest(request.value));
      mustEqual(again, request.value, 'a request that was read can be written and read again');
      return `request ${request.value.opcode}`;
    }
    if ('outcome' in response) return `${request.outcome}, ${response.outcome}`;
    const { value } = response;
    if (value.type !== 'announced' && value.epoch !== undefined) {
      const again = decodeNatPmpResponse(encodeNatPmpResponse(value));
      mustEqual({ internalPort: 0, ...again }, { internalPort: 0, ...value }, 'so can a response');
    }
    return `response ${value.type}`;
  },
};

const map = {
  nonce: filled(12, 7),
  protocol: 17,
  internalPort: 5000,
  external: endpoint('203.0.113.9', 6000),
};

const payloads: readonly PcpPayload[] = [
  { opcode: 'MAP', ...map },
  { opcode: 'PEER', ...map, remote: endpoint('2001:db8::9', 443) },
  { opcode: 'ANNOUNCE' },
];

const options: readonly PcpOption[] = [
  { type: 'THIRD_PARTY', address: '192.0.2.3' },
  { type: 'PREFER_FAILURE' },
  { type: 'FILTER', prefixLength: 120, remotePort: 53, remoteAddress: '198.51.100.0' },
  { type: 'unknown', code: 200, data: filled(5, 1) },
];

/** What a PCP server says, well-formed. */
export const pcpResponses: readonly Uint8Array[] = [
  ...payloads.map((payload) =>
    encodePcpResponse({ type: 'answer', result: 0, lifetime: 3600, epoch: 0x102, payload, options: [] }),
  ),
  encodePcpResponse({ type: 'answer', result: 8, lifetime: 30, epoch: 7, payload: payloads[0]!, options }),
  encodePcpResponse({ type: 'version-refused', version: 1 }),
  Buffer.from('0081000100000007', 'hex'),
];

/** What a PCP server is asked, well-formed. */
export const pcpRequests: readonly Uint8Array[] = [
  ...payloads.map((payload) => encodePcpRequest({ lifetime: 7200, clientAddress: '192.0.2.2', payload, options: [] })),
  encodePcpRequest({ lifetime: 0, clientAddress: '2001:db8::2', payload: payloads[0]!, options }),
];

/** A datagram as a client of PCP reads it, and as a server does. */
export const pcpMessage: Target = {
  name: 'pcp-message',
  share: 0.6,
  seeds: [...pcpResponses, ...pcpRequests],
  mutate: mutateBytes,
  run(input) {
    const request = attempt(() => decodePcpRequest(input));
    const response = attempt(() => decodePcpResponse(input));
    must(!('value' in request && 'value' in response), 'a request is no response');
    if ('value' in request) {
      must(input.length <= PCP_MAX_LENGTH, 'no message is longer than it may be');
      const again = decodePcpRequest(encodePcpRequest(request.value));
      mustEqual(again, request.value, 'a request that was read can be written and read again');
      return `request ${request.value.payload.opcode}${request.value.options.length > 0 ? ' with options' : ''}`;
    }
    if ('outcome' in response) return `${request.outcome}, ${response.outcome}`;
    const { value } = response;
    mustEqual(decodePcpResponse(encodePcpResponse(value)), value, 'so can a response');
    return value.type === 'answer' ? `answer ${value.payload.opcode}` : 'version refused';
  },
};

/** What stands behind the payload of a PCP message. */
export const pcpOptions: Target = {
  name: 'pcp-options',
  share: 0.3,
  seeds: [...options.map(encodePcpOption), Buffer.concat(options.map(encodePcpOption))],
  mutate: mutateBytes,
  run(input) {
    const decoded = attempt(() => decodePcpOptions(input));
    if ('outcome' in decoded) return decoded.outcome;
    must(decoded.value.length * 4 <= input.length, 'no more options than fit');
    const again = decodePcpOptions(Buffer.concat(decoded.value.map(encodePcpOption)));
    mustEqual(again, decoded.value, 'options that were read can be written and read again');
    return [...new Set(decoded.value.map(({ type }) => type))].sort().join(', ');
  },
};
