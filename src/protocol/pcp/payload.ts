/**
 * What stands between header and options, in requests and responses alike (RFC 6887 sections 11.1 and 12.1):
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                 Mapping Nonce (96 bits)                       |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |   Protocol    |          Reserved (24 bits)                   |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |        Internal Port          | Suggested/Assigned Ext. Port  |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |     Suggested/Assigned External Address (128 bits)            |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |       Remote Peer Port        |     Reserved (16 bits)        |   PEER only, with
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |           Remote Peer IP Address (128 bits)                   |   this
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
import { type Endpoint, endpoint, sameEndpoint } from '../../core/endpoint.ts';
import { DecodeError } from '../../core/errors.ts';
import type { MappingProtocol } from '../../core/port-mapper.ts';
import { ADDRESS_LENGTH, decodeAddress, encodeAddress } from './address.ts';

export type PcpPayload = PcpMap | PcpPeer | PcpAnnounce;

/** A mapping that anybody may send to; on IPv6 a pinhole in the firewall (section 11). */
export interface PcpMap {
  readonly opcode: 'MAP';
  /** 12 bytes that only who made the mapping knows. */
  readonly nonce: Uint8Array;
  /** IANA protocol number, see {@link PCP_PROTOCOL}; 0 is all of them, with `internalPort` 0. */
  readonly protocol: number;
  readonly internalPort: number;
  /** Suggested in a request, assigned in a response. Port 0, and the family's unspecified address, are any. */
  readonly external: Endpoint;
}

/** A mapping for what is exchanged with one remote endpoint (section 12). */
export interface PcpPeer extends Omit<PcpMap, 'opcode'> {
  readonly opcode: 'PEER';
  readonly remote: Endpoint;
}

/** Asks for the server's epoch, or tells it to all (section 14.1). */
export interface PcpAnnounce {
  readonly opcode: 'ANNOUNCE';
}

/** IANA protocol numbers. */
export const PCP_PROTOCOL: Readonly<Record<MappingProtocol, number>> = { tcp: 6, udp: 17 };

export const PCP_NONCE_LENGTH = 12;

export function encodePcpPayload(payload: PcpPayload): Uint8Array {
  const bytes = Buffer.alloc(payloadLength(payload.opcode));
  if (payload.opcode === 'ANNOUNCE') return bytes;
  bytes.set(payload.nonce.subarray(0, PCP_NONCE_LENGTH), 0);
  bytes.writeUInt8(payload.protocol, 12);
  bytes.writeUInt16BE(payload.internalPort, 16);
  bytes.writeUInt16BE(payload.external.port, 18);
  bytes.set(encodeAddress(payload.external.address), 20);
  if (payload.opcode === 'PEER') {
    bytes.writeUInt16BE(payload.remote.port, MAP_LENGTH);
    bytes.set(encodeAddress(payload.remote.address), MAP_LENGTH + 4);
  }
  return bytes;
}

/** Reads from the start of `bytes`; options may follow. Throws `DecodeError`. */
export function decodePcpPayload(opcode: PcpPayload['opcode'], bytes: Uint8Array): PcpPayload {
  if (bytes.length < payloadLength(opcode)) throw new DecodeError(`pcp/${opcode.toLowerCase()}/length`);
  if (opcode === 'ANNOUNCE') return { opcode };
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const map = {
    nonce: Uint8Array.from(view.subarray(0, PCP_NONCE_LENGTH)),
    protocol: view.readUInt8(12),
    internalPort: view.readUInt16BE(16),
    external: readEndpoint(view, 18, 20),
  };
  if (opcode === 'MAP') return { opcode, ...map };
  return { opcode, ...map, remote: readEndpoint(view, MAP_LENGTH, MAP_LENGTH + 4) };
}

/** Bytes before the options. */
export function payloadLength(opcode: PcpPayload['opcode']): number {
  return { MAP: MAP_LENGTH, PEER: MAP_LENGTH + 4 + ADDRESS_LENGTH, ANNOUNCE: 0 }[opcode];
}

/** Whether a response with payload `a` is about the request with `b`: all but the external endpoint (sections 11.4 and 12.4). */
export function isSameMapping(a: PcpPayload, b: PcpPayload): boolean {
  if (a.opcode === 'ANNOUNCE' || b.opcode === 'ANNOUNCE') return a.opcode === b.opcode;
  if (a.protocol !== b.protocol || a.internalPort !== b.internalPort) return false;
  if (Buffer.compare(a.nonce, b.nonce) !== 0) return false;
  return a.opcode === 'PEER' ? b.opcode === 'PEER' && sameEndpoint(a.remote, b.remote) : b.opcode === 'MAP';
}

const MAP_LENGTH = 20 + ADDRESS_LENGTH;

function readEndpoint(view: Buffer, port: number, address: number): Endpoint {
  return endpoint(decodeAddress(view.subarray(address, address + ADDRESS_LENGTH)), view.readUInt16BE(port));
}
