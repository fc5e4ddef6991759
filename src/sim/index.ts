export type { Firewall, FirewallSpec } from './firewall.ts';
export type { Gateway } from './gateway/gateway.ts';
export type { GatewayRules, GatewaySpec } from './gateway/gateway-spec.ts';
export type { Host } from './host.ts';
export type { Interface, InterfaceAddress } from './interface.ts';
export { type Attached, type Internet, internet } from './internet.ts';
export type { Link } from './link.ts';
export type { BurstLoss, LinkSpec, Reorder } from './link-spec.ts';
export type { ExplicitMapping, ExplicitMappings, ExplicitRequest } from './nat/explicit-mappings.ts';
export type { Nat, NatMapping } from './nat/nat.ts';
export type { NatDependence, NatRules, NatSpec, PortAllocation } from './nat/nat-spec.ts';
export type { SendingOrder } from './oracle/checks.ts';
export {
  type Forecast,
  type ForecastOptions,
  forecast,
  type Prospect,
  type ServerReach,
  TECHNIQUES,
  type Technique,
} from './oracle/forecast.ts';
export {
  meanProbes,
  mutualProbability,
  probesFor,
  sprayProbability,
  sweepMeeting,
} from './oracle/probability.ts';
export type { SprayBudget } from './oracle/spray.ts';
export type { Topology, TopologyNetwork } from './oracle/topology.ts';
export type * from './packet.ts';
export { formatPacketRecord, type PacketFate, type PacketRecord, type PacketWatch } from './packet-log.ts';
export type { Pinhole, Pinholes } from './pinholes.ts';
export type { Place } from './place.ts';
export type {
  AttachmentSpec,
  HostPlan,
  HostSpec,
  InterfacePlan,
  InternetPlan,
  NetworkPlan,
  NetworkSpec,
  PlannedEvent,
  WorldEvent,
} from './plan.ts';
export { readInternetPlan } from './plan-reader.ts';
export { type Preset, type PresetName, type PresetNetwork, presets } from './presets.ts';
export type { Router } from './router.ts';
export { type SeededRandom, seededRandom } from './seeded-random.ts';
export type { RendezvousServiceSpec } from './services/rendezvous.ts';
export type { ServiceSpec } from './services/service.ts';
export type { StunServiceSpec } from './services/stun.ts';
export type { TurnServiceSpec } from './services/turn.ts';
export type { SimulatedNetwork } from './simulated-network.ts';
export type { TcpListener } from './tcp/listener.ts';
export type { TcpSocket } from './tcp/socket.ts';
export type { TcpDialOptions, TcpStack } from './tcp/stack.ts';
export type { UdpSocket } from './udp-socket.ts';
export type { UdpStack } from './udp-stack.ts';
export { VirtualClock } from './virtual-clock.ts';
