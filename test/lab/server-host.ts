import { type Rendezvous, serve } from './commands.ts';
import type { Host } from './net/host.ts';
import type { Lab } from './net/lab.ts';

/** A public host with a rendezvous server, which can be lost and come back. */
export class ServerHost {
  readonly #host: Host;
  #server: Rendezvous;

  /** `name`: unique in the lab; letters and digits. */
  static async start(lab: Lab, name: string): Promise<ServerHost> {
    const host = await lab.publicHost(name, { addresses: 2 });
    return new ServerHost(host, await serve(host));
  }

  private constructor(host: Host, server: Rendezvous) {
    this.#host = host;
    this.#server = server;
  }

  get url(): string {
    return this.#server.url;
  }

  async lose(): Promise<void> {
    await this.#server.process.kill('SIGKILL');
  }

  /** At the same address; it knows of nobody. */
  async restore(): Promise<void> {
    this.#server = await serve(this.#host);
  }
}
