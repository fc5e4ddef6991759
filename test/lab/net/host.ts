import { NetworkNamespace } from './network-namespace.ts';

/** A machine at the edge of the network, on its device `eth0`. */
export class Host extends NetworkNamespace {
  /** All of its IPv4 addresses but loopback. */
  readonly addresses: readonly string[];

  constructor(name: string, addresses: readonly string[]) {
    super(name);
    this.addresses = addresses;
  }

  /** The first of its addresses. */
  get address(): string {
    return this.addresses[0]!;
  }
}
