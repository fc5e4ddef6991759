/** Public compliance suites, for Vitest: what every implementation of a contract must do, in whatever world it runs. */
export { networkCompliance } from './network.ts';
export type { NetworkUnderTest } from './network-world.ts';
export { type PortMapperCompliance, portMapperCompliance } from './port-mapper.ts';
export type { GatewayUnderTest, PortMapperWorld, TableEntry } from './port-mapper-world.ts';
export { type SessionComplianceOptions, sessionCompliance } from './session.ts';
export type { SessionPair, SessionPeer } from './session-link.ts';
export {
  type AnySignalingCompliance,
  anySignalingCompliance,
  type SignalingCompliance,
  type SignalingWorld,
  signalingCompliance,
} from './signaling.ts';
