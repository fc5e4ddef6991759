import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { Log } from '../core/log.ts';
import type { ByteSocket, DatagramSocket, Network } from '../core/network.ts';
import type { Path } from '../core/path.ts';
import type { Random } from '../core/random.ts';
import type { Relay, RelayedSocket } from '../core/relay.ts';
import type { Agreement, CheckOptions, Facts, Json, PathEnvironment, Prober, UnprovenLink } from '../core/strategy.ts';
import { checkOptionsOf } from '../flows/index.ts';
import type { ConnectionServices } from './connection-services.ts';
import { createProber } from './prober.ts';
import { offerRelayed, relaysOf } from './relayed-socket.ts';
import type { StrategyRun } from './strategy-run.ts';
import { untilAborted } from './until-aborted.ts';
import { validateAddress } from './validated-link.ts';
import { validateStream } from './validated-stream.ts';

/** What a strategy has of the world for one run of it, for one connection. */
export function pathEnvironment(services: ConnectionServices, run: StrategyRun): PathEnvironment {
  return new LivePathEnvironment(services, run);
}

class LivePathEnvironment implements PathEnvironment {
  readonly #services: ConnectionServices;
  readonly #run: StrategyRun;
  #authenticated: Promise<void> | undefined;

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
    if (this.#authenticated === undefined) {
      this.#authenticated = untilAborted(this.#services.authenticated, this.signal);
      // Who looks at it may be done before it is decided.
      this.#authenticated.catch(() => {});
    }
    return this.#authenticated;
  }

  get relays(): readonly Relay[] {
    return relaysOf(this.#services, this.#run);
  }

  checks(options?: CheckOptions): Promise<string> {
    return this.#whileWanted(() => this.#services.ice.findPath(checkOptionsOf('env.checks', options)));
  }

  agree(params: Json = null): Promise<Agreement> {
    return this.#services.negotiation.agree(this.#run, params);
  }

  mayAim(at: Endpoint): boolean {
    return this.#services.budget.take(at, this.clock.now());
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
    const id = this.#run.adopt(carried(path, sockets, this.log));
    for (const socket of sockets) this.#run.handOver(socket);
    return id;
  }

  relay(): Promise<string> {
    return this.#whileWanted(() => this.#services.relay());
  }

  relayed(socket: RelayedSocket): Promise<string> {
    return offerRelayed(this.#services, this.#run, socket);
  }

  toJSON(): string {
    return 'env';
  }

  /** A run that is over begins nothing any more. */
  #whileWanted<T>(begin: () => Promise<T>): Promise<T> {
    const { signal } = this;
    try {
      return signal.aborted ? Promise.reject(signal.reason) : untilAborted(begin(), signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

/** The path, which takes its sockets along when it is closed, whatever its own `close` does. */
function carried(path: Path, sockets: readonly (DatagramSocket | ByteSocket)[], log: Log): Path {
  return {
    info: path.info,
    send: (bytes) => path.send(bytes),
    datagrams$: path.datagrams$,
    close() {
      try {
        path.close();
      } catch (error) {
        log('path.failed', { id: path.info.id, reason: `closing it: ${String(error)}` });
      }
      for (const socket of sockets) 'close' in socket ? socket.close() : socket.destroy();
    },
  };
}
