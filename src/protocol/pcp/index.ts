export type {
  GatewayClient,
  GatewayDrop,
  GatewayEvent,
  GatewayInput,
  GatewayOutput,
  RestartReason,
} from '../gateway-client.ts';
export type { GatewayTable, TableEntry, TableRefusal, TableWish } from '../gateway-table.ts';
export { createPcpClient, type PcpClient, type PcpClientOptions } from './client.ts';
export { type PcpEpoch, pcpEpoch } from './epoch.ts';
export {
  decodePcpRequest,
  decodePcpResponse,
  encodePcpRefusal,
  encodePcpRequest,
  encodePcpResponse,
  PCP_CLIENT_PORT,
  PCP_MAX_LENGTH,
  PCP_PORT,
  PCP_VERSION,
  type PcpRefusal,
  type PcpRequest,
  type PcpResponse,
} from './message.ts';
export { pcpMappingNonce } from './nonce.ts';
export { isMandatoryToProcess, type PcpFilter, type PcpOption, type PcpUnknownOption } from './option.ts';
export {
  PCP_NONCE_LENGTH,
  PCP_PROTOCOL,
  type PcpAnnounce,
  type PcpMap,
  type PcpPayload,
  type PcpPeer,
} from './payload.ts';
export { PCP_ERROR_LIFETIME, PCP_RESULT, type PcpResultName, pcpResultName } from './result-code.ts';
export type { PcpRetransmission } from './retransmission.ts';
export { createPcpServer, PCP_MIN_LIFETIME, type PcpServer, type PcpServerOptions } from './server.ts';
