/**
 * PCP messages (RFC 6887 sections 7.1 and 7.2). Both headers have 24 bytes; payload and options follow.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |  Version = 2  |R|   Opcode    |   Reserved    |  Result Code  |   result and epoch: responses only
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                      Lifetime (32 bits)                       |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |   Request: Client IP Address (128 bits)                       |
 * |   Response: Epoch Time (32 bits), Reserved (96 bits)          |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
import { DecodeError } from '../../core/errors.ts';
import { ADDRESS_LENGTH, decodeAddress, encodeAddress } from './address.ts';
import { decodePcpOptions, encodePcpOption, type PcpOption } from './option.ts';
import { decodePcpPayload, encodePcpPayload, type PcpPayload, payloadLength } from './payload.ts';
import { PCP_RESULT } from './result-code.ts';

/** UDP port of servers (RFC 6887 section 19.1). */
export const PCP_PORT = 5351;

/** UDP port of clients, to which servers announce (section 14.1.1). */
export const PCP_CLIENT_PORT = 5350;

export const PCP_VERSION = 2;

/** Longest message in bytes (section 7). */
export const PCP_MAX_LENGTH = 1100;

export interface PcpRequest {
  /** Seconds, 0..2^32-1; 0 deletes. */
  readonly lifetime: number;
  /** The address that the request is sent from (section 7.1). */
  readonly clientAddress: string;
  readonly payload: PcpPayload;
  readonly options: readonly PcpOption[];
}

export type PcpResponse =
  | {
      readonly type: 'answer';
      /** 0..255, see {@link PCP_RESULT}. */
      readonly result: number;
      /** Seconds granted, or that an error will last. */
      readonly lifetime: number;
      /** Seconds since the server's table was empty (section 8.5). */
      readonly epoch: number;
      readonly payload: PcpPayload;
      readonly options: readonly PcpOption[];
    }
  /** UNSUPP_VERSION. `version` is the highest that the server speaks; 0 is NAT-PMP (section 9). */
  | { readonly type: 'version-refused'; readonly version: number };

export function encodePcpRequest({ lifetime, clientAddress, payload, options }: PcpRequest): Uint8Array {
  const header = Buffer.alloc(HEADER_LENGTH);
  header.writeUInt8(PCP_VERSION, 0);
  header.writeUInt8(OPCODES[payload.opcode], 1);
  header.writeUInt32BE(lifetime, 4);
  header.set(encodeAddress(clientAddress), 8);
  return Buffer.concat([header, encodePcpPayload(payload), ...options.map(encodePcpOption)]);
}

/** What a server reads. Throws `DecodeError`. */
export function decodePcpRequest(bytes: Uint8Array): PcpRequest {
  const view = reader(bytes);
  if (view.readUInt8(0) !== PCP_VERSION) throw new DecodeError('pcp/version', String(view.readUInt8(0)));
  if ((view.readUInt8(1) & RESPONSE) !== 0) throw new DecodeError('pcp/opcode', 'a response');
  return {
    lifetime: view.readUInt32BE(4),
    clientAddress: decodeAddress(view.subarray(8, 8 + ADDRESS_LENGTH)),
    ...decodeBody(view),
  };
}

/** What a server says. */
export function encodePcpResponse(response: PcpResponse): Uint8Array {
  const header = Buffer.alloc(HEADER_LENGTH);
  if (response.type === 'version-refused') {
    header.writeUInt8(response.version, 0);
    header.writeUInt8(RESPONSE, 1);
    header.writeUInt8(PCP_RESULT.UNSUPP_VERSION, 3);
    return header;
  }
  const { result, lifetime, epoch, payload, options } = response;
  header.writeUInt8(PCP_VERSION, 0);
  header.writeUInt8(RESPONSE | OPCODES[payload.opcode], 1);
  header.writeUInt8(result, 3);
  header.writeUInt32BE(lifetime, 4);
  header.writeUInt32BE(epoch, 8);
  return Buffer.concat([header, encodePcpPayload(payload), ...options.map(encodePcpOption)]);
}

/**
 * The refusal of a request, as far as it could be read: what came comes back, with the fields of a response in its header
 * (sections 7.2 and 8.2). `request` has at least 2 bytes.
 */
export function encodePcpRefusal(request: Uint8Array, { result, lifetime, epoch }: PcpRefusal): Uint8Array {
  const kept = request.subarray(0, PCP_MAX_LENGTH);
  const bytes = Buffer.alloc(Math.max(HEADER_LENGTH, 4 * Math.ceil(kept.length / 4)));
  bytes.set(kept);
  bytes.writeUInt8(PCP_VERSION, 0);
  bytes.writeUInt8(RESPONSE | request[1]!, 1);
  bytes.writeUInt16BE(result, 2);
  bytes.writeUInt32BE(lifetime, 4);
  bytes.writeUInt32BE(epoch, 8);
  bytes.fill(0, 12, HEADER_LENGTH);
  return bytes;
}

/** Of an answer, what says why a request is refused. */
export type PcpRefusal = Pick<Extract<PcpResponse, { type: 'answer' }>, 'result' | 'lifetime' | 'epoch'>;

/** Reads a response; the refusal of version 2 by a NAT-PMP gateway is one, of 8 bytes (RFC 6887 appendix A). Throws `DecodeError`. */
export function decodePcpResponse(bytes: Uint8Array): PcpResponse {
  if (bytes.length < SHORTEST_REFUSAL) throw new DecodeError('pcp/length', String(bytes.length));
  const [version, opcode, , result] = bytes as Uint8Array & [number, number, number, number];
  if ((opcode & RESPONSE) === 0) throw new DecodeError('pcp/opcode', 'a request');
  if (result === PCP_RESULT.UNSUPP_VERSION) return { type: 'version-refused', version };
  if (version !== PCP_VERSION) throw new DecodeError('pcp/version', String(version));
  const view = reader(bytes);
  return {
    type: 'answer',
    result,
    lifetime: view.readUInt32BE(4),
    epoch: view.readUInt32BE(8),
    ...decodeBody(view),
  };
}

const HEADER_LENGTH = 24;
/** A NAT-PMP header. */
const SHORTEST_REFUSAL = 8;
/** The R bit. */
const RESPONSE = 0x80;
/** RFC 6887 section 19.2. */
const OPCODES: Readonly<Record<PcpPayload['opcode'], number>> = { ANNOUNCE: 0, MAP: 1, PEER: 2 };

/** The bytes to read from, when their length may be that of a message (section 8.2). */
function reader(bytes: Uint8Array): Buffer {
  const { length } = bytes;
  if (length < HEADER_LENGTH || length > PCP_MAX_LENGTH || length % 4 !== 0) {
    throw new DecodeError('pcp/length', String(length));
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, length);
}

function decodeBody(view: Buffer): { payload: PcpPayload; options: PcpOption[] } {
  const number = view.readUInt8(1) & ~RESPONSE;
  const opcode = (Object.keys(OPCODES) as PcpPayload['opcode'][]).find((name) => OPCODES[name] === number);
  if (opcode === undefined) throw new DecodeError('pcp/opcode', String(number));
  const payload = decodePcpPayload(opcode, view.subarray(HEADER_LENGTH));
  return { payload, options: decodePcpOptions(view.subarray(HEADER_LENGTH + payloadLength(opcode))) };
}
