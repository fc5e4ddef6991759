/** The charts, to draw, walk, test and provide logic into. */
export { type ConnectionMachine, connectionMachine } from './connection.ts';
export type { ConnectionEvent, Failure, RatedPath } from './connection-events.ts';
export {
  type ConnectionActorInput,
  type ConnectionContext,
  type ConnectionDelays,
  type ConnectionInput,
  type ConnectionOutput,
  type ConnectionRole,
  connectionSetup,
  currentPath,
  defaultConnectionDelays,
} from './connection-setup.ts';
export { LEASE_TIMES, type LeaseContext, type LeaseEvent, type LeaseInput, leaseMachine } from './lease.ts';
export { type GatherInput, type PeerEvent, peerMachine } from './peer.ts';
export type { StrategiesInput, StrategiesSlot } from './strategies-slot.ts';
