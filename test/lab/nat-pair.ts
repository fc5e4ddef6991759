import type { CommandPlace, RunningCommand } from '../../src/testing/index.ts';
import { runSallyport } from './commands.ts';
import type { Lab, Site } from './net/lab.ts';
import { NATS } from './net/nat.ts';
import type { ServerHost } from './server-host.ts';

export type NatName = keyof typeof NATS;
type Side = 'dialer' | 'listener';

/** A pair of hosts behind NATs of the kernel, for the model's command driver. */
export class NatPair implements CommandPlace {
  readonly server: ServerHost;
  readonly #sites: Readonly<Record<Side, Site>>;

  /** `name`: unique in the lab; letters and digits. */
  static async build(lab: Lab, name: string, nats: Readonly<Record<Side, NatName>>, server: ServerHost) {
    const [dialer, listener] = await Promise.all([
      lab.site(`${name}a`, { nat: NATS[nats.dialer] }),
      lab.site(`${name}b`, { nat: NATS[nats.listener] }),
    ]);
    return new NatPair({ dialer, listener }, server);
  }

  private constructor(sites: Readonly<Record<Side, Site>>, server: ServerHost) {
    this.#sites = sites;
    this.server = server;
  }

  get servers(): readonly string[] {
    return [this.server.url];
  }

  run(side: Side, args: readonly string[]): RunningCommand {
    const process = runSallyport(this.#sites[side].hosts[0]!, args);
    return {
      lines: process.lines,
      exited: process.wait().then(({ code }) => code),
      kill: (signal) => void process.kill(signal),
    };
  }

  /** The NAT of that side forgets what it knows. */
  rebind(side: Side): Promise<void> {
    return this.#sites[side].nat.reboot();
  }

  /** Both NATs drop UDP, without a word. */
  async blockUdp(): Promise<void> {
    await this.#filter(BLACKOUT);
  }

  async unblockUdp(): Promise<void> {
    await this.#filter('delete table ip blackout');
  }

  async #filter(rules: string): Promise<void> {
    const gateways = Object.values(this.#sites).map(({ nat }) => nat);
    await Promise.all(gateways.map((nat) => nat.run('nft', ['-f', '-'], { input: rules })));
  }
}

const BLACKOUT = `
table ip blackout {
  chain forward {
    type filter hook forward priority filter;
    meta l4proto udp drop
  }
}`;
