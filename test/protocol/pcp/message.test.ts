import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpoint } from '../../../src/core/endpoint.ts';
import {
  decodePcpRequest,
  decodePcpResponse,
  encodePcpRequest,
  encodePcpResponse,
  isMandatoryToProcess,
  PCP_CLIENT_PORT,
  PCP_MAX_LENGTH,
  PCP_PORT,
  type PcpOption,
  type PcpRequest,
} from '../../../src/protocol/pcp/index.ts';
import { anyRequest, anyResponse } from './arbitraries.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');
const packed = (text: string): string => text.replaceAll(' ', '');

const NONCE = '000102030405060708090a0b';
const nonce = Uint8Array.from({ length: 12 }, (_, i) => i);
const MAPPED_ANY = '00000000000000000000ffff00000000';

const mapRequest: PcpRequest = {
  lifetime: 7200,
  clientAddress: '192.0.2.2',
  payload: { opcode: 'MAP', nonce, protocol: 17, internalPort: 5000, external: endpoint('0.0.0.0', 6000) },
  options: [],
};
const MAP_REQUEST = `02010000 00001c20 00000000000000000000ffffc0000202 ${NONCE} 11000000 1388 1770 ${MAPPED_ANY}`;

function withOptions(...options: PcpOption[]): Uint8Array {
  return encodePcpRequest({ ...mapRequest, options });
}

describe('PCP on the wire', () => {
  it('has the ports and the longest message of RFC 6887', () => {
    expect([PCP_PORT, PCP_CLIENT_PORT, PCP_MAX_LENGTH]).toEqual([5351, 5350, 1100]);
  });

  it('writes MAP as sections 7.1 and 11.1 have it', () => {
    expect(hex(encodePcpRequest(mapRequest))).toBe(packed(MAP_REQUEST));
  });

  it('writes IPv6 addresses as they are', () => {
    const payload = { ...mapRequest.payload, external: endpoint('2001:db8::9', 1) } as PcpRequest['payload'];
    const message = encodePcpRequest({ ...mapRequest, clientAddress: '2001:db8::2', payload });
    expect(hex(message.subarray(8, 24))).toBe('20010db8000000000000000000000002');
    expect(hex(message.subarray(44, 60))).toBe('20010db8000000000000000000000009');
  });

  it('writes PEER with the remote endpoint (section 12.1) and ANNOUNCE with nothing (section 14.1)', () => {
    const remote = endpoint('198.51.100.7', 443);
    const peer = { ...mapRequest.payload, opcode: 'PEER', remote } as PcpRequest['payload'];
    expect(hex(encodePcpRequest({ ...mapRequest, payload: peer }).subarray(60))).toBe(
      '01bb000000000000000000000000ffffc6336407',
    );
    const announce = encodePcpRequest({ ...mapRequest, lifetime: 0, payload: { opcode: 'ANNOUNCE' } });
    expect(hex(announce)).toBe('020000000000000000000000000000000000ffffc0000202');
  });

  it.each<[string, PcpOption, string]>([
    ['THIRD_PARTY', { type: 'THIRD_PARTY', address: '192.0.2.3' }, '01000010 00000000000000000000ffffc0000203'],
    ['PREFER_FAILURE', { type: 'PREFER_FAILURE' }, '02000000'],
    [
      'FILTER',
      { type: 'FILTER', prefixLength: 120, remotePort: 53, remoteAddress: '198.51.100.0' },
      '03000014 00780035 00000000000000000000ffffc6336400',
    ],
    [
      'an unknown one, padded',
      { type: 'unknown', code: 200, data: Uint8Array.of(1, 2, 3, 4, 5) },
      'c8000005 0102030405000000',
    ],
  ])('writes and reads the option %s', (_what, option, expected) => {
    const message = withOptions(option);
    expect(hex(message.subarray(60))).toBe(packed(expected));
    expect(decodePcpRequest(message).options).toEqual([option]);
  });

  it('tells unknown options that must be understood from those that need not', () => {
    const unknown = (code: number) => ({ type: 'unknown' as const, code, data: new Uint8Array() });
    expect([4, 127, 128, 255].map(unknown).map(isMandatoryToProcess)).toEqual([true, true, false, false]);
  });

  it('reads a response (section 7.2)', () => {
    const answer = `02810000 00000e10 00000102 ${'00'.repeat(12)} ${NONCE} 11000000 1388 1771 00000000000000000000ffffcb007109`;
    expect(decodePcpResponse(bytes(answer))).toEqual({
      type: 'answer',
      result: 0,
      lifetime: 3600,
      epoch: 0x102,
      payload: { opcode: 'MAP', nonce, protocol: 17, internalPort: 5000, external: endpoint('203.0.113.9', 6001) },
      options: [],
    });
  });

  it.each([
    ['a NAT-PMP gateway', '0081000100000007', 0],
    ['a gateway of version 1', `01810001${'00'.repeat(20)}`, 1],
    ['a gateway of version 3', `03810001${'00'.repeat(20)}`, 3],
  ])('reads the refusal of its version by %s', (_what, text, version) => {
    expect(decodePcpResponse(bytes(text))).toEqual({ type: 'version-refused', version });
  });

  it.each([
    ['nothing', '', 'pcp/length'],
    ['a header that is cut', `02810000${'00'.repeat(16)}`, 'pcp/length'],
    ['a length that is no multiple of 4', `02810000${'00'.repeat(57)}`, 'pcp/length'],
    ['more than 1100 bytes', `02800000${'00'.repeat(1100)}`, 'pcp/length'],
    ['a request', MAP_REQUEST, 'pcp/opcode'],
    ['another version', `03800000${'00'.repeat(20)}`, 'pcp/version'],
    ['an unknown opcode', `02830000${'00'.repeat(20)}`, 'pcp/opcode'],
    ['a MAP that is cut', `02810000${'00'.repeat(52)}`, 'pcp/map/length'],
    ['a PEER that is cut', `02820000${'00'.repeat(72)}`, 'pcp/peer/length'],
    ['an option longer than the message', `02800000${'00'.repeat(20)}c8000009 01020304`, 'pcp/option/length'],
    ['a THIRD_PARTY of 4 bytes', `02800000${'00'.repeat(20)}01000004 01020304`, 'pcp/third-party/length'],
    ['a PREFER_FAILURE with data', `02800000${'00'.repeat(20)}02000004 01020304`, 'pcp/prefer-failure/length'],
    ['a FILTER of 4 bytes', `02800000${'00'.repeat(20)}03000004 01020304`, 'pcp/filter/length'],
    [
      'a FILTER of 129 bits',
      `02800000${'00'.repeat(20)}03000014 00810000${'00'.repeat(16)}`,
      'pcp/filter/prefix-length',
    ],
  ])('refuses %s as a response', (_what, text, where) => {
    expect(() => decodePcpResponse(bytes(text))).toThrow(expect.objectContaining({ name: 'DecodeError', where }));
  });

  it.each([
    ['version 0', `0001${'00'.repeat(22)}`, 'pcp/version'],
    ['a response', `0281${'00'.repeat(58)}`, 'pcp/opcode'],
  ])('refuses %s as a request', (_what, text, where) => {
    expect(() => decodePcpRequest(bytes(text))).toThrow(expect.objectContaining({ name: 'DecodeError', where }));
  });

  it('reads what it writes', () => {
    fc.assert(
      fc.property(anyRequest, (message) => {
        expect(decodePcpRequest(encodePcpRequest(message))).toEqual(message);
      }),
    );
    fc.assert(
      fc.property(anyResponse, (message) => {
        expect(decodePcpResponse(encodePcpResponse(message))).toEqual(message);
      }),
    );
  });
});
