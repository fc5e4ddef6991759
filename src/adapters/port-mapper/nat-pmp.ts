import { endpoint, isReachableUnicast } from '../../core/endpoint.ts';
import { type ErrorCode, GatewayError, TraversalError } from '../../core/errors.ts';
import type { PortMapperFactory } from '../../core/port-mapper.ts';
import {
  createNatPmpClient,
  encodeNatPmpRequest,
  NATPMP_RESULT,
  type NatPmpRequest,
  type NatPmpResponse,
  natPmpResultName,
} from '../../protocol/natpmp/index.ts';
import { DEFAULT_TIMEOUT, LONGEST_LEASE } from './conduct.ts';
import { createGatewayMapper, type Lease, type MapperDialect } from './gateway-mapper.ts';

export interface NatPmpOptions {
  /** ms that a call may take in all. Default 2000; requests go out after 0, 250, 750 and 1750 ms of them. */
  readonly timeout?: number;
}

/** Port mapping by NAT-PMP (RFC 6886): IPv4, at the gateways of this host's default routes. */
export function natPmp({ timeout = DEFAULT_TIMEOUT }: NatPmpOptions = {}): PortMapperFactory {
  return (environment) => createGatewayMapper(dialect, timeout, environment);
}

const dialect: MapperDialect<NatPmpRequest, NatPmpResponse> = {
  name: 'nat-pmp',
  families: [4],
  client: createNatPmpClient,
  encode: encodeNatPmpRequest,
  handle: () => ({}),
  async grant(lease, ask) {
    // The external address first: who is silent now is asked for nothing more, and a gateway without one is of no use.
    const address = await ask({ opcode: 'external-address' });
    if (address.type !== 'external-address') throw refusal(address);
    if (!isReachableUnicast(endpoint(address.externalAddress, 1))) {
      const problem = `nat-pmp: the gateway says that its external address is ${address.externalAddress}`;
      throw new TraversalError('ERR_GATEWAY_PROTOCOL', problem);
    }
    const mapped = await ask(mapRequest(lease, lease.external.port, lease.lifetime));
    if (mapped.type !== 'mapped') throw refusal(mapped);
    const { externalPort, lifetime } = mapped;
    if (externalPort === 0) throw new TraversalError('ERR_GATEWAY_PROTOCOL', 'nat-pmp: external port 0 was granted');
    return { external: endpoint(address.externalAddress, externalPort), lifetime: Math.min(lifetime, LONGEST_LEASE) };
  },
  maps: ({ opcode }) => opcode !== 'external-address',
  withdrawal: (lease) => mapRequest(lease, 0, 0),
  checkWithdrawal(response) {
    if (response.type !== 'mapped') throw refusal(response);
  },
};

function mapRequest({ protocol, internal }: Lease, externalPort: number, lifetime: number): NatPmpRequest {
  return { opcode: protocol, internalPort: internal.port, externalPort, lifetime };
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  [NATPMP_RESULT.unsupportedVersion]: 'ERR_MAPPING_UNAVAILABLE',
  [NATPMP_RESULT.notAuthorized]: 'ERR_MAPPING_REFUSED',
  [NATPMP_RESULT.networkFailure]: 'ERR_MAPPING_REFUSED',
  [NATPMP_RESULT.outOfResources]: 'ERR_MAPPING_EXHAUSTED',
  [NATPMP_RESULT.unsupportedOpcode]: 'ERR_MAPPING_REFUSED',
};

function refusal(response: NatPmpResponse): TraversalError {
  if (response.type !== 'refused') {
    return new TraversalError(
      'ERR_GATEWAY_PROTOCOL',
      `nat-pmp: the answer is about another question (${response.type})`,
    );
  }
  const result = natPmpResultName(response.result);
  return new GatewayError(CODES[response.result] ?? 'ERR_GATEWAY_PROTOCOL', `nat-pmp: the gateway says ${result}`, {
    result,
  });
}
