import type { Clock } from '../core/clock.ts';
import { type Endpoint, formatEndpoint } from '../core/endpoint.ts';
import type { Path } from '../core/path.ts';
import type { Session, SessionFactory } from '../core/session.ts';
import type { DirectPath } from '../streams/direct-path.ts';
import type { PacketRouter } from '../streams/packet-router.ts';
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

export function createSessionLink({ role, factory, routers, clock }: SessionLinkOptions): SessionLink {
  let session: Session | undefined;
  let flight: Uint8Array[] | undefined;
  let early: Uint8Array[] = [];
  /** Direct paths over UDP by their remote address, for packets that the routers hand over by connection id. */
  const directs = new Map<string, DirectPath>();
  const registrations: (() => void)[] = [];

  const receive = (packet: Uint8Array): void => {
    if (session !== undefined) session.receive(packet);
    else if (early.length < MAX_EARLY) early.push(packet.slice());
  };

  const authenticate = (packet: Uint8Array): boolean => {
    if (session !== undefined) return session.authenticate(packet);
    receive(packet);
    return false;
  };

  const table = createPathTable({
    clock,
    receive,
    authenticate,
    isWaiting: () => session?.isWaiting() ?? false,
    rtt: () => session?.stats().rtt ?? 0,
  });

  const receiveFrom = (packet: Uint8Array, from: Endpoint): void => {
    const path = directs.get(formatEndpoint(from));
    if (path === undefined) receive(packet);
    else path.receive(packet);
  };

  const transmit = (packet: Uint8Array): void => {
    if (flight !== undefined) flight.push(packet.slice());
    else table.send(packet);
  };

  return {
    table,
    get session() {
      return session;
    },
    open(expectedKey) {
      if (session !== undefined) return [];
      flight = table.current === undefined ? [] : undefined;
      session = factory.create({ role, expectedKey, transmit });
      const captured = flight ?? [];
      flight = undefined;
      for (const router of routers) registrations.push(router.onPacket(session.connectionId, receiveFrom));
      for (const packet of early) session.receive(packet);
      early = [];
      return captured;
    },
    accept(packets) {
      for (const packet of packets) receive(packet);
    },
    addDirect(path) {
      if (path.info.transport === 'udp') directs.set(formatEndpoint(path.remote), path);
      table.add(path);
    },
    addRelayed: (path) => table.add(path),
    remove(pathId) {
      for (const [key, path] of directs) if (path.info.id === pathId) directs.delete(key);
      table.remove(pathId);
    },
    use(pathId) {
      if (table.current?.id === pathId) return;
      table.use(pathId);
      if (pathId !== undefined) session?.pathChanged();
    },
    close() {
      for (const release of registrations) release();
      directs.clear();
      table.close();
    },
  };
}
