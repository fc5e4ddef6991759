/** Values of kinds that several attributes have, on the wire. `name` is the attribute's, for {@link DecodeError}. */
import type { Endpoint } from '../../core/endpoint.ts';
import { DecodeError } from '../../core/errors.ts';
import { decodeAddress, encodeAddress, xorAddress } from './address.ts';
import { asBuffer } from './buffer.ts';
import { decodeText, encodeText, type TextLimits } from './text.ts';

/** One attribute: its 16-bit type, and its value without type, length and padding. */
export interface Codec<Fields> {
  readonly code: number;
  /** Throws `RangeError` when a field is out of its range. */
  encode(fields: Fields, transactionId: Uint8Array): Uint8Array;
  /** Throws {@link DecodeError} at `stun/<name>/<field>`. */
  decode(value: Uint8Array, transactionId: Uint8Array): Fields;
}

export function address(code: number, name: string): Codec<{ readonly endpoint: Endpoint }> {
  return {
    code,
    encode: ({ endpoint }) => encodeAddress(endpoint),
    decode: (value) => ({ endpoint: decodeAddress(value, name) }),
  };
}

/** An address as XOR-MAPPED-ADDRESS has it (RFC 8489 section 14.2). */
export function xorredAddress(code: number, name: string): Codec<{ readonly endpoint: Endpoint }> {
  return {
    code,
    encode: ({ endpoint }, transactionId) => xorAddress(encodeAddress(endpoint), transactionId),
    decode(value, transactionId) {
      if (value.length > 20) throw new DecodeError(`stun/${name}/length`);
      return { endpoint: decodeAddress(xorAddress(value, transactionId), name) };
    },
  };
}

export function text(code: number, name: string, limits: TextLimits): Codec<{ readonly value: string }> {
  return {
    code,
    encode: ({ value }) => encodeText(value, limits, name),
    decode: (bytes) => ({ value: decodeText(bytes, limits, name) }),
  };
}

/** So many bytes, neither more nor less. */
export function fixedBytes(code: number, name: string, length: number): Codec<{ readonly value: Uint8Array }> {
  return {
    code,
    encode({ value }) {
      if (value.length !== length) throw new RangeError(`${name} has ${length} bytes`);
      return value;
    },
    decode: (value) => ({ value: exactly(length, value, name) }),
  };
}

export function uint32(code: number, name: string): Codec<{ readonly value: number }> {
  return {
    code,
    encode({ value }) {
      const bytes = Buffer.allocUnsafe(4);
      bytes.writeUInt32BE(value);
      return bytes;
    },
    decode: (bytes) => ({ value: exactly(4, bytes, name).readUInt32BE() }),
  };
}

/** An attribute without value. */
export function flag(code: number, name: string): Codec<object> {
  return {
    code,
    encode: () => new Uint8Array(0),
    decode(bytes) {
      exactly(0, bytes, name);
      return {};
    },
  };
}

/** The same bytes, which must be so many. */
export function exactly(length: number, bytes: Uint8Array, name: string): Buffer {
  if (bytes.length !== length) throw new DecodeError(`stun/${name}/length`, `${bytes.length} instead of ${length}`);
  return asBuffer(bytes);
}
