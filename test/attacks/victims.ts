import { firstValueFrom } from 'rxjs';
import { createIdentity } from '../../src/adapters/node/identity.ts';
import { quicSessions } from '../../src/adapters/session/quic/index.ts';
import type { Identity } from '../../src/core/identity.ts';
import type { Log } from '../../src/core/log.ts';
import type { Session, SessionFactory } from '../../src/core/session.ts';
import type { Connection } from '../../src/peer/connection.ts';
import type { TicketOptions } from '../../src/peer/ticket-book.ts';
import { decodeTicket, iceCredentials, type Ticket } from '../../src/protocol/rendezvous/index.ts';
import { receiveAll, sendAll, streamBetween } from '../peer/transfer.ts';
import type { Inhabitant, InhabitantOptions, World } from '../peer/world.ts';

/** Two peers that mean each other well, and what the test sees of them that nobody else does. */
export interface Victims {
  readonly listener: Inhabitant;
  readonly dialer: Inhabitant;
  readonly text: string;
  readonly ticket: Ticket;
  /** Connections that the listener has let in. */
  readonly incoming: readonly Connection[];
}

export interface VictimsOptions {
  readonly listener?: InhabitantOptions;
  readonly dialer?: InhabitantOptions;
  readonly ticket?: TicketOptions;
}

export async function victims(world: World, options: VictimsOptions = {}): Promise<Victims> {
  const listener = await world.inhabitant(options.listener);
  const dialer = await world.inhabitant(options.dialer);
  const incoming: Connection[] = [];
  listener.peer.incoming$.subscribe((connection) => incoming.push(connection));
  const text = await listener.peer.createTicket(options.ticket);
  return { listener, dialer, text, ticket: decodeTicket(text), incoming };
}

/** Both ends of a connection that stands. */
export interface Standing extends Victims {
  readonly here: Connection;
  readonly there: Connection;
}

export async function connected(world: World, options: VictimsOptions = {}): Promise<Standing> {
  const pair = await victims(world, options);
  const accepted = firstValueFrom(pair.listener.peer.incoming$);
  const here = pair.dialer.peer.connect(pair.text);
  await here.ready;
  return { ...pair, here, there: await accepted };
}

/** The bytes that each side got of what the other one sent: `said` both times, if the connection is what it claims to be. */
export async function exchange(
  { here, there }: Pick<Standing, 'here' | 'there'>,
  said: Uint8Array = PAYLOAD,
): Promise<readonly Uint8Array[]> {
  return Promise.all([oneWay(here, there, said), oneWay(there, here, said)]);
}

export const PAYLOAD = Buffer.from('the payload that nobody else may read');

/** What {@link exchange} gives when all is well. */
export const EXCHANGED: readonly Uint8Array[] = [PAYLOAD, PAYLOAD];

async function oneWay(from: Connection, to: Connection, said: Uint8Array): Promise<Uint8Array> {
  const [opened, accepted] = await streamBetween(from, to);
  const [received] = await Promise.all([receiveAll(accepted), sendAll(opened, said)]);
  await accepted.end();
  return received;
}

/** The credentials of both sides, as one who holds the ticket and knows the session id derives them. */
export function credentialsOf({ secret }: Ticket, { id }: Connection, generation = 0) {
  return iceCredentials(secret, Buffer.from(id, 'hex'), generation);
}

/** A log that keeps the reasons of one kind of event. */
export function reasonsOf(...kinds: readonly string[]): { readonly reasons: readonly string[]; readonly log: Log } {
  const reasons: string[] = [];
  return {
    reasons,
    log(event, details) {
      if (kinds.includes(event)) reasons.push(String(details?.reason ?? details?.code ?? event));
    },
  };
}

/** Sessions of a peer that the test can look at; the peer is none the wiser. */
export function watchedSessions(): {
  readonly sessions: (identity: Identity) => Promise<SessionFactory>;
  readonly made: readonly Session[];
} {
  const made: Session[] = [];
  return {
    made,
    async sessions(identity) {
      const factory = await quicSessions(identity);
      return {
        ...factory,
        create(options) {
          const session = factory.create(options);
          made.push(session);
          return session;
        },
      };
    },
  };
}

/** Sessions that prove a fresh key, whatever key the peer claims. */
export const impostorSessions = (): Promise<SessionFactory> => quicSessions(createIdentity());
