export type {
  GatewayClient,
  GatewayDrop,
  GatewayEvent,
  GatewayInput,
  GatewayOutput,
  RestartReason,
} from '../gateway-client.ts';
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
  encodeNatPmpRequest,
  encodeNatPmpResponse,
  NATPMP_CLIENT_PORT,
  NATPMP_PORT,
  type NatPmpRequest,
  type NatPmpResponse,
} from './message.ts';
export { NATPMP_RESULT, natPmpResultName } from './result-code.ts';
