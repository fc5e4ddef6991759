/** Public compliance suites, for Vitest: what every implementation of a contract must do, in whatever world it runs. */
export { networkCompliance } from './network.ts';
export type { NetworkWorld } from './network-world.ts';
export { portMapperCompliance } from './port-mapper.ts';
export type { GatewayUnderTest, PortMapperWorld, TableEntry } from './port-mapper-world.ts';
export { relayCompliance } from './relay.ts';
export { type RelayPair, type RelayWorld, relayOfSignaling } from './relay-world.ts';
export { sessionCompliance } from './session.ts';
export type { SessionPair, SessionPeer } from './session-link.ts';
export type { SessionWorld } from './session-world.ts';
export { anySignalingCompliance, signalingCompliance } from './signaling.ts';
export type { AnySignalingWorld, SignalingWorld } from './signaling-world.ts';
export type { Compliance, ComplianceSkip, ComplianceWorld } from './suite.ts';
