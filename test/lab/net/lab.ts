import { cable } from './cable.ts';
import { ipBatch } from './execute.ts';
import { Gateway } from './gateway.ts';
import { Host } from './host.ts';
import { namespacesOf, newLabPrefix, removeNamespaces, sweepDeadLabs } from './namespaces.ts';
import type { NatSpec } from './nat.ts';
import { NetworkNamespace } from './network-namespace.ts';
import { type Line, layLine, PUBLIC_NETWORK, subscriberSide } from './uplink.ts';

/** Makes an internet with nobody on it, after sweeping away what dead processes left of theirs. Needs root on Linux. */
export async function createLab(): Promise<Lab> {
  await sweepDeadLabs();
  const lab = new Lab(newLabPrefix());
  await ipBatch([`netns add ${lab.internet.name}`]);
  await lab.internet.configure({ ip: [], forwards: true });
  return lab;
}

export interface PublicHostOptions extends Line {
  /** How many public addresses it has, 1 by default. */
  readonly addresses?: number;
  /** Whether it has a global IPv6 address too. */
  readonly ipv6?: boolean;
}

export interface SiteOptions extends Line {
  readonly nat: NatSpec;
  /** A second NAT between `nat` and the internet. */
  readonly carrier?: NatSpec;
  /** 1..200 hosts on the LAN, 1 by default. */
  readonly hosts?: number;
  /** Whether the hosts have global IPv6 addresses too, behind a stateful firewall; not together with a carrier. */
  readonly ipv6?: boolean;
}

export interface Site {
  readonly hosts: readonly Host[];
  readonly nat: Gateway;
  readonly carrier: Gateway | undefined;
  /** Where the site's packets seem to come from. */
  readonly publicAddress: string;
}

/**
 * A small internet of network namespaces, real in everything but its cables: IPv4, and IPv6 for those who ask for it. Nothing of
 * it is in the machine's own namespace, so labs do not see one another. Names of hosts and sites are letters, digits and hyphens,
 * unique in the lab.
 */
export class Lab implements AsyncDisposable {
  /** The one router between all public addresses, 11.0.0.0/24. */
  readonly internet: NetworkNamespace;
  readonly #prefix: string;
  readonly #members: NetworkNamespace[] = [];
  #addresses = 1;
  #lines = 0;
  #sites = 0;
  #networks = 0;

  /** Use {@link createLab}. */
  constructor(prefix: string) {
    this.#prefix = prefix;
    this.internet = this.#add(new NetworkNamespace(this.#name('internet')));
  }

  /** A host without NAT. */
  async publicHost(name: string, { addresses = 1, ipv6 = false, ...line }: PublicHostOptions = {}): Promise<Host> {
    const network = ipv6 ? this.#network() : undefined;
    const host = this.#add(new Host(this.#name(name), this.#publicAddresses(addresses), network && `${network}::1`));
    await ipBatch([`netns add ${host.name}`]);
    const end = { namespace: host, device: 'eth0', addresses: host.addresses, prefix: network && `${network}::/48` };
    await layLine(this.internet, this.#lineDevice(), end, line);
    await host.configure({ ip: [...subscriberSide(end), ...attach6('eth0', host.ipv6)], ipv6 });
    return host;
  }

  /** Hosts on a LAN, 192.168.x.0/24 and 2001:db8:x::/64, behind a NAT, or behind two with 100.64.x.0/24 between. */
  async site(name: string, { nat, carrier, hosts = 1, ipv6 = false, ...line }: SiteOptions): Promise<Site> {
    if (ipv6 && carrier !== undefined) throw new RangeError('a site behind a carrier has no IPv6');
    const network = ipv6 ? this.#network() : undefined;
    this.#sites += 1;
    const [lan, shared] = [`192.168.${this.#sites}`, `100.64.${this.#sites}`];
    const publicAddress = this.#publicAddresses(1)[0]!;
    const outerLan = `${carrier === undefined ? lan : shared}.1`;
    const outer = this.#add(new Gateway(this.#name(`${name}-nat`), publicAddress, outerLan, carrier ?? nat));
    const inner = carrier && this.#add(new Gateway(this.#name(`${name}-home`), `${shared}.2`, `${lan}.1`, nat));
    const home = inner ?? outer;
    const members = Array.from({ length: hosts }, (_, i) =>
      this.#add(
        new Host(this.#name(`${name}-${i + 1}`), [`${lan}.${i + 2}`], network && `${network}::${(i + 2).toString(16)}`),
      ),
    );
    await ipBatch([
      ...[outer, ...(inner ? [inner] : []), ...members].map((member) => `netns add ${member.name}`),
      ...members.map((host, i) => cable(host, 'eth0', home, `port${i + 1}`)),
      ...(inner ? [cable(inner, 'wan', outer, 'lan')] : []),
    ]);

    const end = { namespace: outer, device: 'wan', addresses: [publicAddress], prefix: network && `${network}::/48` };
    await layLine(this.internet, this.#lineDevice(), end, line);

    const bridge = [
      'link add lan type bridge',
      ...members.map((_, i) => `link set port${i + 1} master lan up`),
      ...attach('lan', home.lanAddress),
      ...attach6('lan', network && `${network}::1`),
    ];
    await Promise.all([
      ...members.map((host) =>
        host.configure({
          ip: [
            ...attach('eth0', host.address, home.lanAddress),
            ...attach6('eth0', host.ipv6, network && `${network}::1`),
          ],
          ipv6,
        }),
      ),
      ...(inner
        ? [
            inner.configureBetween(bridge, attach('wan', inner.address, outer.lanAddress)),
            outer.configureBetween(attach('lan', outer.lanAddress), subscriberSide(end)),
          ]
        : [outer.configureBetween(bridge, subscriberSide(end), { ipv6 })]),
    ]);
    return { hosts: members, nat: home, carrier: inner && outer, publicAddress };
  }

  /** Gives a site another public address, as providers do at night. Fulfils with it; the old one leads nowhere from then on. */
  async renumber({ nat, carrier = nat, publicAddress }: Site): Promise<string> {
    const address = this.#publicAddresses(1)[0]!;
    const route = await this.internet.run('ip', ['route', 'show', publicAddress]);
    const [device] = /dev \S+/.exec(route) ?? [];
    const input = `route del ${publicAddress}/32\nroute add ${address}/32 ${device}\n`;
    await carrier.run('ip', ['-batch', '-'], {
      input: `addr add ${address}/32 dev wan\naddr del ${publicAddress}/32 dev wan\n`,
    });
    await this.internet.run('ip', ['-batch', '-'], { input });
    return address;
  }

  /** Kills every process in the lab, and removes it. */
  async close(): Promise<void> {
    await removeNamespaces(namespacesOf(this.#prefix));
    await Promise.all(this.#members.map((member) => member.ended()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #add<T extends NetworkNamespace>(member: T): T {
    this.#members.push(member);
    return member;
  }

  #name(name: string): string {
    if (!/^[a-zA-Z0-9-]+$/.test(name)) throw new RangeError(`not a name for a host or site: ${name}`);
    return `${this.#prefix}-${name}`;
  }

  #publicAddresses(count: number): string[] {
    if (this.#addresses + count > 254) throw new RangeError('no public addresses left');
    return Array.from({ length: count }, () => `${PUBLIC_NETWORK}.${++this.#addresses}`);
  }

  /** The first 48 bits of a subscriber's IPv6 addresses; the rest of the prefix for documentation (RFC 3849). */
  #network(): string {
    return `2001:db8:${(++this.#networks).toString(16)}`;
  }

  #lineDevice(): string {
    return `line${++this.#lines}`;
  }
}

function attach(device: string, address: string, router?: string): string[] {
  const route = router === undefined ? [] : [`route add default via ${router}`];
  return [`addr add ${address}/24 dev ${device}`, `link set ${device} up`, ...route];
}

function attach6(device: string, address: string | undefined, router?: string): string[] {
  if (address === undefined) return [];
  const route = router === undefined ? [] : [`route add default via ${router} dev ${device}`];
  return [`addr add ${address}/64 dev ${device} nodad`, ...route];
}
