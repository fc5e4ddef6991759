import { type Endpoint, endpoint, formatEndpoint } from '../../core/endpoint.ts';
import { DecodeError } from '../../core/errors.ts';
import { toHex } from '../../core/hex.ts';
import type { MappingProtocol } from '../../core/port-mapper.ts';
import { entryOf, type GatewayTable, grantPort, type TableEntry, type TableRefusal } from '../gateway-table.ts';
import { decodePcpRequest, encodePcpRefusal, encodePcpResponse, PCP_VERSION, type PcpRequest } from './message.ts';
import { isMandatoryToProcess, type PcpOption } from './option.ts';
import { PCP_PROTOCOL, type PcpMap } from './payload.ts';
import { PCP_ERROR_LIFETIME, PCP_RESULT, type PcpResultName } from './result-code.ts';

/**
 * A PCP server (RFC 6887) without input or output of its own: MAP and ANNOUNCE, the option PREFER_FAILURE; PEER is
 * `UNSUPP_OPCODE`, and THIRD_PARTY and FILTER are `UNSUPP_OPTION`. `now` is in ms and never goes back.
 */
export interface PcpServer {
  /** The answer to a datagram of `client`, a numeric address; `undefined` where none is due (section 8.2). Never throws. */
  answer(data: Uint8Array, client: string, now: number): Uint8Array | undefined;
  /** What is told to all clients when mappings were lost (section 14.1.1). */
  announcement(now: number): Uint8Array;
}

export interface PcpServerOptions {
  readonly table: GatewayTable;
  /** Seconds since the table was empty, or the external address another (section 8.5). */
  readonly epoch: (now: number) => number;
  /** Seconds that a mapping gets at most, at least {@link PCP_MIN_LIFETIME}. */
  readonly maxLifetime: number;
}

/** Seconds that a mapping gets at least (section 15). */
export const PCP_MIN_LIFETIME = 120;

export function createPcpServer({ table, epoch, maxLifetime }: PcpServerOptions): PcpServer {
  /** Nonces of the mappings that were made by PCP, by protocol and internal endpoint. */
  const nonces = new Map<string, string>();

  /** What is granted, or why nothing is. */
  function perform(request: PcpRequest, client: string, now: number): Answer | Refusal {
    const { payload, options, clientAddress } = request;
    if (payload.opcode === 'PEER') return 'UNSUPP_OPCODE';
    if (clientAddress !== client) return 'ADDRESS_MISMATCH';
    if (options.some((option) => !isKnown(option) && isMandatory(option))) return 'UNSUPP_OPTION';
    if (payload.opcode === 'ANNOUNCE') return { lifetime: 0, payload, options: [] };
    const { protocol: number, internalPort } = payload;
    if (number === 0 && internalPort !== 0) return 'MALFORMED_REQUEST';
    const protocol = PROTOCOLS.get(number);
    // All ports of a protocol, or all protocols, is more than this server maps.
    if (protocol === undefined || internalPort === 0) return 'UNSUPP_PROTOCOL';
    const internal = endpoint(client, internalPort);
    if (!isOwner(payload, protocol, internal, now)) return 'NOT_AUTHORIZED';
    return request.lifetime === 0
      ? unmap(payload, protocol, internal, now)
      : map(request, payload, protocol, internal, now);
  }

  /** A mapping that was not made by PCP has no nonce, and is anybody's on its host. */
  function isOwner({ nonce }: PcpMap, protocol: MappingProtocol, internal: Endpoint, now: number): boolean {
    const known = nonces.get(keyOf(protocol, internal));
    return known === undefined || known === toHex(nonce) || entryOf(table, protocol, internal, now) === undefined;
  }

  function map(
    { lifetime: wished, options }: PcpRequest,
    payload: PcpMap,
    protocol: MappingProtocol,
    internal: Endpoint,
    now: number,
  ): Answer | Refusal {
    const { port } = payload.external;
    const isExact = port > 0 && options.some(isKnown);
    const lifetime = Math.min(Math.max(wished, PCP_MIN_LIFETIME), maxLifetime);
    const wish = {
      protocol,
      internal,
      lifetime: lifetime * 1000,
      description: 'PCP',
      ...(port > 0 && { externalPort: port }),
    };
    if (isExact && !isPossible(payload.external, protocol, internal, now)) return 'CANNOT_PROVIDE_EXTERNAL';
    const entry = isExact ? table.add(wish, now) : grantPort(table, wish, now);
    if (typeof entry === 'string') return REFUSALS[entry];
    remember(payload, entry, now);
    return { lifetime, payload: { ...payload, external: entry.external }, options: isExact ? [PREFER_FAILURE] : [] };
  }

  /** What is not there is deleted as well (section 15.1). */
  function unmap(payload: PcpMap, protocol: MappingProtocol, internal: Endpoint, now: number): Answer {
    const entry = entryOf(table, protocol, internal, now);
    if (entry !== undefined) table.remove(entry, now);
    nonces.delete(keyOf(protocol, internal));
    return { lifetime: 0, payload, options: [] };
  }

  /** Whether nothing but others' mappings stands against the very endpoint that is suggested (section 13.2). */
  function isPossible(
    { address, port }: Endpoint,
    protocol: MappingProtocol,
    internal: Endpoint,
    now: number,
  ): boolean {
    const standing = entryOf(table, protocol, internal, now);
    if (standing !== undefined && standing.external.port !== port) return false;
    return address === '0.0.0.0' || address === '::' || address === table.externalAddress(internal.address);
  }

  /** Forgets the nonces of mappings that are gone. */
  function remember({ nonce }: PcpMap, { protocol, internal }: TableEntry, now: number): void {
    const standing = new Set(table.entries(now).map((entry) => keyOf(entry.protocol, entry.internal)));
    for (const key of nonces.keys()) if (!standing.has(key)) nonces.delete(key);
    nonces.set(keyOf(protocol, internal), toHex(nonce));
  }

  return {
    answer(data, client, now) {
      const [version, opcode] = data;
      if (version === undefined || opcode === undefined || opcode >= RESPONSE) return undefined;
      if (version !== PCP_VERSION) return encodePcpResponse({ type: 'version-refused', version: PCP_VERSION });
      const request = readRequest(data);
      const outcome = typeof request === 'string' ? request : perform(request, client, now);
      if (typeof outcome !== 'string') {
        return encodePcpResponse({ type: 'answer', result: PCP_RESULT.SUCCESS, epoch: epoch(now), ...outcome });
      }
      const [result, lifetime] = [PCP_RESULT[outcome], PCP_ERROR_LIFETIME[outcome]];
      return encodePcpRefusal(data, { result, lifetime, epoch: epoch(now) });
    },
    announcement(now) {
      const payload = { opcode: 'ANNOUNCE' } as const;
      return encodePcpResponse({ type: 'answer', result: 0, lifetime: 0, epoch: epoch(now), payload, options: [] });
    },
  };
}

/** Of a successful response, what its request decides. */
interface Answer extends Pick<PcpRequest, 'lifetime' | 'payload' | 'options'> {}

type Refusal = Exclude<PcpResultName, 'SUCCESS'>;

function readRequest(data: Uint8Array): PcpRequest | Refusal {
  try {
    return decodePcpRequest(data);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    if (error.where === 'pcp/opcode') return 'UNSUPP_OPCODE';
    return MALFORMED_OPTION.test(error.where) ? 'MALFORMED_OPTION' : 'MALFORMED_REQUEST';
  }
}

const MALFORMED_OPTION = /^pcp\/(option|third-party|prefer-failure|filter)\//;

function isKnown({ type }: PcpOption): boolean {
  return type === 'PREFER_FAILURE';
}

/** All options that the RFC defines are (section 19.4). */
function isMandatory(option: PcpOption): boolean {
  return option.type !== 'unknown' || isMandatoryToProcess(option);
}

function keyOf(protocol: MappingProtocol, internal: Endpoint): string {
  return `${protocol} ${formatEndpoint(internal)}`;
}

const PREFER_FAILURE: PcpOption = { type: 'PREFER_FAILURE' };

const PROTOCOLS: ReadonlyMap<number, MappingProtocol> = new Map([
  [PCP_PROTOCOL.udp, 'udp'],
  [PCP_PROTOCOL.tcp, 'tcp'],
]);

const REFUSALS: Readonly<Record<TableRefusal, Refusal>> = {
  conflict: 'CANNOT_PROVIDE_EXTERNAL',
  exhausted: 'NO_RESOURCES',
  unaddressed: 'NETWORK_FAILURE',
};

/** The R bit (section 7.1). */
const RESPONSE = 0x80;
