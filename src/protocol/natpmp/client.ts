import type { Endpoint } from '../../core/endpoint.ts';
import { createGatewayClient, type GatewayClient } from '../gateway-client.ts';
import { natPmpEpoch } from './epoch.ts';
import { decodeNatPmpResponse, encodeNatPmpRequest, type NatPmpRequest, type NatPmpResponse } from './message.ts';

export type NatPmpClient = GatewayClient<NatPmpRequest, NatPmpResponse>;

/** ms to the first retransmission; doubles (RFC 6886 section 3.1). */
export const NATPMP_INITIAL_INTERVAL = 250;

/** Transmissions of a request that is never answered (RFC 6886 section 3.1). */
export const NATPMP_MAX_SENDS = 9;

/** ms that a request lives by the RFC: nine transmissions and the wait after the last. */
export const NATPMP_TIMEOUT = NATPMP_INITIAL_INTERVAL * (2 ** NATPMP_MAX_SENDS - 1);

/**
 * A client of the gateway at `server`. An announcement is the address response that nobody asked for (RFC 6886 section 3.2.1), or
 * PCP's.
 */
export function createNatPmpClient(server: Endpoint): NatPmpClient {
  const epoch = natPmpEpoch();
  let externalAddress: string | undefined;
  return createGatewayClient(server, {
    encode: encodeNatPmpRequest,
    decode: decodeNatPmpResponse,
    answers,
    isAnnouncement: ({ type }) => type === 'external-address' || type === 'announced',
    nextInterval: (previous, sends) => {
      if (sends >= NATPMP_MAX_SENDS) return Number.POSITIVE_INFINITY;
      return previous === undefined ? NATPMP_INITIAL_INTERVAL : previous * 2;
    },
    restartOf(response, now) {
      const before = externalAddress;
      if (response.type === 'external-address') externalAddress = response.externalAddress;
      if (response.epoch !== undefined && epoch.observe(response.epoch, now)) return 'epoch';
      return before !== undefined && before !== externalAddress ? 'external-address' : undefined;
    },
  });
}

/** There is no transaction id: the opcode and the internal port tell, and that only a deletion is granted 0 s. */
function answers(response: NatPmpResponse, request: NatPmpRequest): boolean {
  if (request.opcode === 'external-address') {
    return response.type === 'refused' ? response.opcode === request.opcode : response.type === request.opcode;
  }
  switch (response.type) {
    case 'external-address':
    case 'announced':
      return false;
    case 'mapped':
      return (
        response.protocol === request.opcode &&
        response.internalPort === request.internalPort &&
        (response.lifetime === 0) === (request.lifetime === 0)
      );
    case 'refused':
      return (
        response.opcode === request.opcode && (response.internalPort ?? request.internalPort) === request.internalPort
      );
  }
}
