import { filter, Subscription } from 'rxjs';
import type { TimerHandle } from '../core/clock.ts';
import type { Signaling, SignalingEvent } from '../core/signaling.ts';
import type { Facts } from '../core/strategy.ts';
import type { PathTable } from '../streams/path-table.ts';
import { ConnectionCredentials } from './connection-credentials.ts';
import { Exchange } from './exchange.ts';
import { createIceLink } from './ice-link.ts';
import type { IceLink } from './ice-link-contract.ts';
import { followMapping } from './mapped-ports.ts';
import { createRelayLink, type RelayLink } from './relay-link.ts';
import { RELAY_PATIENCE, RelayedLink } from './relayed-link.ts';
import type { ConnectionRuntime, Evidence, RuntimeOptions, Send, Stop } from './runtime-contract.ts';
import { RuntimeServices } from './runtime-services.ts';
import { createSessionLink, type SessionLink } from './session-link.ts';
import { createSessionOpening, type SessionOpening } from './session-opening.ts';
import { createSignalLink, type SignalLink } from './signal-link.ts';
import { StrategySlots } from './strategy-slots.ts';

export function createConnectionRuntime(options: RuntimeOptions): ConnectionRuntime {
  return new LinkedRuntime(options);
}

const nothing: Stop = () => {};

/** ms from the beginning of one round of punching to that of the next, where nothing else says when. */
const ROUND = 1000;

/** Joins the links of a connection to each other and to its chart. */
class LinkedRuntime implements ConnectionRuntime {
  readonly services: RuntimeServices;
  readonly slots: StrategySlots;
  readonly #options: RuntimeOptions;
  readonly #isByHand: boolean;
  readonly #credentials: ConnectionCredentials;
  readonly #link: SessionLink;
  readonly #opening: SessionOpening;
  readonly #ice: IceLink;
  readonly #signal: SignalLink;
  readonly #relay: RelayLink;
  readonly #relayed: RelayedLink;
  readonly #exchange: Exchange;
  readonly #subscriptions = new Subscription();
  #send: Send = () => {};
  /** Says the first word, once enough is known for it. */
  #begin: () => void = nothing;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#isByHand = options.servers.every((server) => server.byHand === true);
    this.#credentials = new ConnectionCredentials(options);
    this.#link = createSessionLink({
      role: options.role === 'dialer' ? 'client' : 'server',
      factory: options.sessions,
      routers: options.routers,
      clock: options.env.clock,
    });
    const emit: Send = (event) => this.#send(event);
    this.#opening = this.#createOpening(emit);
    this.#ice = this.#createIce(emit);
    this.#signal = this.#createSignal(emit);
    this.#relay = this.#createRelay(emit);
    this.#relayed = this.#createRelayed(emit);
    this.#exchange = new Exchange({
      runtime: options,
      ice: this.#ice,
      signal: this.#signal,
      relay: this.#relay,
      relayed: this.#relayed,
      link: this.#link,
      opening: this.#opening,
      emit,
      onNegotiation: (message) => this.services.negotiation.receive(message, false),
      onFacts: () => this.#tellFacts(),
      onRestart: () => this.services.restart(),
    });
    this.services = new RuntimeServices({
      runtime: options,
      ice: this.#ice,
      link: this.#link,
      signal: this.#signal,
      relay: this.#relay,
      relayed: this.#relayed,
      facts: () => this.#facts(),
      credentials: () => this.#credentials.ofGeneration(this.#ice.generation),
      emit,
    });
    this.slots = new StrategySlots(this.services);
    // From its making on: the other side may have the first one ready when the session is established here.
    void this.#opening.secured.then(({ notes$ }) => notes$.subscribe((note) => this.services.negotiation.hear(note)));
    const heard$ = this.#link.table.observations$.pipe(filter(({ type }) => type === 'heard'));
    this.#subscriptions.add(heard$.subscribe(({ id }) => this.#ice.hear(id)));
    if (this.#isByHand) this.#relay.forbid('nothing is relayed by hand');
    if (this.#exchange.policy === 'direct-only') {
      for (const each of [this.#relay, this.#relayed]) each.forbid('the other side refuses relays');
    }
  }

  get secured(): ConnectionRuntime['secured'] {
    return this.#opening.secured;
  }

  get table(): PathTable {
    return this.#link.table;
  }

  handle(carrier: Signaling, event: SignalingEvent): void {
    this.#signal.handle(carrier, event);
  }

  signal(send: Send): Stop {
    this.#send = send;
    const { role, discovery } = this.#options;
    const exchange = this.#exchange;
    exchange.begin();
    let started = false;
    this.#begin = () => {
      // What people carry is said once, with all that is to be known of this side.
      if (started || (this.#isByHand && (!exchange.own.isComplete || this.#relayed.isAwaited))) return;
      started = true;
      this.#signal.start(role === 'dialer' ? (acquaintance) => exchange.makeOffer(acquaintance) : undefined);
    };
    this.#begin();
    this.#subscriptions.add(
      discovery.reachability$.subscribe(() => {
        this.#begin();
        exchange.look();
      }),
    );
    const { clock } = this.#options.env;
    const latest = this.#relayed.isAwaited ? clock.setTimeout(this.#begin, RELAY_PATIENCE) : undefined;
    this.#subscriptions.add(() => clock.clearTimeout(latest));
    return () => this.#end();
  }

  session(): Stop {
    this.#opening.follow();
    return nothing;
  }

  gather(send: Send): Stop {
    const subscription = this.#options.discovery.reachability$.subscribe(() => {
      if (this.#exchange.own.isComplete) send({ type: 'candidates.gathered' });
    });
    return () => subscription.unsubscribe();
  }

  map(send: Send): Stop {
    return followMapping(this.#options.ports, send);
  }

  watch(send: Send): Stop {
    const subscription = this.table.observations$.subscribe(({ type, id }) => {
      if (type === 'heard') return;
      if (type === 'suspect') {
        this.#ice.check();
        this.#relayed.check();
        this.#options.refresh();
      }
      send({ type: type === 'suspect' ? 'path.suspect' : 'path.alive', id });
    });
    return () => subscription.unsubscribe();
  }

  hedge(): Stop {
    this.table.hedge(true);
    this.#link.session?.pathChanged();
    return () => this.table.hedge(false);
  }

  recover(onRoundEnded: (callback: () => void) => void): Stop {
    const { clock } = this.#options.env;
    let timer: TimerHandle | undefined;
    onRoundEnded(() => {
      clock.clearTimeout(timer);
      const rest = this.slots.roundBegan + ROUND - clock.now();
      // A flow whose strategies all fail at once must not go round for ever.
      if (rest > 0) timer = clock.setTimeout(() => this.punchAgain(), rest);
      else this.punchAgain();
    });
    this.punchAgain();
    return () => clock.clearTimeout(timer);
  }

  punchAgain(): void {
    const isOver = !this.slots.has('punch') || this.#ice.isSpent;
    if (this.#options.policy !== 'relay-only' && isOver) this.#exchange.restart();
  }

  use(pathId: string | undefined): void {
    this.#link.use(pathId);
    this.#ice.use(pathId);
    this.#relayed.use(pathId);
    if (pathId !== undefined) this.#opening.open();
  }

  evidence(): Evidence {
    const { local, remote, behaviors } = this.#facts();
    return {
      local,
      remote,
      behaviors,
      pairs: this.#ice.snapshot()?.pairs ?? [],
      ports: this.#options.ports.current,
    };
  }

  #createOpening(send: Send): SessionOpening {
    const { role, introduction, offer } = this.#options;
    return createSessionOpening({
      link: this.#link,
      expectedKey: role === 'dialer' ? introduction.listenerKey : offer?.message.dialerKey,
      send,
      onEstablished: () => {
        this.services.authenticate();
        this.#exchange.prove();
      },
    });
  }

  #createIce(emit: Send): IceLink {
    const { env, role, routers, lobby, budget } = this.#options;
    return createIceLink({
      dialer: role === 'dialer',
      byHand: this.#isByHand,
      credentials: (generation) => this.#credentials.ofGeneration(generation),
      routers,
      network: env.network,
      lobby,
      clock: env.clock,
      random: env.random,
      loopback: env.loopback,
      budget,
      on: {
        validated: (path, preference) => {
          this.#link.addDirect(path);
          emit({ type: 'path.validated', path: { info: path.info, preference } });
        },
        early: (packet) => this.#link.accept([packet]),
        lost: (id, reason) => this.services.losePath(id, reason),
        confirmed: (id) => this.table.confirm(id),
        doubtful: (id) => this.table.doubt(id),
      },
    });
  }

  #createSignal(emit: Send): SignalLink {
    const { env, role, introduction, session, carriers, servers } = this.#options;
    return createSignalLink({
      role,
      introduction,
      session,
      carriers,
      servers,
      clock: env.clock,
      random: env.random,
      log: env.log,
      on: {
        message: (message, envelope) => this.#exchange.receive(message, envelope),
        bound: (carrier) => {
          this.#exchange.meet();
          this.#relay.bound(carrier);
        },
        unbound: (carrier, reason) => this.#relay.unbound(carrier, reason),
        gone: () => this.#exchange.miss(),
        refused: (failure) => emit({ type: 'offer.rejected', ...failure }),
        failed: (failure) => emit({ type: 'signaling.failed', ...failure }),
      },
    });
  }

  #createRelay(emit: Send): RelayLink {
    return createRelayLink({
      session: this.#options.session,
      bound: () => this.#signal.bound(),
      on: {
        opened: (path) => {
          this.#link.addRelayed(path);
          emit({ type: 'path.validated', path: { info: path.info, preference: 0 } });
        },
        lost: (id, reason) => this.services.losePath(id, reason),
      },
    });
  }

  #createRelayed(emit: Send): RelayedLink {
    return new RelayedLink({
      runtime: this.#options,
      byHand: this.#isByHand,
      credentials: this.#credentials,
      link: this.#link,
      known: () => this.#facts(),
      on: {
        allocated: () => {
          this.#exchange.look();
          this.#begin();
        },
        validated: ({ info }, preference) => emit({ type: 'path.validated', path: { info, preference } }),
        lost: (id, reason) => this.services.losePath(id, reason),
      },
    });
  }

  #facts(): Facts {
    const { role, discovery } = this.#options;
    const { own, policy, theirs } = this.#exchange;
    const behaviors = { mine: discovery.current.behavior, theirs };
    return { role, policy, local: own.current, remote: this.#ice.remotes, behaviors };
  }

  /** Only to those that ask for evidence on their way: most do not. */
  #tellFacts(): void {
    if (this.#options.asksEvidence) this.slots.tell(this.#facts());
  }

  #end(): void {
    this.#subscriptions.unsubscribe();
    this.services.end();
    this.#ice.stop();
    this.#relay.close();
    this.#link.close();
    this.#relayed.forbid('the connection has ended');
    this.#signal.close();
  }
}
