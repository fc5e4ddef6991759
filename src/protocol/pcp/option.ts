/**
 * PCP options (RFC 6887 section 7.3):
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |  Option Code  |   Reserved    |         Option Length         |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * :                 data, padded with zeros to 4 bytes            :
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
import { DecodeError } from '../../core/errors.ts';
import { ADDRESS_LENGTH, decodeAddress, encodeAddress } from './address.ts';

export type PcpOption =
  /** The mapping is for another host than the one that asks (section 13.1). */
  | { readonly type: 'THIRD_PARTY'; readonly address: string }
  /** Rather an error than another external port (section 13.2). */
  | { readonly type: 'PREFER_FAILURE' }
  | PcpFilter
  | PcpUnknownOption;

/** Who may send to the mapping; all of a request's filters together are the list (section 13.3). */
export interface PcpFilter {
  readonly type: 'FILTER';
  /** Bits of the 128-bit address that count, 0..128: an IPv4 network has 96 more than usual. 0 removes all filters. */
  readonly prefixLength: number;
  /** 0 is any port. */
  readonly remotePort: number;
  readonly remoteAddress: string;
}

export interface PcpUnknownOption {
  readonly type: 'unknown';
  /** 0..255. */
  readonly code: number;
  readonly data: Uint8Array;
}

/** Whether a server that does not know the option must refuse the request: codes below 128 (section 7.3). */
export function isMandatoryToProcess({ code }: PcpUnknownOption): boolean {
  return code < 0x80;
}

export function encodePcpOption(option: PcpOption): Uint8Array {
  const data = encodeData(option);
  const bytes = Buffer.alloc(HEADER_LENGTH + padded(data.length));
  bytes.writeUInt8(option.type === 'unknown' ? option.code : CODES[option.type], 0);
  bytes.writeUInt16BE(data.length, 2);
  bytes.set(data, HEADER_LENGTH);
  return bytes;
}

/** Reads all of `bytes` as options. Throws `DecodeError`. */
export function decodePcpOptions(bytes: Uint8Array): PcpOption[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const options: PcpOption[] = [];
  for (let at = 0; at < view.length; ) {
    if (at + HEADER_LENGTH > view.length) throw new DecodeError('pcp/option/header');
    const start = at + HEADER_LENGTH;
    const length = view.readUInt16BE(at + 2);
    if (start + padded(length) > view.length) throw new DecodeError('pcp/option/length', String(length));
    options.push(decodeOption(view.readUInt8(at), view.subarray(start, start + length)));
    at = start + padded(length);
  }
  return options;
}

const HEADER_LENGTH = 4;
const FILTER_LENGTH = 4 + ADDRESS_LENGTH;

const CODES: Readonly<Record<Exclude<PcpOption['type'], 'unknown'>, number>> = {
  THIRD_PARTY: 1,
  PREFER_FAILURE: 2,
  FILTER: 3,
};

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}

function encodeData(option: PcpOption): Uint8Array {
  switch (option.type) {
    case 'THIRD_PARTY':
      return encodeAddress(option.address);
    case 'PREFER_FAILURE':
      return new Uint8Array();
    case 'FILTER': {
      const bytes = Buffer.alloc(FILTER_LENGTH);
      bytes.writeUInt8(option.prefixLength, 1);
      bytes.writeUInt16BE(option.remotePort, 2);
      bytes.set(encodeAddress(option.remoteAddress), 4);
      return bytes;
    }
    case 'unknown':
      return option.data;
  }
}

function decodeOption(code: number, data: Buffer): PcpOption {
  switch (code) {
    case CODES.THIRD_PARTY:
      expectLength(data, ADDRESS_LENGTH, 'pcp/third-party/length');
      return { type: 'THIRD_PARTY', address: decodeAddress(data) };
    case CODES.PREFER_FAILURE:
      expectLength(data, 0, 'pcp/prefer-failure/length');
      return { type: 'PREFER_FAILURE' };
    case CODES.FILTER: {
      expectLength(data, FILTER_LENGTH, 'pcp/filter/length');
      const prefixLength = data.readUInt8(1);
      if (prefixLength > 128) throw new DecodeError('pcp/filter/prefix-length', String(prefixLength));
      const remoteAddress = decodeAddress(data.subarray(4));
      return { type: 'FILTER', prefixLength, remotePort: data.readUInt16BE(2), remoteAddress };
    }
    default:
      return { type: 'unknown', code, data: Uint8Array.from(data) };
  }
}

function expectLength(data: Uint8Array, length: number, where: string): void {
  if (data.length !== length) throw new DecodeError(where, String(data.length));
}
