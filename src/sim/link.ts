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

  constructor(simulation: Simulation, name: string, spec: LinkSpec) {
    this.name = name;
    this.mtu = spec.mtu ?? DEFAULT_MTU;
    this.upstream = new Wire(simulation, `${name} up`, spec);
    this.downstream = new Wire(simulation, `${name} down`, spec);
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
