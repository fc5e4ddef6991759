/** ICE (RFC 8445) with trickle (RFC 8838) and consent freshness (RFC 7675): a sans-IO agent of one stream with one component. */
export { createIceAgent } from './agent.ts';
export type { PairFailure, PairState } from './candidate-pair.ts';
export type {
  IceAgent,
  IceAgentOptions,
  IceCredentials,
  IceDrop,
  IceEvent,
  IceInput,
  IceOutput,
  IceRole,
  IceSnapshot,
  PairLoss,
  PairSnapshot,
} from './contract.ts';
