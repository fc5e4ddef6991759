import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { ByteSocket, DatagramSocket, Network } from '../core/network.ts';
import type { Path } from '../core/path.ts';
import type { Random } from '../core/random.ts';
import type { Relay, RelayedSocket } from '../core/relay.ts';
import type { Agreement, CheckOptions, Facts, Json, PathEnvironment, Prober, UnprovenLink } from '../core/strategy.ts';
import type { ConnectionServices } from './connection-services.ts';
import { createProber } from './prober.ts';
import { offerRelayed, relaysOf } from './relayed-socket.ts';
import type { StrategyRun } from './strategy-run.ts';
import { untilAborted } from './until-aborted.ts';
import { validateAddress } from './validated-link.ts';
import { validateStream } from './validated-stream.ts';

/** What a strategy has of the world for one run of it, for one connection. */
export function pathEnvironment(services: ConnectionServices, run: StrategyRun): PathEnvironment {
  return new RunEnvironment(services, run);
}

class RunEnvironment implements PathEnvironment {
  readonly #services: ConnectionServices;
  readonly #run: StrategyRun;

  constructor(services: ConnectionServices, run: StrategyRun) {
    this.#services = services;
    this.#run = run;
  }

  get network(): Network {
    return this.#run.network;
  }

  get clock(): Clock {
    return this.#services.env.clock;
  }

  get random(): Random {
    return this.#services.env.random;
  }

  get log(): Log {
    return this.#services.env.log;
  }

  get facts(): Facts {
    return this.#services.facts;
  }

  get stun(): readonly string[] {
    return this.#services.stun;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  get authenticated(): Promise<void> {
    return untilAborted(this.#services.authenticated, this.signal);
  }

  get relays(): readonly Relay[] {
    return relaysOf(this.#services, this.#run);
  }

  checks(options?: CheckOptions): Promise<string> {
    return untilAborted(this.#services.ice.findPath(options), this.signal);
  }

  agree(params: Json = null): Promise<Agreement> {
    return this.#services.negotiation.agree(this.#run, params);
  }

  prober(socket?: DatagramSocket): Prober {
    return createProber(this.#services, this.#run, socket);
  }

  validate(link: UnprovenLink): Promise<string> {
    return 'stream' in link
      ? validateStream(this.#services, this.#run, link.stream)
      : validateAddress(this.#services, this.#run, link);
  }

  adopt(path: Path, sockets: readonly (DatagramSocket | ByteSocket)[] = []): string {
    const id = this.#run.adopt(sockets.length === 0 ? path : carried(path, sockets));
    for (const socket of sockets) this.#run.handOver(socket);
    return id;
  }

  relay(): Promise<string> {
    return untilAborted(this.#services.relay(), this.signal);
  }

  relayed(socket: RelayedSocket): Promise<string> {
    return offerRelayed(this.#services, this.#run, socket);
  }

  toJSON(): string {
    return 'env';
  }
}

/** The path, which takes its sockets along when it is closed. */
function carried(path: Path, sockets: readonly (DatagramSocket | ByteSocket)[]): Path {
  return {
    info: path.info,
    send: (bytes) => path.send(bytes),
    datagrams$: path.datagrams$,
    close() {
      path.close();
      for (const socket of sockets) 'close' in socket ? socket.close() : socket.destroy();
    },
  };
}
