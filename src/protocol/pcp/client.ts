import type { Endpoint } from '../../core/endpoint.ts';
import type { Random } from '../../core/random.ts';
import { createGatewayClient, type GatewayClient } from '../gateway-client.ts';
import { pcpEpoch } from './epoch.ts';
import { decodePcpResponse, encodePcpRequest, type PcpRequest, type PcpResponse } from './message.ts';
import { isSameMapping } from './payload.ts';
import { type PcpRetransmission, pcpRetransmissionInterval } from './retransmission.ts';

export type PcpClient = GatewayClient<PcpRequest, PcpResponse>;

export interface PcpClientOptions extends PcpRetransmission {
  /** Chance in the retransmission intervals. */
  readonly random: Random;
}

/** A client of the PCP server at `server`. An announcement is the ANNOUNCE response that nobody asked for (RFC 6887 section 14.1.3). */
export function createPcpClient(server: Endpoint, { random, ...timers }: PcpClientOptions): PcpClient {
  const epoch = pcpEpoch();
  return createGatewayClient(server, {
    encode: encodePcpRequest,
    decode: decodePcpResponse,
    answers,
    isAnnouncement: (response) => response.type === 'answer' && response.payload.opcode === 'ANNOUNCE',
    restartOf: (response, now) =>
      response.type === 'answer' && epoch.observe(response.epoch, now) ? 'epoch' : undefined,
    nextInterval: (previous) => pcpRetransmissionInterval(previous, random, timers),
  });
}

/** A server that speaks another version cannot repeat the nonce, so its refusal answers any request (RFC 6887 section 9). */
function answers(response: PcpResponse, request: PcpRequest): boolean {
  return response.type === 'version-refused' || isSameMapping(response.payload, request.payload);
}
