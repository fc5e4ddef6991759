import type { Subject } from 'rxjs';
import type { Environment } from '../core/environment.ts';
import { asTraversalError, TraversalError } from '../core/errors.ts';
import { toHex } from '../core/hex.ts';
import type { Identity } from '../core/identity.ts';
import { commonPolicy, type Policy } from '../core/policy.ts';
import type { SessionFactory } from '../core/session.ts';
import type { Signaling, SignalingEvent } from '../core/signaling.ts';
import type { ConnectionDelays } from '../machines/connection-setup.ts';
import {
  createEnvelopeChannel,
  type EnvelopeChannel,
  envelopeHash,
  type OfferMessage,
  type Ticket,
} from '../protocol/rendezvous/index.ts';
import type { PacketRouter } from '../streams/packet-router.ts';
import type { CarrierEvent, Carriers } from './carriers.ts';
import { type Connection, createConnection, type StartableConnection } from './connection.ts';
import { connectionLogic } from './connection-logic.ts';
import { createConnectionRuntime } from './connection-runtime.ts';
import type { Discovery } from './discovery.ts';
import type { ConnectOptions, Dialer, PeerOptions } from './peer.ts';
import type { ConnectionRuntime, RuntimeOptions } from './runtime-contract.ts';
import type { IssuedTicket, TicketBook } from './ticket-book.ts';

export interface ConnectionsOptions {
  readonly env: Environment;
  readonly policy: Policy;
  readonly accept: NonNullable<PeerOptions['accept']>;
  readonly delays: ConnectionDelays;
  readonly identity: Identity;
  readonly sessions: SessionFactory;
  readonly routers: readonly PacketRouter[];
  readonly discovery: Discovery;
  readonly carriers: Carriers;
  readonly tickets: TicketBook;
  readonly incoming: Subject<Connection>;
  readonly onTicketBurnt: () => void;
  /** Asks for a fresh look at the network. */
  readonly refresh: () => void;
}

/** All connections of a peer: dialed ones, and those that knock with a ticket. */
export interface Connections {
  dial(ticket: Ticket, options?: ConnectOptions): Connection;
  close(): Promise<void>;
}

/** An offer that could be opened, so its sender holds the ticket. */
interface OpenedOffer {
  readonly carrier: Signaling;
  readonly session: Uint8Array;
  readonly ticket: IssuedTicket;
  readonly channel: EnvelopeChannel;
  readonly message: OfferMessage;
  readonly hash: Uint8Array;
}

export function createConnections(options: ConnectionsOptions): Connections {
  const { env, identity, policy, carriers, tickets } = options;
  const runtimes = new Map<string, ConnectionRuntime>();
  const connections = new Map<string, Connection>();
  const machine = connectionLogic(runtimes);
  /** Sessions whose offer is being decided on, with what else has come for them, from other servers too. */
  const deciding = new Map<string, CarrierEvent[]>();
  /** By ticket: connections that are not established yet. Whoever holds one ticket cannot make us work without bound. */
  const halfOpen = new Map<IssuedTicket, number>();
  /** By ticket for one connection: the last attempt in the queue. */
  const turns = new Map<IssuedTicket, Promise<void>>();
  let closed = false;

  const begin = (
    specific: Pick<RuntimeOptions, 'role' | 'ticket' | 'session' | 'channel' | 'servers' | 'offer'>,
    remoteKey: Uint8Array,
    delays: ConnectionDelays,
  ): StartableConnection => {
    const id = toHex(specific.session);
    const runtime = createConnectionRuntime({ ...options, ...specific, ownKey: identity.publicKey });
    runtimes.set(id, runtime);
    const connection = createConnection({
      machine,
      input: { id, role: specific.role, policy, delays },
      runtime,
      remoteKey,
      env,
      onEnd(released) {
        runtimes.delete(id);
        released.then(() => connections.delete(id));
      },
    });
    connections.set(id, connection);
    return connection;
  };

  const dial = (ticket: Ticket, { signal, timeout, servers = ticket.servers }: ConnectOptions = {}): Connection => {
    const session = env.random.bytes(16);
    const { key: listenerKey, secret } = ticket;
    const channel = createEnvelopeChannel({ secret, session, listenerKey, role: 'dialer', random: env.random });
    const connection = begin(
      { role: 'dialer', ticket, session, channel, servers: carriers.ensure(servers) },
      listenerKey,
      { ...options.delays, ...(timeout !== undefined && { traversing: timeout }) },
    );
    const abort = (): void => connection.abort('aborted by the caller’s signal');
    signal?.addEventListener('abort', abort, { once: true });
    connection.verdict.then(() => signal?.removeEventListener('abort', abort));
    connection.start();
    if (signal?.aborted) abort();
    return connection;
  };

  const route = (carrier: Signaling, event: SignalingEvent): void => {
    if (!('session' in event) || event.session === undefined) return;
    const runtime = runtimes.get(toHex(event.session));
    if (runtime !== undefined) runtime.handle(carrier, event);
    else if (event.type === 'offer') receiveOffer(carrier, event);
  };

  const receiveOffer = (carrier: Signaling, event: Extract<SignalingEvent, { type: 'offer' }>): void => {
    const id = toHex(event.session);
    const waiting = deciding.get(id);
    if (waiting !== undefined) {
      if (waiting.length < MAX_WAITING) waiting.push({ carrier, event });
      return;
    }
    const opened = openOffer(carrier, event);
    if (opened === undefined) return;
    const underWay = (halfOpen.get(opened.ticket) ?? 0) + 1;
    if (underWay > MAX_HALF_OPEN) {
      reject(opened, new TraversalError('ERR_BUSY', `${MAX_HALF_OPEN} connections with this ticket are being made`));
      return;
    }
    halfOpen.set(opened.ticket, underWay);
    deciding.set(id, []);
    inTurn(opened.ticket, () => decide(opened)).finally(() => {
      deciding.delete(id);
      const left = (halfOpen.get(opened.ticket) ?? 1) - 1;
      if (left > 0) halfOpen.set(opened.ticket, left);
      else halfOpen.delete(opened.ticket);
    });
  };

  /** Attempts with a ticket for one connection come one after the other: nobody is let in first and sent away then. */
  const inTurn = async (ticket: IssuedTicket, attempt: () => Promise<void>): Promise<void> => {
    if (!ticket.once) return attempt();
    const turn = (turns.get(ticket) ?? Promise.resolve()).then(attempt);
    turns.set(ticket, turn);
    await turn;
    if (turns.get(ticket) === turn) turns.delete(ticket);
  };

  /** Fulfils when the offer has been rejected, or its connection is established or has failed. */
  const decide = async (opened: OpenedOffer): Promise<void> => {
    try {
      await admit(opened);
    } catch (error) {
      return reject(opened, asTraversalError(error, 'ERR_OFFER_REJECTED'));
    }
    if (!closed) await listen(opened);
  };

  /** Nothing is answered to those who do not hold a ticket. */
  const openOffer = (carrier: Signaling, { session, ticketId, envelope }: OfferEvent): OpenedOffer | undefined => {
    const ticket = tickets.find(ticketId);
    if (ticket === undefined) {
      carrier.leave(session);
      return undefined;
    }
    const { key: listenerKey, secret } = ticket;
    const open = (firstSequence?: number) =>
      createEnvelopeChannel({ secret, session, listenerKey, role: 'listener', random: env.random, firstSequence });
    const channel = open();
    try {
      const message = channel.open(envelope);
      if (message.type === 'offer') {
        return { carrier, session, ticket, channel, message, hash: envelopeHash(envelope) };
      }
      reject(
        { carrier, session, channel: open(LAST_SEQUENCE) },
        new TraversalError('ERR_PEER_GONE', 'the listener no longer knows this connection'),
      );
    } catch (error) {
      env.log('offer.dropped', { carrier: carrier.name, reason: String(error) });
    }
    return undefined;
  };

  const admit = async ({ ticket, session, message }: OpenedOffer): Promise<void> => {
    if (Buffer.compare(message.listenerKey, identity.publicKey) !== 0) {
      throw new TraversalError('ERR_PEER_KEY', 'the offer is meant for another key');
    }
    tickets.check(ticket);
    ticket.offers.accept({ session, issuedAt: message.issuedAt }, env.clock.wallTime());
    if (commonPolicy(policy, message.policy) === undefined) {
      throw new TraversalError('ERR_POLICY', `one side is ${policy}, the other ${message.policy}`);
    }
    if (!(await isAccepted({ key: message.dialerKey, ticket: ticket.text }))) {
      throw new TraversalError('ERR_OFFER_REJECTED', 'the listener does not let this key in');
    }
  };

  /** What goes wrong in `accept` is for this side's log only. */
  const isAccepted = async (dialer: Dialer): Promise<boolean> => {
    try {
      return await options.accept(dialer);
    } catch (error) {
      env.log('accept.failed', { error: String(error) });
      return false;
    }
  };

  const listen = async ({ carrier, session, ticket, channel, message, hash }: OpenedOffer): Promise<void> => {
    const connection = begin(
      { role: 'listener', ticket, session, channel, servers: [carrier], offer: { message, hash } },
      message.dialerKey,
      options.delays,
    );
    connection.start();
    for (const { carrier, event } of deciding.get(connection.id) ?? []) route(carrier, event);
    try {
      await connection.ready;
    } catch (error) {
      env.log('incoming.failed', { id: connection.id, error: String(error) });
      return;
    }
    if (ticket.once) {
      tickets.burn(ticket);
      options.onTicketBurnt();
    }
    options.incoming.next(connection);
  };

  const reject = (
    { carrier, session, channel }: Pick<OpenedOffer, 'carrier' | 'session' | 'channel'>,
    { code, message }: TraversalError,
  ): void => {
    env.log('offer.rejected', { code, message });
    carrier.send(session, channel.seal({ type: 'reject', code, message }));
    carrier.leave(session);
  };

  const subscription = carriers.events$.subscribe(({ carrier, event }) => route(carrier, event));

  return {
    dial,
    async close() {
      closed = true;
      await Promise.all([...connections.values()].map((connection) => connection.close()));
      subscription.unsubscribe();
    },
  };
}

/** Offers of one session that wait for a decision on the first of them: a ticket names at most 8 servers. */
const MAX_WAITING = 8;

/** Connections that may be under way at once with one ticket. */
const MAX_HALF_OPEN = 32;

/** A session that is unknown here was made by an earlier run: its dialer takes only what comes after all that it has seen. */
const LAST_SEQUENCE = 2 ** 32 - 1;

type OfferEvent = Extract<SignalingEvent, { type: 'offer' }>;
