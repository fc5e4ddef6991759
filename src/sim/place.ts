import type { Host } from './host.ts';
import type { NatSpec } from './nat/nat-spec.ts';
import type { AttachmentSpec, HostPlan, HostSpec, NetworkPlan, NetworkSpec } from './plan.ts';
import type { SimulatedNetwork } from './simulated-network.ts';

/** Adds to a world, as plans do. */
export interface WorldBuilder {
  addNetwork(plan: NetworkPlan): SimulatedNetwork;
  addHost(plan: HostPlan): Host;
}

/** Where networks and hosts can be: the internet, or a network. All methods throw `ERR_USAGE` when something does not fit. */
export abstract class Place {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  protected abstract get builder(): WorldBuilder;

  /** Adds a host here. */
  host(name: string, { addresses, link, ...spec }: HostSpec & AttachmentSpec = {}): Host {
    return this.builder.addHost({ name, ...spec, interfaces: [{ network: this.name, addresses, link }] });
  }

  /** Adds a network behind a NAT below this place. */
  nat(name: string, nat: NatSpec = {}, spec: Omit<NetworkSpec, 'nat'> = {}): SimulatedNetwork {
    return this.builder.addNetwork({ name, above: this.name, ...spec, nat });
  }

  /** Adds a network behind a router below this place. */
  lan(name: string, spec: NetworkSpec = {}): SimulatedNetwork {
    return this.builder.addNetwork({ name, above: this.name, ...spec });
  }
}
