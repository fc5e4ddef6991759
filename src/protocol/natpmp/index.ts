export type {
  GatewayClient,
  GatewayDrop,
  GatewayEvent,
  GatewayInput,
  GatewayOutput,
  RestartReason,
} from '../gateway-client.ts';
export type { GatewayTable, TableEntry, TableRefusal, TableWish } from '../gateway-table.ts';
export {
  createNatPmpClient,
  NATPMP_INITIAL_INTERVAL,
  NATPMP_MAX_SENDS,
  NATPMP_TIMEOUT,
  type NatPmpClient,
} from './client.ts';
export { type NatPmpEpoch, natPmpEpoch } from './epoch.ts';
export {
  decodeNatPmpRequest,
  decodeNatPmpResponse,
  encodeNatPmpRefusal,
  encodeNatPmpRequest,
  encodeNatPmpResponse,
  NATPMP_CLIENT_PORT,
  NATPMP_PORT,
  NATPMP_VERSION,
  type NatPmpRequest,
  type NatPmpResponse,
} from './message.ts';
export { NATPMP_RESULT, natPmpResultName } from './result-code.ts';
export { createNatPmpServer, type NatPmpServer, type NatPmpServerOptions } from './server.ts';
