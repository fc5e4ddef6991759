/** A simulated router with such a library, in place of a real one: it opens ports of its NAT. */
import { type Clock, parseEndpoint } from 'sallyport';
import type { Internet, Nat } from 'sallyport/sim';
import type { Answer, Forward, RouterApi } from './router-api.ts';

export class SimulatedRouter implements RouterApi {
  readonly nat: Nat;
  readonly #world: Internet;
  readonly #network: string;
  #boot = 1;
  #isSilent = false;

  /** `network`: the name of the network whose router it is. */
  constructor(world: Internet, network: string) {
    this.#world = world;
    this.#network = network;
    this.nat = world.networkNamed(network).translator!;
  }

  open({ protocol, port, to, seconds }: Forward): Promise<Answer> {
    const request = { protocol, internal: parseEndpoint(to)!, externalPort: port, lifetime: seconds * 1_000 };
    const made = this.nat.explicit.add(request, this.clock.now());
    if (typeof made !== 'string') return this.#answer();
    return this.#answer(made === 'conflict' ? 'taken' : 'full');
  }

  shut({ protocol, port, to }: Forward): Promise<Answer> {
    const now = this.clock.now();
    const { address, port: inside } = parseEndpoint(to)!;
    const open = this.nat.explicit.list(now).find(({ external, internal, ...mapping }) => {
      const isSamePort = mapping.protocol === protocol && external.port === port;
      return isSamePort && internal.address === address && internal.port === inside;
    });
    if (open !== undefined) this.nat.explicit.remove(open, now);
    return this.#answer();
  }

  silence(): void {
    this.#isSilent = true;
  }

  restart(): void {
    this.#world.happen({ type: 'reboot', network: this.#network });
    this.#boot++;
  }

  get clock(): Clock {
    return this.#world.clock;
  }

  /** It takes five milliseconds. */
  async #answer(error?: Answer['error']): Promise<Answer> {
    if (this.#isSilent) return new Promise(() => {});
    const answer = { boot: this.#boot, outside: this.nat.explicit.addressOf()!, ...(error && { error }) };
    return new Promise((resolve) => this.clock.setTimeout(() => resolve(answer), 5));
  }
}
