/** The public test kit: Sallyport's ICE agent by itself, for tests against other agents, and the NAT matrix. */
export {
  type CandidateAttribute,
  decodeCandidateAttribute,
  decodeIceDescription,
  encodeCandidateAttribute,
  encodeIceDescription,
  type IceDescription,
} from '../protocol/ice/index.ts';
export {
  createIceBridge,
  type IceBridge,
  type IceBridgeCounters,
  type IceBridgeEvent,
  type IceBridgeOptions,
  type RemoteDescription,
} from './ice-bridge.ts';
export type { NominatedPair } from './ice-generation.ts';
export * from './matrix/index.ts';
export type { IgnoredLines } from './remote-lines.ts';
