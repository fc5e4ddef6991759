import { type Endpoint, isReachableUnicast } from '../../core/endpoint.ts';
import { type ErrorCode, GatewayError, TraversalError } from '../../core/errors.ts';
import { toHex } from '../../core/hex.ts';
import type { PortMapperFactory } from '../../core/port-mapper.ts';
import type { Random } from '../../core/random.ts';
import {
  createPcpClient,
  encodePcpRequest,
  PCP_NONCE_LENGTH,
  PCP_PROTOCOL,
  PCP_RESULT,
  type PcpOption,
  type PcpRequest,
  type PcpResponse,
  type PcpResultName,
  pcpMappingNonce,
  pcpResultName,
} from '../../protocol/pcp/index.ts';
import { DEFAULT_TIMEOUT, LONGEST_LEASE } from './conduct.ts';
import { createGatewayMapper, type Lease, type MapperDialect } from './gateway-mapper.ts';
import { negotiated } from './negotiated.ts';

export interface PcpOptions {
  /** ms that a call may take in all. Default 2000; requests go out after about 0, 250, 750 and 1750 ms of them. */
  readonly timeout?: number;
  /**
   * From which the nonces of mappings are derived. A program that is started again with the same secret can map, renew and remove what
   * an earlier run left; to others its mappings are closed. Default: fresh random bytes.
   */
  readonly secret?: Uint8Array;
  /** What takes over at a gateway that answers in the words of NAT-PMP: `natPmp()`. Default: such a gateway is `ERR_MAPPING_UNAVAILABLE`. */
  readonly fallback?: PortMapperFactory;
}

/** Port mapping by PCP (RFC 6887): IPv4 mappings and IPv6 pinholes, at the gateways of this host's default routes. */
export function pcp({ timeout = DEFAULT_TIMEOUT, secret, fallback }: PcpOptions = {}): PortMapperFactory {
  return (environment) => {
    const { random } = environment;
    const mapper = createGatewayMapper(pcpDialect(random, secret ?? random.bytes(32)), timeout, environment);
    return fallback === undefined ? mapper : negotiated(mapper, fallback(environment));
  };
}

/** IRT in ms. RFC 6887 says 3 s, for servers that may be far away; this one is a hop away, and the whole budget is shorter. */
const INITIAL_INTERVAL = 250;

/** Seconds that an error is believed to hold, at most (RFC 6887 section 15). */
const LONGEST_ERROR = 30 * 60;

function pcpDialect(random: Random, secret: Uint8Array): MapperDialect<PcpRequest, PcpResponse> {
  return {
    name: 'pcp',
    families: [4, 6],
    client: (server) => createPcpClient(server, { random, initial: INITIAL_INTERVAL }),
    encode: encodePcpRequest,
    handle: ({ gateway, protocol, internal }) => ({
      nonce: toHex(pcpMappingNonce(secret, { gateway, protocol, internalPort: internal.port })),
    }),
    async grant(lease, ask) {
      const options: PcpOption[] = lease.onConflict === 'fail' ? [{ type: 'PREFER_FAILURE' }] : [];
      let response = await ask(mapRequest(lease, lease.lifetime, options));
      // A server need not know the option; the port that it grants tells as well.
      if (isResult(response, 'UNSUPP_OPTION')) response = await ask(mapRequest(lease, lease.lifetime, []));
      const { payload, lifetime } = granted(response);
      if (payload.opcode !== 'MAP' || !isAssignable(payload.external, lease) || lifetime === 0) {
        throw new TraversalError('ERR_GATEWAY_PROTOCOL', 'pcp: what was granted is no mapping');
      }
      return { external: payload.external, lifetime: Math.min(lifetime, LONGEST_LEASE) };
    },
    maps: () => true,
    withdrawal: (lease) => mapRequest(lease, 0, []),
    checkWithdrawal(response) {
      // What is not there is deleted with SUCCESS (RFC 6887 section 15.1), but miniupnpd gives this, which a deletion cannot mean.
      if (!isResult(response, 'NO_RESOURCES')) granted(response);
    },
  };
}

function mapRequest(lease: Lease, lifetime: number, options: readonly PcpOption[]): PcpRequest {
  const { protocol, internal, external } = lease;
  return {
    lifetime,
    clientAddress: internal.address,
    payload: {
      opcode: 'MAP',
      nonce: nonceOf(lease),
      protocol: PCP_PROTOCOL[protocol],
      internalPort: internal.port,
      // A deletion suggests nothing (RFC 6887 section 15.1).
      external: lifetime === 0 ? { ...external, address: external.family === 4 ? '0.0.0.0' : '::', port: 0 } : external,
    },
    options,
  };
}

/** Whether others can send to what was assigned, by the family that was suggested (section 11.3: an all-zeros address is that of a family). */
function isAssignable(assigned: Endpoint, { external }: Lease): boolean {
  return assigned.family === external.family && isReachableUnicast(assigned);
}

function nonceOf({ handle }: Lease): Uint8Array {
  const nonce = Buffer.from(String(handle.nonce), 'hex');
  if (nonce.length === PCP_NONCE_LENGTH) return nonce;
  throw new TraversalError('ERR_USAGE', 'pcp: the mapping has lost its nonce');
}

function isResult(response: PcpResponse, name: PcpResultName): boolean {
  return response.type === 'answer' && response.result === PCP_RESULT[name];
}

/** Throws what a refusal means. */
function granted(response: PcpResponse): Extract<PcpResponse, { type: 'answer' }> {
  if (response.type === 'version-refused') {
    const spoken = response.version === 0 ? 'NAT-PMP' : `version ${response.version}`;
    throw new GatewayError('ERR_MAPPING_UNAVAILABLE', `pcp: the gateway speaks ${spoken}`, {
      result: 'UNSUPP_VERSION',
    });
  }
  const { result, lifetime } = response;
  if (result === PCP_RESULT.SUCCESS) return response;
  const name = pcpResultName(result);
  const code = (name && CODES[name]) ?? 'ERR_GATEWAY_PROTOCOL';
  throw new GatewayError(code, `pcp: the gateway says ${name ?? `result code ${result}`}`, {
    result: name ?? String(result),
    retryAfter: Math.min(lifetime, LONGEST_ERROR) * 1000,
  });
}

/** All others are of a server that did not understand us. */
const CODES: Partial<Record<PcpResultName, ErrorCode>> = {
  NOT_AUTHORIZED: 'ERR_MAPPING_REFUSED',
  UNSUPP_OPCODE: 'ERR_MAPPING_REFUSED',
  NETWORK_FAILURE: 'ERR_MAPPING_REFUSED',
  NO_RESOURCES: 'ERR_MAPPING_EXHAUSTED',
  UNSUPP_PROTOCOL: 'ERR_MAPPING_REFUSED',
  USER_EX_QUOTA: 'ERR_MAPPING_EXHAUSTED',
  CANNOT_PROVIDE_EXTERNAL: 'ERR_MAPPING_CONFLICT',
  ADDRESS_MISMATCH: 'ERR_MAPPING_REFUSED',
  EXCESSIVE_REMOTE_PEERS: 'ERR_MAPPING_EXHAUSTED',
};
