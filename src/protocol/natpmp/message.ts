/**
 * NAT-PMP messages (RFC 6886 sections 3.2 and 3.3). Requests:
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |  Version = 0  |    Opcode     |          Reserved             |   external address: the first two bytes only
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |         Internal Port         |    Suggested External Port    |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |          Requested Port Mapping Lifetime in Seconds           |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Responses have 128 added to the opcode, then Result Code (16 bits) and Seconds Since Start of Epoch (32 bits), then the
 * external IPv4 address, or Internal Port, Mapped External Port and Lifetime. An error may end after the epoch.
 */
import { DecodeError } from '../../core/errors.ts';
import { formatIp, parseIp } from '../../core/ip-address.ts';
import type { MappingProtocol } from '../../core/port-mapper.ts';
import { NATPMP_RESULT } from './result-code.ts';

/** UDP port of gateways (RFC 6886 section 3.1); the same for PCP (RFC 6887 section 19.1). */
export const NATPMP_PORT = 5351;

export const NATPMP_VERSION = 0;

/** UDP port of clients, to which gateways announce (RFC 6886 section 3.2.1). */
export const NATPMP_CLIENT_PORT = 5350;

export type NatPmpRequest =
  | { readonly opcode: 'external-address' }
  | {
      readonly opcode: MappingProtocol;
      /** 1..65535; 0 with both others 0 deletes all mappings of the protocol (RFC 6886 section 3.4). */
      readonly internalPort: number;
      /** 0 for any, and for a deletion. */
      readonly externalPort: number;
      /** Seconds; 0 deletes. */
      readonly lifetime: number;
    };

export type NatPmpResponse =
  /** A gateway that speaks PCP as well announces in its words (RFC 6887 section 14.1). */
  | { readonly type: 'announced'; readonly epoch: number }
  | {
      readonly type: 'external-address';
      /** Seconds since the gateway's table was empty. */
      readonly epoch: number;
      /** IPv4. */
      readonly externalAddress: string;
    }
  | {
      readonly type: 'mapped';
      readonly protocol: MappingProtocol;
      readonly epoch: number;
      readonly internalPort: number;
      readonly externalPort: number;
      /** Seconds granted; 0 answers a deletion. */
      readonly lifetime: number;
    }
  | {
      readonly type: 'refused';
      readonly opcode: NatPmpRequest['opcode'];
      /** 1..65535, see {@link NATPMP_RESULT}. */
      readonly result: number;
      /** Undefined in the words of another version. */
      readonly epoch: number | undefined;
      /** Of a request for a mapping, where the gateway says it. */
      readonly internalPort?: number;
    };

export function encodeNatPmpRequest(request: NatPmpRequest): Uint8Array {
  const opcode = OPCODES.indexOf(request.opcode);
  if (request.opcode === 'external-address') return Uint8Array.of(NATPMP_VERSION, opcode);
  const bytes = Buffer.alloc(12);
  bytes.writeUInt8(opcode, 1);
  bytes.writeUInt16BE(request.internalPort, 4);
  bytes.writeUInt16BE(request.externalPort, 6);
  bytes.writeUInt32BE(request.lifetime, 8);
  return bytes;
}

/** What a gateway reads. Throws `DecodeError`. */
export function decodeNatPmpRequest(bytes: Uint8Array): NatPmpRequest {
  const view = reader(bytes, 2, 'natpmp/request');
  if (view.readUInt8(0) !== NATPMP_VERSION) throw new DecodeError('natpmp/version', String(view.readUInt8(0)));
  const opcode = opcodeOf(view.readUInt8(1));
  if (opcode === 'external-address') return { opcode };
  const body = reader(bytes, 12, 'natpmp/request/length');
  return {
    opcode,
    internalPort: body.readUInt16BE(4),
    externalPort: body.readUInt16BE(6),
    lifetime: body.readUInt32BE(8),
  };
}

/** What a gateway says in the words of NAT-PMP. */
export function encodeNatPmpResponse(response: Exclude<NatPmpResponse, { type: 'announced' }>): Uint8Array {
  const opcode = opcodeOfResponse(response);
  const bytes = Buffer.alloc(opcode === 'external-address' ? 12 : 16);
  bytes.writeUInt8(RESPONSE | OPCODES.indexOf(opcode), 1);
  bytes.writeUInt32BE(response.epoch ?? 0, 4);
  switch (response.type) {
    case 'external-address':
      bytes.set(parseIp(response.externalAddress)!.bytes, 8);
      break;
    case 'mapped':
      bytes.writeUInt16BE(response.internalPort, 8);
      bytes.writeUInt16BE(response.externalPort, 10);
      bytes.writeUInt32BE(response.lifetime, 12);
      break;
    case 'refused':
      bytes.writeUInt16BE(response.result, 2);
      if (response.internalPort !== undefined) bytes.writeUInt16BE(response.internalPort, 8);
  }
  return bytes;
}

/** The refusal of a version or an opcode that a gateway does not know: `opcode` as it came, 0..127 (RFC 6886 section 3.5). */
export function encodeNatPmpRefusal({
  opcode,
  result,
  epoch,
}: {
  opcode: number;
  result: number;
  epoch: number;
}): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(RESPONSE | opcode, 1);
  bytes.writeUInt16BE(result, 2);
  bytes.writeUInt32BE(epoch, 4);
  return bytes;
}

/**
 * Reads a response. Two are understood in the words of PCP: its announcement, and its refusal of version 0, which is read as
 * Unsupported Version. Throws `DecodeError`.
 */
export function decodeNatPmpResponse(bytes: Uint8Array): NatPmpResponse {
  const header = reader(bytes, 8, 'natpmp/response/length');
  if ((header.readUInt8(1) & RESPONSE) === 0) throw new DecodeError('natpmp/opcode', 'a request');
  const opcode = opcodeOf(header.readUInt8(1) & ~RESPONSE);
  if (header.readUInt8(0) !== NATPMP_VERSION) return decodePcpWords(opcode, header);
  const result = header.readUInt16BE(2);
  const epoch = header.readUInt32BE(4);
  if (result !== NATPMP_RESULT.success) {
    const named = opcode !== 'external-address' && bytes.length >= 16;
    return { type: 'refused', opcode, result, epoch, ...(named && { internalPort: header.readUInt16BE(8) }) };
  }
  if (opcode === 'external-address') {
    const body = reader(bytes, 12, 'natpmp/external-address/length');
    return { type: 'external-address', epoch, externalAddress: formatIp(body.subarray(8, 12)) };
  }
  const body = reader(bytes, 16, 'natpmp/mapped/length');
  return {
    type: 'mapped',
    protocol: opcode,
    epoch,
    internalPort: body.readUInt16BE(8),
    externalPort: body.readUInt16BE(10),
    lifetime: body.readUInt32BE(12),
  };
}

const PCP_VERSION = 2;
const RESPONSE = 0x80;
/** By their number on the wire. */
const OPCODES: readonly NatPmpRequest['opcode'][] = ['external-address', 'udp', 'tcp'];

function opcodeOf(number: number): NatPmpRequest['opcode'] {
  const opcode = OPCODES[number];
  if (opcode === undefined) throw new DecodeError('natpmp/opcode', String(number));
  return opcode;
}

/** PCP has ANNOUNCE where NAT-PMP has the external address, the result in the fourth byte and the epoch in the third word. */
function decodePcpWords(opcode: NatPmpRequest['opcode'], header: Buffer): NatPmpResponse {
  const result = header.readUInt8(3);
  if (result === NATPMP_RESULT.unsupportedVersion) return { type: 'refused', opcode, result, epoch: undefined };
  const isAnnouncement = header.readUInt8(0) === PCP_VERSION && opcode === 'external-address';
  if (!isAnnouncement || result !== NATPMP_RESULT.success) throw new DecodeError('natpmp/version');
  return { type: 'announced', epoch: reader(header, 12, 'natpmp/announcement/length').readUInt32BE(8) };
}

function opcodeOfResponse(response: Parameters<typeof encodeNatPmpResponse>[0]): NatPmpRequest['opcode'] {
  if (response.type === 'refused') return response.opcode;
  return response.type === 'mapped' ? response.protocol : response.type;
}

/** The bytes to read from, when there are at least `length`. */
function reader(bytes: Uint8Array, length: number, where: string): Buffer {
  if (bytes.length < length) throw new DecodeError(where, `${bytes.length} bytes`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
