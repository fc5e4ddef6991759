/** The public test kit: the model of traversal, the NAT matrix, and Sallyport's ICE agent by itself, for tests against other agents. */
export {
  type CandidateAttribute,
  decodeCandidateAttribute,
  decodeIceDescription,
  encodeCandidateAttribute,
  encodeIceDescription,
  type IceDescription,
} from '../protocol/ice/index.ts';
export type { LeftOver } from '../scenario/index.ts';
export type { Technique } from '../sim/index.ts';
export * from './coverage/index.ts';
export * from './drivers/index.ts';
export {
  createIceBridge,
  type IceBridge,
  type IceBridgeCounters,
  type IceBridgeEvent,
  type IceBridgeOptions,
  type RemoteDescription,
} from './ice-bridge.ts';
export type { NominatedPair } from './ice-generation.ts';
export { lintFlow } from './lint/lint-flow.ts';
export * from './matrix/index.ts';
export * from './model/index.ts';
export type { IgnoredLines } from './remote-lines.ts';
