/** Sallyport: contracts, peers and charts. Batteries for Node are in `sallyport/node`. */
export type { Binding } from './core/binding.ts';
export type { Candidate, CandidateType, RemoteCandidate } from './core/candidate.ts';
export type { Clock, TimerHandle } from './core/clock.ts';
export type { Datagram } from './core/datagram.ts';
export { type Endpoint, endpoint, type Family, formatEndpoint, parseEndpoint } from './core/endpoint.ts';
export type { Environment } from './core/environment.ts';
export { DecodeError, type ErrorCode, GatewayError, StreamResetError, TraversalError } from './core/errors.ts';
export type { Identity } from './core/identity.ts';
export type { LeaseJournal } from './core/lease-journal.ts';
export { type Log, silentLog } from './core/log.ts';
export type { Dependence, NatBehavior } from './core/nat-behavior.ts';
export type {
  ByteListener,
  ByteSocket,
  DatagramSocket,
  Gateway,
  Network,
  NetworkInterface,
  TcpConnectOptions,
  TcpListenOptions,
  UdpOptions,
} from './core/network.ts';
export type { Path, PathInfo, PathKind, PathTransport } from './core/path.ts';
export { pause } from './core/pause.ts';
export { type Policy, policies } from './core/policy.ts';
export type { MappingAttempt, PortLease, PortLeaseState, PortLeases } from './core/port-lease.ts';
export {
  type BuiltInVia,
  checkMappingRequest,
  type GatewayRestart,
  type ListedMapping,
  type Mapping,
  type MappingProtocol,
  type MappingReach,
  type MappingRequest,
  type MappingVia,
  mappingReach,
  type PortMapper,
  type PortMapperEnvironment,
  type PortMapperFactory,
} from './core/port-mapper.ts';
export type { Random } from './core/random.ts';
export type { Relay, RelayedSocket, RelayFactory } from './core/relay.ts';
export type {
  Session,
  SessionDatagrams,
  SessionEnd,
  SessionFactory,
  SessionOptions,
  SessionStats,
  SessionStream,
} from './core/session.ts';
export type {
  Contact,
  ContactLookup,
  OutgoingOffer,
  Registration,
  Signaling,
  SignalingEvent,
  SignalingStatus,
  StandingAnswer,
} from './core/signaling.ts';
export type {
  Agreement,
  BaseEnvironment,
  Bounds,
  CandidateEnvironment,
  CheckOptions,
  Facts,
  Failed,
  Json,
  MappingEnvironment,
  PathEnvironment,
  Prober,
  Product,
  StrategyEnvironments,
  StrategyInput,
  StrategyResult,
  Success,
  UnprovenLink,
} from './core/strategy.ts';
export type { Attempt, Verdict } from './core/verdict.ts';
export {
  type AttemptCounts,
  announced,
  anySide,
  type BehaviorPattern,
  bindStrategies,
  bothSides,
  type ComposedContext,
  type ComposedEvent,
  type ComposedInput,
  type ComposedMachine,
  type ComposeOptions,
  checks,
  compose,
  createScores,
  defaultFlow,
  defaultMap,
  defineFlow,
  defineStrategy,
  type Evidence,
  evidence,
  type FallbackOptions,
  type FallbackStep,
  type Finding,
  type Flow,
  type FlowMachines,
  type FlowSlot,
  type FlowSpec,
  fallback,
  guessablePort,
  interfaces,
  type LintRule,
  mapper,
  mySide,
  natPmp,
  natUpnp,
  not,
  type OwnMachines,
  type PacketBudget,
  type PredictOptions,
  pcp,
  portsInSequence,
  predict,
  type RaceOptions,
  type RaceStep,
  type RetryOptions,
  type RetryStep,
  race,
  relay,
  retry,
  type Score,
  type ScoredRun,
  type Scores,
  type ScoresJson,
  type SequenceStep,
  type SprayOptions,
  type Step,
  type StepAttempt,
  type StepFailed,
  type StepInput,
  type StepLogic,
  type StepOutput,
  type StepSuccess,
  type Steps,
  type Strategy,
  type StrategyFrame,
  type StrategyFunction,
  type StrategyHost,
  type StrategyLogic,
  type StrategyMachine,
  type StrategySpec,
  type StrategyStep,
  sequence,
  spray,
  stun,
  type TwoSided,
  tcpSimultaneousOpen,
  theirSide,
  turn,
  upnp,
  type WhenStep,
  type WithinStep,
  when,
  within,
} from './flows/index.ts';
export { createPortLeases, type PortLeasesOptions } from './leases/port-leases.ts';
export { connectionMachine } from './machines/connection.ts';
export type { ConnectionEvent, RatedPath } from './machines/connection-events.ts';
export { type ConnectionDelays, defaultConnectionDelays } from './machines/connection-setup.ts';
export type { Inspect } from './machines/inspect.ts';
export { leaseMachine } from './machines/lease.ts';
export { peerMachine } from './machines/peer.ts';
export { type Connection, type ConnectionState, DEFAULT_PROTOCOL } from './peer/connection.ts';
export { createPeer } from './peer/create-peer.ts';
export type { Reachability } from './peer/discovery.ts';
export type { Accept, ConnectOptions, Dialer, Peer, PeerAddress, PeerOptions } from './peer/peer.ts';
export type { PeerObserver, SeenPacket, SeenSignal } from './peer/peer-observer.ts';
export type { TicketOptions } from './peer/ticket-book.ts';
export type { PairSnapshot } from './protocol/ice/index.ts';
export { decodeTicket, type Ticket } from './protocol/rendezvous/index.ts';
