import type { LinkSpec } from './link-spec.ts';
import type { Simulation } from './simulation.ts';
import { Wire } from './wire.ts';

/** A cable, a radio channel or a subscriber line: two wires that share their fate, not their queues. */
export class Link {
  readonly name: string;
  /** Largest IP packet in bytes. */
  readonly mtu: number;
  /** From whoever was attached to the network, and back. */
  readonly upstream: Wire;
  readonly downstream: Wire;

  /** `number`: which one of that name it is, since a host can come back to a network. */
  constructor(simulation: Simulation, name: string, spec: LinkSpec, number = 1) {
    this.name = name;
    this.mtu = spec.mtu ?? DEFAULT_MTU;
    this.upstream = new Wire(simulation, `${name} up`, spec, number);
    this.downstream = new Wire(simulation, `${name} down`, spec, number);
  }

  get up(): boolean {
    return this.upstream.up;
  }

  /** What arrives while a link is down is lost. */
  set up(up: boolean) {
    this.upstream.up = up;
    this.downstream.up = up;
  }
}

/** Ethernet's, in bytes (RFC 894). */
export const DEFAULT_MTU = 1500;
