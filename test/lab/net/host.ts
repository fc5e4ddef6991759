import { NetworkNamespace } from './network-namespace.ts';

/** A machine at the edge of the network, on its device `eth0`. */
export class Host extends NetworkNamespace {
  /** All of its IPv4 addresses but loopback. */
  readonly addresses: readonly string[];
  /** Its global IPv6 address, where it has one. */
  readonly ipv6: string | undefined;

  constructor(name: string, addresses: readonly string[], ipv6?: string) {
    super(name);
    this.addresses = addresses;
    this.ipv6 = ipv6;
  }

  /** The first of its addresses. */
  get address(): string {
    return this.addresses[0]!;
  }
}
