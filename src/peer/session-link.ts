import type { Clock } from '../core/clock.ts';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import type { Path } from '../core/path.ts';
import type { Session, SessionFactory } from '../core/session.ts';
import type { DirectPath } from '../streams/direct-path.ts';
import type { PacketHandler, PacketRouter } from '../streams/packet-router.ts';
import { createPathTable, type PathTable } from '../streams/path-table.ts';

export interface SessionLinkOptions {
  readonly role: 'client' | 'server';
  readonly factory: SessionFactory;
  readonly routers: readonly PacketRouter[];
  readonly clock: Clock;
}

/** Joins the session of a connection to its paths: packets in by tables, packets out by the path in use. */
export interface SessionLink {
  readonly table: PathTable;
  readonly session: Session | undefined;
  /** Makes the session once; a client's first flight is given back instead of sent while no path stands. */
  open(expectedKey: Uint8Array): readonly Uint8Array[];
  /** Packets of the session that come in on a socket other than the peer's own are handed on, from its beginning on. */
  follow(router: PacketRouter, receive: PacketHandler): void;
  /** Packets that came before the session was made, such as a first flight inside an offer. */
  accept(packets: readonly Uint8Array[]): void;
  addDirect(path: DirectPath): void;
  addRelayed(path: Path): void;
  remove(pathId: string): void;
  use(pathId: string | undefined): void;
  close(): void;
}

/** Packets kept for a session that is not made yet; the rest is left to retransmission. */
const MAX_EARLY = 8;

export function createSessionLink(options: SessionLinkOptions): SessionLink {
  return new RoutedSession(options);
}

class RoutedSession implements SessionLink {
  readonly table: PathTable;
  readonly #role: 'client' | 'server';
  readonly #factory: SessionFactory;
  readonly #routes: Route[];
  #session: Session | undefined;
  #flight: Uint8Array[] | undefined;
  #early: Uint8Array[] = [];
  /**
   * Direct paths over UDP by their remote address, for packets that the routers hand over by connection id. After an ICE restart two
   * generations may have a path to the same one.
   */
  readonly #directs = new Map<string, readonly DirectPath[]>();
  readonly #registrations: (() => void)[] = [];

  constructor({ role, factory, routers, clock }: SessionLinkOptions) {
    this.#role = role;
    this.#factory = factory;
    const receive: PacketHandler = (packet, from) => this.#receiveFrom(packet, from);
    this.#routes = routers.map((router) => ({ router, receive }));
    this.table = createPathTable({
      clock,
      receive: (packet) => this.#receive(packet),
      authenticate: (packet) => this.#authenticate(packet),
      isWaiting: () => this.#session?.isWaiting() ?? false,
      rtt: () => this.#session?.stats().rtt ?? 0,
    });
  }

  get session(): Session | undefined {
    return this.#session;
  }

  open(expectedKey: Uint8Array): readonly Uint8Array[] {
    if (this.#session !== undefined) return [];
    this.#flight = this.table.current === undefined ? [] : undefined;
    const session = this.#factory.create({
      role: this.#role,
      expectedKey,
      transmit: (packet) => this.#transmit(packet),
    });
    this.#session = session;
    const captured = this.#flight ?? [];
    this.#flight = undefined;
    for (const route of this.#routes) this.#register(route, session);
    for (const packet of this.#early) session.receive(packet);
    this.#early = [];
    return captured;
  }

  follow(router: PacketRouter, receive: PacketHandler): void {
    const route = { router, receive };
    if (this.#session === undefined) this.#routes.push(route);
    else this.#register(route, this.#session);
  }

  accept(packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.#receive(packet);
  }

  addDirect(path: DirectPath): void {
    if (path.info.transport !== 'tcp') {
      const key = formatEndpoint(path.remote);
      const others = (this.#directs.get(key) ?? []).filter(({ info }) => info.id !== path.info.id);
      this.#directs.set(key, [...others, path]);
    }
    this.table.add(path);
  }

  addRelayed(path: Path): void {
    this.table.add(path);
  }

  remove(pathId: string): void {
    for (const [key, paths] of this.#directs) {
      const others = paths.filter(({ info }) => info.id !== pathId);
      if (others.length === 0) this.#directs.delete(key);
      else this.#directs.set(key, others);
    }
    this.table.remove(pathId);
  }

  use(pathId: string | undefined): void {
    if (this.table.current?.id === pathId) return;
    this.table.use(pathId);
    if (pathId !== undefined) this.#session?.pathChanged();
  }

  close(): void {
    for (const release of this.#registrations) release();
    this.#directs.clear();
    this.table.close();
  }

  #register({ router, receive }: Route, { connectionId }: Session): void {
    this.#registrations.push(router.onPacket(connectionId, receive));
  }

  #receive(packet: Uint8Array): void {
    if (this.#session !== undefined) this.#session.receive(packet);
    else if (this.#early.length < MAX_EARLY) this.#early.push(packet.slice());
  }

  #authenticate(packet: Uint8Array): boolean {
    if (this.#session !== undefined) return this.#session.authenticate(packet);
    this.#receive(packet);
    return false;
  }

  #receiveFrom(packet: Uint8Array, from: Endpoint): void {
    const paths = this.#directs.get(formatEndpoint(from));
    if (paths === undefined) this.#receive(packet);
    else this.#choose(paths).receive(packet);
  }

  /** Of paths that a packet may have come by, the one in use, or the latest. */
  #choose(paths: readonly DirectPath[]): DirectPath {
    if (paths.length === 1) return paths[0]!;
    const current = this.table.current?.id;
    return paths.find(({ info }) => info.id === current) ?? paths.at(-1)!;
  }

  #transmit(packet: Uint8Array): void {
    if (this.#flight !== undefined) this.#flight.push(packet.slice());
    else this.table.send(packet);
  }
}

/** A socket, and who takes the session's packets there. */
interface Route {
  readonly router: PacketRouter;
  readonly receive: PacketHandler;
}
