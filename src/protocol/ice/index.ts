/**
 * ICE (RFC 8445) with trickle (RFC 8838) and consent freshness (RFC 7675): a sans-IO agent of one stream with one
 * component.
 */
export { createIceAgent } from './agent.ts';
export {
  type CandidateAttribute,
  decodeCandidateAttribute,
  encodeCandidateAttribute,
} from './candidate-attribute.ts';
export { type LocalSocket, type PairFailure, type PairState, pairId } from './candidate-pair.ts';
export { type CheckBudget, createCheckBudget, type SharedCheckBudget } from './check-budget.ts';
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
export {
  assertCredentials,
  decodeIceDescription,
  encodeIceDescription,
  type IceDescription,
} from './ice-description.ts';
export { createProbeCodec, type ProbeCodec } from './probe-codec.ts';
export { attributeOf, extensionOf, type IgnoredReason, type ToldCandidate, toldCandidate } from './told-candidate.ts';
