import { FIREWALL } from './firewall.ts';
import { FORGET, type NatSpec, natRules } from './nat.ts';
import { NetworkNamespace } from './network-namespace.ts';

/** A NAT between its devices `lan` and `wan`, and for IPv6 a firewall. */
export class Gateway extends NetworkNamespace {
  /** Its public address, or that towards the carrier's NAT. */
  readonly address: string;
  /** Its address on the side of its hosts. */
  readonly lanAddress: string;
  readonly #spec: NatSpec;

  constructor(name: string, address: string, lanAddress: string, spec: NatSpec) {
    super(name);
    this.address = address;
    this.lanAddress = lanAddress;
    this.#spec = spec;
  }

  /** Takes lines of `ip -batch` for both sides. */
  async configureBetween(lan: readonly string[], wan: readonly string[], { ipv6 = false } = {}): Promise<void> {
    const nft = natRules(this.#spec, this.lanAddress) + (ipv6 ? FIREWALL : '');
    await this.configure({ ip: [...lan, ...wan], nft, forwards: true, ipv6 });
  }

  /** Forgets every mapping, as a NAT does that is switched off and on. With preserved ports the next ones are the same again. */
  async reboot(): Promise<void> {
    await this.run('sh', ['-e'], { input: FORGET.join('\n') });
  }
}
