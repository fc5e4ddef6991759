import type { Subject } from 'rxjs';
import type { Environment } from '../core/environment.ts';
import { asTraversalError } from '../core/errors.ts';
import { toHex } from '../core/hex.ts';
import type { Identity } from '../core/identity.ts';
import type { Policy } from '../core/policy.ts';
import type { SessionFactory } from '../core/session.ts';
import type { Signaling, SignalingEvent } from '../core/signaling.ts';
import { asksForEvidence, type Flow, type Scores } from '../flows/index.ts';
import type { ConnectionDelays } from '../machines/connection-setup.ts';
import type { Inspect } from '../machines/inspect.ts';
import { createCheckBudget } from '../protocol/ice/index.ts';
import { type ContactKey, createEnvelopeChannel, type Ticket, ticketId } from '../protocol/rendezvous/index.ts';
import { createProbeBudget } from '../protocol/spray/index.ts';
import type { PacketRouter } from '../streams/packet-router.ts';
import type { TcpLobby } from '../streams/tcp-lobby.ts';
import type { Admission } from './admission.ts';
import type { CarrierEvent, Carriers } from './carriers.ts';
import { type Connection, createConnection, type StartableConnection } from './connection.ts';
import { connectionLogic } from './connection-logic.ts';
import { createConnectionRuntime } from './connection-runtime.ts';
import { createContactBook } from './contact-book.ts';
import { createDeskHost } from './desk-host.ts';
import type { Discovery } from './discovery.ts';
import { createDoorkeeper } from './doorkeeper.ts';
import { followConnection } from './follow-connection.ts';
import { type Introduction, knownIntroduction } from './introduction.ts';
import { keyIntroduction } from './key-introduction.ts';
import type { MappedPorts } from './mapped-ports.ts';
import { createOfferOpener, type OpenedOffer } from './offer-opener.ts';
import type { ConnectOptions } from './peer.ts';
import type { PeerObserver } from './peer-observer.ts';
import type { ConnectionRuntime, RuntimeOptions } from './runtime-contract.ts';
import { Scoring } from './scoring.ts';
import { createStrategyHost } from './strategy-host.ts';
import type { TicketBook } from './ticket-book.ts';

export interface ConnectionsOptions {
  readonly env: Environment;
  readonly flow: Flow;
  readonly scores: Scores | undefined;
  readonly policy: Policy;
  readonly admission: Admission;
  readonly delays: ConnectionDelays;
  readonly identity: Identity;
  /** Absent: nobody is taken without a ticket. */
  readonly contactKey: ContactKey | undefined;
  readonly sessions: SessionFactory;
  readonly routers: readonly PacketRouter[];
  readonly lobby?: TcpLobby;
  readonly discovery: Discovery;
  readonly ports: MappedPorts;
  readonly carriers: Carriers;
  readonly tickets: TicketBook;
  readonly incoming: Subject<Connection>;
  readonly inspect: Inspect | undefined;
  readonly observer: PeerObserver | undefined;
  readonly onTicketBurnt: () => void;
  /** Asks for a fresh look at the network. */
  readonly refresh: () => void;
  /** STUN servers that are known by now, `host:port`. */
  readonly stun: () => readonly string[];
}

/** All connections of a peer: dialed ones, and those of dialers that were let in. */
export interface Connections {
  dialTicket(ticket: Ticket, options: ConnectOptions): Connection;
  /** `key`: the listener's, 32 bytes. */
  dialKey(key: Uint8Array, options: DialOptions): Connection;
  close(): Promise<void>;
}

type DialOptions = ConnectOptions & { readonly servers: readonly string[] };

export function createConnections(options: ConnectionsOptions): Connections {
  const { env, flow, identity, policy, carriers, tickets } = options;
  const { random } = env;
  const runtimes = new Map<string, ConnectionRuntime>();
  const connections = new Map<string, Connection>();
  const host = createStrategyHost(runtimes);
  const desk = createDeskHost({ punch: flow.spec.punch, host, clock: env.clock, inspect: options.inspect });
  const machine = connectionLogic(flow, runtimes, host);
  const asksEvidence = dependsOnFacts(flow);
  const budget = createCheckBudget();
  const probes = createProbeBudget();
  /** What connections may send on the word of the same other side. */
  const shareOf = (who: Uint8Array): Pick<RuntimeOptions, 'budget' | 'probes'> => {
    const name = toHex(who);
    return { budget: budget.share(name), probes: probes.share(name) };
  };
  const contacts = createContactBook();
  const { scores } = options;
  const scoring = scores && new Scoring({ scores, punch: flow.spec.punch, random });

  const begin = (
    specific: Pick<RuntimeOptions, 'role' | 'introduction' | 'session' | 'servers' | 'budget' | 'probes' | 'offer'>,
    remoteKey: Uint8Array,
    delays: ConnectionDelays,
  ): StartableConnection => {
    const id = toHex(specific.session);
    const runtime = createConnectionRuntime({
      ownKey: identity.publicKey,
      desk,
      scoring,
      asksEvidence,
      ...options,
      ...specific,
    });
    runtimes.set(id, runtime);
    const connection = createConnection({
      machine,
      input: { id, role: specific.role, policy, delays },
      runtime,
      remoteKey,
      env,
      inspect: options.inspect,
      onEnd(released) {
        runtimes.delete(id);
        released.then(() => connections.delete(id));
      },
    });
    connections.set(id, connection);
    if (options.observer !== undefined) followConnection(connection, runtime, env.clock, options.observer);
    return connection;
  };

  const dial = (
    introduce: (session: Uint8Array) => Introduction,
    { servers, stun, signal, timeout }: DialOptions & { readonly stun?: readonly string[] },
  ): Connection => {
    const session = random.bytes(16);
    const introduction = introduce(session);
    const { listenerKey } = introduction;
    const lease = carriers.lease(servers, stun);
    const patience = lease.carriers.every((carrier) => carrier.byHand) ? BY_HAND : options.delays.traversing;
    const connection = begin(
      { role: 'dialer', introduction, session, servers: lease.carriers, ...shareOf(listenerKey) },
      listenerKey,
      { ...options.delays, traversing: timeout ?? patience },
    );
    const abort = (): void => connection.abort('aborted by the caller’s signal');
    signal?.addEventListener('abort', abort, { once: true });
    connection.verdict.then(async () => {
      signal?.removeEventListener('abort', abort);
      await connection.close();
      lease.release();
    });
    connection.start();
    if (signal?.aborted) abort();
    return connection;
  };

  const letIn = async (opened: OpenedOffer, waiting: readonly CarrierEvent[]): Promise<void> => {
    const { carrier, session, ticket, acquaintance, message, hash } = opened;
    const introduction = knownIntroduction(identity.publicKey, acquaintance);
    // Whoever holds a ticket may name any key.
    const share = shareOf(ticket?.id ?? message.dialerKey);
    const connection = begin(
      { role: 'listener', introduction, session, servers: [carrier], ...share, offer: { message, hash } },
      message.dialerKey,
      options.delays,
    );
    connection.start();
    for (const { carrier, event } of waiting) route(carrier, event);
    try {
      await connection.ready;
    } catch (error) {
      const { code, message } = asTraversalError(error, 'ERR_PROTOCOL');
      env.log('incoming.failed', { id: connection.id, code, message });
      return;
    }
    if (ticket?.once) {
      tickets.burn(ticket);
      options.onTicketBurnt();
    }
    options.incoming.next(connection);
  };

  const doorkeeper = createDoorkeeper({
    env,
    key: identity.publicKey,
    policy,
    admission: options.admission,
    tickets,
    opener: createOfferOpener({ env, key: identity.publicKey, tickets, contactKey: options.contactKey }),
    patience: options.delays.traversing,
    letIn,
  });

  const route = (carrier: Signaling, event: SignalingEvent): void => {
    if (!('session' in event) || event.session === undefined) return;
    const runtime = runtimes.get(toHex(event.session));
    if (runtime !== undefined) runtime.handle(carrier, event);
    else if (event.type === 'offer') doorkeeper.receive(carrier, event);
    else if (event.type === 'unreachable') doorkeeper.miss(carrier, event.session);
  };

  const subscription = carriers.events$.subscribe(({ carrier, event }) => route(carrier, event));

  return {
    dialTicket(ticket, connectOptions) {
      const { key: listenerKey, secret } = ticket;
      const introduce = (session: Uint8Array): Introduction =>
        knownIntroduction(listenerKey, {
          secret,
          id: ticketId(secret),
          preface: new Uint8Array(0),
          channel: createEnvelopeChannel({ secret, session, listenerKey, role: 'dialer', random }),
        });
      return dial(introduce, {
        ...connectOptions,
        servers: connectOptions.servers ?? ticket.servers,
        stun: ticket.stun,
      });
    },
    dialKey: (listenerKey, connectOptions) =>
      dial((session) => keyIntroduction({ listenerKey, session, identity, contacts, random }), connectOptions),
    async close() {
      doorkeeper.close();
      await Promise.all([...connections.values()].map((connection) => connection.close()));
      subscription.unsubscribe();
    },
  };
}

/** ms that a dialer waits for people to carry its offer: as long as an offer is fresh. */
const BY_HAND = 10 * 60_000;

/** Whether what is known on the way changes what its connections try. */
function dependsOnFacts({ spec: { punch, fallback } }: Flow): boolean {
  return asksForEvidence(punch) || (fallback !== undefined && asksForEvidence(fallback));
}
