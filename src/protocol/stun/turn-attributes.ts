/** Attributes of TURN (RFC 8656 section 18): what they hold, and their values on the wire. */
import type { Endpoint, Family } from '../../core/endpoint.ts';
import { DecodeError } from '../../core/errors.ts';
import { decodeErrorCode, encodeErrorCode } from './error-code.ts';
import { type Codec, exactly, fixedBytes, flag, uint32, xorredAddress } from './value-codec.ts';

export interface TurnAttributeFields {
  /** 0x4000..0x4fff (section 18.1); what is out of that range is the server's to refuse. */
  readonly 'channel-number': { readonly channel: number };
  /** In seconds, 32 bits (section 18.2). */
  readonly lifetime: { readonly value: number };
  /** Section 18.3. */
  readonly 'xor-peer-address': { readonly endpoint: Endpoint };
  /** The payload of a datagram (section 18.4). Decoded, it is a view of the message. */
  readonly data: { readonly value: Uint8Array };
  /** Section 18.5. */
  readonly 'xor-relayed-address': { readonly endpoint: Endpoint };
  /** Section 18.6. */
  readonly 'requested-address-family': { readonly family: Family };
  /** `reserve`: the next higher port is to be kept for another allocation (section 18.7). */
  readonly 'even-port': { readonly reserve: boolean };
  /** An IP protocol number, 8 bits: 17 is UDP (section 18.8). */
  readonly 'requested-transport': { readonly protocol: number };
  /** A flag without value (section 18.9). */
  readonly 'dont-fragment': object;
  /** 8 bytes (section 18.10). */
  readonly 'reservation-token': { readonly value: Uint8Array };
  /** Section 18.11. */
  readonly 'additional-address-family': { readonly family: Family };
  /** Why there is no relayed address of that family: 440 or 508 (section 18.12). */
  readonly 'address-error-code': { readonly family: Family; readonly code: number; readonly reason: string };
  /** What a datagram to the peer met with: type 0..127, code 0..511, and 32 bits such as an MTU (section 18.13). */
  readonly icmp: { readonly icmpType: number; readonly icmpCode: number; readonly errorData: number };
}

export const TURN_CODECS: { readonly [T in keyof TurnAttributeFields]: Codec<TurnAttributeFields[T]> } = {
  'channel-number': channelNumber(0x000c),
  lifetime: uint32(0x000d, 'lifetime'),
  'xor-peer-address': xorredAddress(0x0012, 'xor-peer-address'),
  data: { code: 0x0013, encode: ({ value }) => value, decode: (value) => ({ value }) },
  'xor-relayed-address': xorredAddress(0x0016, 'xor-relayed-address'),
  'requested-address-family': addressFamily(0x0017, 'requested-address-family'),
  'even-port': evenPort(0x0018),
  'requested-transport': requestedTransport(0x0019),
  'dont-fragment': flag(0x001a, 'dont-fragment'),
  'reservation-token': fixedBytes(0x0022, 'reservation-token', 8),
  'additional-address-family': addressFamily(0x8000, 'additional-address-family'),
  'address-error-code': addressErrorCode(0x8001),
  icmp: icmp(0x8004),
};

/** Channel number (16 bits), reserved (16 bits). */
function channelNumber(code: number): Codec<TurnAttributeFields['channel-number']> {
  return {
    code,
    encode({ channel }) {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt16BE(channel);
      return bytes;
    },
    decode: (value) => ({ channel: exactly(4, value, 'channel-number').readUInt16BE() }),
  };
}

/** Family (8 bits), reserved (24 bits). */
function addressFamily(code: number, name: string): Codec<{ readonly family: Family }> {
  return {
    code,
    encode: ({ family }) => Uint8Array.of(FAMILY_CODES[family], 0, 0, 0),
    decode: (value) => ({ family: decodeFamily(exactly(4, value, name)[0]!, name) }),
  };
}

/** R (1 bit), reserved (7 bits). */
function evenPort(code: number): Codec<TurnAttributeFields['even-port']> {
  return {
    code,
    encode: ({ reserve }) => Uint8Array.of(reserve ? 0x80 : 0),
    decode: (value) => ({ reserve: (exactly(1, value, 'even-port')[0]! & 0x80) !== 0 }),
  };
}

/** Protocol (8 bits), reserved (24 bits). */
function requestedTransport(code: number): Codec<TurnAttributeFields['requested-transport']> {
  return {
    code,
    encode: ({ protocol }) => Uint8Array.of(protocol, 0, 0, 0),
    decode: (value) => ({ protocol: exactly(4, value, 'requested-transport')[0]! }),
  };
}

/** ERROR-CODE with the family where that has its first reserved bits. */
function addressErrorCode(code: number): Codec<TurnAttributeFields['address-error-code']> {
  const name = 'address-error-code';
  return {
    code,
    encode({ family, ...error }) {
      const bytes = encodeErrorCode(error);
      bytes[0] = FAMILY_CODES[family];
      return bytes;
    },
    decode: (value) => ({ ...decodeErrorCode(value, name), family: decodeFamily(value[0]!, name) }),
  };
}

/** Reserved (16 bits), type (7 bits), code (9 bits), error data (32 bits). */
function icmp(code: number): Codec<TurnAttributeFields['icmp']> {
  return {
    code,
    encode({ icmpType, icmpCode, errorData }) {
      if (icmpType > 0x7f || icmpCode > 0x1ff) throw new RangeError('an ICMP type has 7 bits here, and a code 9');
      const bytes = Buffer.alloc(8);
      bytes.writeUInt16BE((icmpType << 9) | icmpCode, 2);
      bytes.writeUInt32BE(errorData, 4);
      return bytes;
    },
    decode(value) {
      const bytes = exactly(8, value, 'icmp');
      const both = bytes.readUInt16BE(2);
      return { icmpType: both >> 9, icmpCode: both & 0x1ff, errorData: bytes.readUInt32BE(4) };
    },
  };
}

/** RFC 8489 section 14.1. */
const FAMILY_CODES = { 4: 0x01, 6: 0x02 } as const;

function decodeFamily(code: number, name: string): Family {
  if (code === FAMILY_CODES[4]) return 4;
  if (code === FAMILY_CODES[6]) return 6;
  throw new DecodeError(`stun/${name}/family`, `${code}`);
}
