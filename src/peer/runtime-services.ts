import { Deferred } from '../core/deferred.ts';
import type { Environment } from '../core/environment.ts';
import { TraversalError } from '../core/errors.ts';
import { toHex } from '../core/hex.ts';
import type { Path } from '../core/path.ts';
import type { Facts } from '../core/strategy.ts';
import { RaceAccounts } from '../flows/index.ts';
import type { CheckBudget } from '../protocol/ice/index.ts';
import type { ProbeBudget } from '../protocol/spray/index.ts';
import type { PacketRouter } from '../streams/packet-router.ts';
import type { TcpLobby } from '../streams/tcp-lobby.ts';
import { AttemptLog } from './attempt-log.ts';
import type { ConnectionServices } from './connection-services.ts';
import type { IceLink } from './ice-link-contract.ts';
import { Negotiation } from './negotiation.ts';
import type { RelayLink } from './relay-link.ts';
import type { RelayedLink } from './relayed-link.ts';
import type { RuntimeOptions, Send } from './runtime-contract.ts';
import type { Scoring } from './scoring.ts';
import type { SessionLink } from './session-link.ts';
import type { SignalLink } from './signal-link.ts';

export interface RuntimeServicesOptions {
  readonly runtime: RuntimeOptions;
  readonly ice: IceLink;
  readonly link: SessionLink;
  readonly signal: SignalLink;
  readonly relay: RelayLink;
  readonly relayed: RelayedLink;
  readonly facts: () => Facts;
  readonly credentials: () => ConnectionServices['credentials'];
  readonly emit: Send;
}

/** What a connection's runtime gives to the parts that make paths. */
export class RuntimeServices implements ConnectionServices {
  readonly id: string;
  readonly role: 'dialer' | 'listener';
  readonly env: Environment;
  readonly routers: readonly PacketRouter[];
  readonly lobby: TcpLobby | undefined;
  readonly budget: CheckBudget;
  readonly probes: ProbeBudget;
  readonly scoring: Scoring | undefined;
  readonly ice: IceLink;
  readonly link: SessionLink;
  readonly relayed: RelayedLink;
  readonly signal: SignalLink;
  readonly emit: Send;
  readonly attempts = new AttemptLog();
  readonly accounts = new RaceAccounts();
  #negotiation: Negotiation | undefined;
  readonly #options: RuntimeServicesOptions;
  readonly #startedAt: number;
  #isAuthenticated = false;
  /** These two are made for whoever asks first: most connections need neither. */
  #authenticated: Deferred | undefined;
  #ended: AbortController | undefined;
  #end: TraversalError | undefined;

  constructor(options: RuntimeServicesOptions) {
    const { runtime, ice, link, relayed, signal, emit } = options;
    this.#options = options;
    this.id = toHex(runtime.session);
    this.role = runtime.role;
    this.env = runtime.env;
    this.routers = runtime.routers;
    this.lobby = runtime.lobby;
    this.budget = runtime.budget;
    this.probes = runtime.probes;
    this.scoring = runtime.scoring;
    this.ice = ice;
    this.link = link;
    this.relayed = relayed;
    this.signal = signal;
    this.emit = emit;
    this.#startedAt = runtime.env.clock.now();
  }

  get elapsed(): number {
    return this.env.clock.now() - this.#startedAt;
  }

  get stun(): readonly string[] {
    return this.#options.runtime.stun();
  }

  get facts(): Facts {
    return this.#options.facts();
  }

  get credentials(): ConnectionServices['credentials'] {
    return this.#options.credentials();
  }

  get negotiation(): Negotiation {
    this.#negotiation ??= new Negotiation(this, this.#options.runtime.desk);
    return this.#negotiation;
  }

  get isAuthenticated(): boolean {
    return this.#isAuthenticated;
  }

  get authenticated(): Promise<void> {
    if (this.#authenticated === undefined) {
      this.#authenticated = new Deferred();
      if (this.#isAuthenticated) this.#authenticated.resolve();
      if (this.#end !== undefined) this.#authenticated.reject(this.#end);
    }
    return this.#authenticated.promise;
  }

  get ended(): AbortSignal {
    if (this.#ended === undefined) {
      this.#ended = new AbortController();
      if (this.#end !== undefined) this.#ended.abort(this.#end);
    }
    return this.#ended.signal;
  }

  relay(): Promise<string> {
    return this.#options.relay.open();
  }

  addPath(path: Path, preference: number): void {
    this.link.table.add(path);
    this.emit({ type: 'path.validated', path: { info: path.info, preference } });
  }

  losePath(pathId: string, reason: string): void {
    if (!this.link.table.has(pathId)) return;
    this.link.remove(pathId);
    this.emit({ type: 'path.lost', id: pathId, reason });
  }

  /** Both sides have proven their keys. */
  authenticate(): void {
    this.#isAuthenticated = true;
    this.#authenticated?.resolve();
  }

  /** What was agreed on before is not of this round any more. */
  restart(): void {
    this.#negotiation?.restart();
  }

  /** The connection has ended. */
  end(): void {
    this.#end = new TraversalError('ERR_CLOSED', 'the connection has ended');
    this.#authenticated?.reject(this.#end);
    this.#ended?.abort(this.#end);
  }
}
