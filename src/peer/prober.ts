import { type Observable, Subject } from 'rxjs';
import { type Endpoint, isReachableUnicast } from '../core/endpoint.ts';
import type { Environment } from '../core/environment.ts';
import type { DatagramSocket } from '../core/network.ts';
import type { Facts, Prober } from '../core/strategy.ts';
import { createProbeCodec, type ProbeCodec } from '../protocol/ice/index.ts';
import type { StunMessage } from '../protocol/stun/index.ts';
import type { PacketRouter, Unregister } from '../streams/packet-router.ts';
import type { ConnectionServices } from './connection-services.ts';
import type { IceLink } from './ice-link-contract.ts';
import { routerOf } from './socket-router.ts';
import type { StrategyRun } from './strategy-run.ts';

/**
 * Checks that prove the connection's secret, on a socket of the run, or on the peer's own, where the connection's ICE agent answers those of
 * the other side; on a socket of the run they are heard, and answered once it is being validated. They go to addresses only that the other
 * side has told or was heard from, and no more of them than the peer's budget for probes allows.
 */
export function createProber(services: ProberServices, run: ProberRun, socket?: DatagramSocket): Prober {
  return new CheckProber(services, run, socket);
}

/** What this takes of a connection, and of the strategy's run. */
export type ProberServices = Pick<ConnectionServices, 'role' | 'credentials' | 'routers' | 'probes'> & {
  readonly env: Pick<Environment, 'clock' | 'random' | 'loopback'>;
  readonly facts: Pick<Facts, 'remote'>;
  readonly ice: Pick<IceLink, 'hearChecks'>;
};
export type ProberRun = Pick<StrategyRun, 'signal' | 'count' | 'hear'>;

class CheckProber implements Prober {
  readonly #heard = new Subject<Endpoint>();
  readonly #services: ProberServices;
  readonly #run: ProberRun;
  readonly #codec: ProbeCodec;
  /** Of the run's socket; without one, the peer's own are used. */
  readonly #own: PacketRouter | undefined;
  /** IP addresses that may be sent to. */
  readonly #known = new Set<string>();
  readonly #registrations: Unregister[] = [];
  #isOver = false;

  constructor(services: ProberServices, run: ProberRun, socket: DatagramSocket | undefined) {
    const { role, env, credentials, ice } = services;
    this.#services = services;
    this.#run = run;
    this.#codec = createProbeCodec({
      role: role === 'dialer' ? 'controlling' : 'controlled',
      local: credentials.mine,
      remote: credentials.theirs,
      random: env.random,
    });
    this.#own = socket && routerOf(socket);
    if (this.#own === undefined) {
      this.#registrations.push(ice.hearChecks((from) => this.#hear(from)));
      run.signal.addEventListener('abort', () => this.#end(), { once: true });
    } else {
      this.#registrations.push(this.#own.onRequest(credentials.mine.ufrag, this.#judge));
      // At the end of the run, unless it is the connection's by then.
      void this.#own.ended.then(() => this.#end());
    }
    if (run.signal.aborted) this.#end();
  }

  get heard$(): Observable<Endpoint> {
    return this.#heard;
  }

  send(to: Endpoint): boolean {
    const router = this.#own ?? this.#services.routers.find(({ socket }) => socket.local.family === to.family);
    if (this.#isOver || router === undefined || !this.#mayProbe(to)) return false;
    const { transactionId, bytes } = this.#codec.request();
    this.#registrations.push(router.onResponse(transactionId, to, this.#judge));
    // What a socket of the run sends is counted there.
    if (this.#own === undefined && !this.#run.count()) return false;
    return router.socket.send(bytes, to);
  }

  readonly #judge = (message: StunMessage, from: Endpoint): void => {
    if (this.#own === undefined) this.#run.hear();
    if (this.#codec.isAuthentic(message)) this.#hear(from);
  };

  #hear(from: Endpoint): void {
    this.#known.add(from.address);
    this.#heard.next(from);
  }

  #mayProbe(to: Endpoint): boolean {
    const { env, facts, probes } = this.#services;
    if (!isReachableUnicast(to, env.loopback)) return false;
    if (!this.#known.has(to.address)) {
      if (!facts.remote.some(({ endpoint }) => endpoint.address === to.address)) return false;
      this.#known.add(to.address);
    }
    return probes.take(to.address, env.clock.now());
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const unregister of this.#registrations) unregister();
    this.#registrations.length = 0;
    this.#heard.complete();
  }
}
