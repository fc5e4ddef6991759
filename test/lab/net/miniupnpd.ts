import type { MappingProtocol } from '../../../src/core/port-mapper.ts';
import type { Gateway } from './gateway.ts';
import type { LabProcess } from './lab-process.ts';

/** What a gateway lets the hosts of its LAN ask for. Debian's miniupnpd has no switch for NAT-PMP and PCP alone. */
export interface MiniupnpdOptions {
  /** Version of the Internet Gateway Device that it is; absent: it speaks no UPnP. */
  readonly igd?: 1 | 2;
  /** Whether it speaks NAT-PMP and PCP; false by default. */
  readonly natPmp?: boolean;
}

/** What a gateway forwards to the LAN on somebody's request. */
export interface ForwardedPort {
  readonly protocol: MappingProtocol;
  readonly externalPort: number;
  readonly address: string;
  readonly port: number;
}

/** Debian's miniupnpd on a gateway of the lab, between its devices `lan` and `wan`. */
export class Miniupnpd {
  readonly #gateway: Gateway;
  readonly #options: MiniupnpdOptions;
  readonly #log: string[] = [];
  #process: LabProcess | undefined;
  #httpPort: string | undefined;

  /** Fulfils when it can be asked. A gateway has one at a time. */
  static async start(gateway: Gateway, options: MiniupnpdOptions): Promise<Miniupnpd> {
    await gateway.run('nft', ['-f', '-'], { input: TABLE });
    const daemon = new Miniupnpd(gateway, options);
    await daemon.start();
    return daemon;
  }

  private constructor(gateway: Gateway, options: MiniupnpdOptions) {
    this.#gateway = gateway;
    this.#options = options;
  }

  /** All that it has said, for whoever wonders why. */
  get log(): string {
    return this.#log.join('\n');
  }

  /** Where its description is; another port after each start. */
  get descriptionUrl(): string {
    return `http://${this.#gateway.lanAddress}:${this.#httpPort}/rootDesc.xml`;
  }

  /** Starts it again after `stop` or `kill`. What it mapped before is still there, unless it was made to forget. */
  async start(): Promise<void> {
    const running = this.#gateway.spawn('sh', ['-c', RUN]);
    this.#process = running;
    running.stdin.end(configuration(this.#options));
    await new Promise<void>((resolve, reject) => {
      void this.#follow(running, resolve).then(() => reject(new Error(`miniupnpd has ended\n${this.log}`)));
    });
  }

  /** As when it is switched off in the settings: it says goodbye. */
  async stop(): Promise<void> {
    await this.#process?.kill('SIGTERM');
  }

  /** As its host loses power. */
  async kill(): Promise<void> {
    await this.#process?.kill('SIGKILL');
  }

  /** Stops it from doing anything, for good; its sockets stay open. */
  freeze(): void {
    process.kill(this.#process!.pid!, 'SIGSTOP');
  }

  /** Removes what it has mapped; not while it runs, since it would be confused. */
  async forget(): Promise<void> {
    await this.#gateway.run('nft', ['-f', '-'], { input: FORGET });
  }

  /** As its host is switched off and on. */
  async reboot(): Promise<void> {
    await this.kill();
    await this.forget();
    await this.start();
  }

  /** What the kernel forwards for it. */
  async forwarded(): Promise<readonly ForwardedPort[]> {
    const chain = await this.#gateway.run('nft', ['list', 'chain', 'inet', 'miniupnpd', 'prerouting_miniupnpd']);
    const rules = chain.split('\n').filter((line) => line.includes('dnat'));
    const ports = rules.map((rule): ForwardedPort => {
      const [, protocol, externalPort, address, port] = RULE.exec(rule) ?? [];
      if (port === undefined) throw new Error(`not a rule of miniupnpd: ${rule}`);
      return {
        protocol: Number(protocol) === IANA_UDP ? 'udp' : 'tcp',
        externalPort: Number(externalPort),
        address: address!,
        port: Number(port),
      };
    });
    return ports.sort((a, b) => a.externalPort - b.externalPort || a.protocol.localeCompare(b.protocol));
  }

  /** Keeps what it says; `ready` when it has opened its last socket. */
  async #follow({ lines }: LabProcess, ready: () => void): Promise<void> {
    const isReady = this.#options.natPmp ? /Listening for NAT-PMP/ : /HTTP listening/;
    for await (const line of lines) {
      this.#log.push(line);
      this.#httpPort = /HTTP listening on port (\d+)/.exec(line)?.[1] ?? this.#httpPort;
      if (isReady.test(line)) ready();
    }
  }
}

/**
 * It wants files for its configuration and process id: so it gets a /run of its own, which is gone with it. And it goes before all else on
 * this machine, as a router has a processor to itself: it says a dozen lines of each search, and after each line its reader would run first.
 */
const RUN =
  'mount -t tmpfs tmpfs /run && cat > /run/conf && exec nice -n -20 miniupnpd -d -f /run/conf -P /run/miniupnpd.pid 2>&1';

/** Its rules are beside those of the NAT, which lets through what has been forwarded. The chains are named as its defaults are. */
const TABLE = `
table inet miniupnpd {
  chain forward {
    type filter hook forward priority filter;
    jump miniupnpd
  }
  chain prerouting {
    type nat hook prerouting priority dstnat;
    jump prerouting_miniupnpd
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    jump postrouting_miniupnpd
  }
  chain miniupnpd {}
  chain prerouting_miniupnpd {}
  chain postrouting_miniupnpd {}
}`;

const FORGET = ['miniupnpd', 'prerouting_miniupnpd', 'postrouting_miniupnpd']
  .map((chain) => `flush chain inet miniupnpd ${chain}\n`)
  .join('');

function configuration({ igd, natPmp = false }: MiniupnpdOptions): string {
  const yes = (condition: boolean): string => (condition ? 'yes' : 'no');
  return `
ext_ifname=wan
listening_ip=lan
ipv6_disable=yes
http_port=0
secure_mode=yes
enable_upnp=${yes(igd !== undefined)}
force_igd_desc_v1=${yes(igd === 1)}
enable_natpmp=${yes(natPmp)}
upnp_table_name=miniupnpd
upnp_nat_table_name=miniupnpd
uuid=782bce03-b233-4412-b583-1eb631535c87
`;
}

/** As nft shows `iif wan, protocol, port, dnat`; the protocol is at bit 72 of the IPv4 header. */
const RULE = /@nh,72,8 (0x[0-9a-f]+) th dport (\d+) dnat ip to ([\d.]+):(\d+)/;
const IANA_UDP = 17;
