import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeNatPmpRequest,
  decodeNatPmpResponse,
  encodeNatPmpRequest,
  encodeNatPmpResponse,
  NATPMP_CLIENT_PORT,
  NATPMP_PORT,
  NATPMP_RESULT,
  type NatPmpRequest,
  natPmpResultName,
} from '../../../src/protocol/natpmp/index.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');

const port = fc.integer({ min: 0, max: 0xffff });
const seconds = fc.integer({ min: 0, max: 0xffff_ffff });
const protocol = fc.constantFrom('udp' as const, 'tcp' as const);
const opcode = fc.constantFrom('external-address' as const, 'udp' as const, 'tcp' as const);
const request: fc.Arbitrary<NatPmpRequest> = fc.oneof(
  fc.constant({ opcode: 'external-address' as const }),
  fc.record({ opcode: protocol, internalPort: port, externalPort: port, lifetime: seconds }),
);
const refused = fc
  .record({ opcode, result: fc.integer({ min: 1, max: 0xffff }), epoch: seconds, internalPort: port })
  .map(({ internalPort, ...rest }) => ({
    type: 'refused' as const,
    ...rest,
    ...(rest.opcode !== 'external-address' && { internalPort }),
  }));
const response = fc.oneof(
  fc.record({ type: fc.constant('external-address' as const), epoch: seconds, externalAddress: fc.ipV4() }),
  fc.record({
    type: fc.constant('mapped' as const),
    protocol,
    epoch: seconds,
    internalPort: port,
    externalPort: port,
    lifetime: seconds,
  }),
  refused,
);

describe('NAT-PMP on the wire', () => {
  it('has the ports and result codes of RFC 6886', () => {
    expect([NATPMP_PORT, NATPMP_CLIENT_PORT]).toEqual([5351, 5350]);
    expect(Object.values(NATPMP_RESULT).map(natPmpResultName)).toEqual([
      'Success',
      'Unsupported Version',
      'Not Authorized/Refused',
      'Network Failure',
      'Out of resources',
      'Unsupported opcode',
    ]);
    expect(natPmpResultName(77)).toBe('result code 77');
  });

  it.each<[string, NatPmpRequest, string]>([
    ['external address', { opcode: 'external-address' }, '0000'],
    [
      'UDP mapping',
      { opcode: 'udp', internalPort: 5000, externalPort: 6000, lifetime: 7200 },
      '0001 0000 1388 1770 00001c20',
    ],
    ['TCP deletion', { opcode: 'tcp', internalPort: 80, externalPort: 0, lifetime: 0 }, '0002 0000 0050 0000 00000000'],
  ])('writes the request for %s as section 3 has it', (_what, message, expected) => {
    expect(hex(encodeNatPmpRequest(message))).toBe(expected.replaceAll(' ', ''));
  });

  it('reads the answers of section 3', () => {
    expect(decodeNatPmpResponse(bytes('0080 0000 00000102 cb007109'))).toEqual({
      type: 'external-address',
      epoch: 0x102,
      externalAddress: '203.0.113.9',
    });
    expect(decodeNatPmpResponse(bytes('0081 0000 00000005 1388 1770 00000e10'))).toEqual({
      type: 'mapped',
      protocol: 'udp',
      epoch: 5,
      internalPort: 5000,
      externalPort: 6000,
      lifetime: 3600,
    });
  });

  it('reads a refusal, whole or ending after the epoch', () => {
    const refusal = { type: 'refused', opcode: 'tcp', result: NATPMP_RESULT.notAuthorized, epoch: 9 };
    expect(decodeNatPmpResponse(bytes('0082 0002 00000009'))).toEqual(refusal);
    expect(decodeNatPmpResponse(bytes('0082 0002 00000009 0050 0000 00000000'))).toEqual({
      ...refusal,
      internalPort: 80,
    });
  });

  it('understands a gateway that speaks PCP: its refusal of the version and its announcement', () => {
    expect(decodeNatPmpResponse(bytes(`0281 0001 00000000${'00'.repeat(16)}`))).toEqual({
      type: 'refused',
      opcode: 'udp',
      result: NATPMP_RESULT.unsupportedVersion,
      epoch: undefined,
    });
    expect(decodeNatPmpResponse(bytes(`0280 0000 00000000 00000011${'00'.repeat(12)}`))).toEqual({
      type: 'announced',
      epoch: 0x11,
    });
  });

  it.each([
    ['nothing', '', 'natpmp/response/length'],
    ['seven bytes', '00800000000001', 'natpmp/response/length'],
    ['a request', '0001000013881770 00001c20', 'natpmp/opcode'],
    ['an opcode that there is not', '0083000000000000', 'natpmp/opcode'],
    ['another version', '0181000000000000', 'natpmp/version'],
    ['an announcement of another version than PCP has', `0180${'00'.repeat(22)}`, 'natpmp/version'],
    ['an address that is cut', '008000000000000001', 'natpmp/external-address/length'],
    ['a mapping that is cut', '0081000000000000138817', 'natpmp/mapped/length'],
    ['an announcement that is cut', '0280000000000000', 'natpmp/announcement/length'],
  ])('refuses %s as a response', (_what, text, where) => {
    expect(() => decodeNatPmpResponse(bytes(text))).toThrow(expect.objectContaining({ name: 'DecodeError', where }));
  });

  it.each([
    ['one byte', '00', 'natpmp/request'],
    ['version 2', '0201', 'natpmp/version'],
    ['a response', '0081', 'natpmp/opcode'],
    ['a mapping that is cut', '0001000013881770', 'natpmp/request/length'],
  ])('refuses %s as a request', (_what, text, where) => {
    expect(() => decodeNatPmpRequest(bytes(text))).toThrow(expect.objectContaining({ name: 'DecodeError', where }));
  });

  it('reads what it writes', () => {
    fc.assert(
      fc.property(request, (message) => {
        expect(decodeNatPmpRequest(encodeNatPmpRequest(message))).toEqual(message);
      }),
    );
    fc.assert(
      fc.property(response, (message) => {
        expect(decodeNatPmpResponse(encodeNatPmpResponse(message))).toEqual(message);
      }),
    );
  });
});
