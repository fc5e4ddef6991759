import { filter, firstValueFrom, type Observable, type Subscription } from 'rxjs';
import type { Environment } from '../core/environment.ts';
import { TraversalError } from '../core/errors.ts';
import type { Identity } from '../core/identity.ts';
import type { Policy } from '../core/policy.ts';
import type { Registration, Signaling } from '../core/signaling.ts';
import { isStunServer, MAX_TICKET_SERVERS, sealStanding } from '../protocol/rendezvous/index.ts';
import type { Carriers } from './carriers.ts';
import type { Discovery } from './discovery.ts';
import { toldCandidates } from './local-candidates.ts';
import { createTicketBook, type TicketBook, type TicketOptions } from './ticket-book.ts';

export interface RegistrarOptions {
  readonly env: Environment;
  readonly identity: Identity;
  readonly carriers: Carriers;
  readonly discovery: Discovery;
  readonly policy: Policy;
}

/** Keeps a listening peer registered, its standing answers true to its candidates and tickets. */
export interface Registrar {
  readonly tickets: TicketBook;
  createTicket(options?: TicketOptions): Promise<string>;
  /** Which tickets are valid has changed. */
  refresh(): void;
  close(): void;
}

export function createRegistrar(options: RegistrarOptions): Registrar {
  const { env, identity, carriers, discovery, policy } = options;
  const tickets = createTicketBook(identity.publicKey, env);
  let following: Subscription | undefined;
  const servers = (): readonly Signaling[] => carriers.ensure(env.servers);

  const register = (): void => {
    if (carriers.isReplaced(servers())) return;
    const { candidates, behavior } = discovery.current;
    const registration: Registration = {
      key: identity.publicKey,
      sign: (message) => identity.sign(message),
      standing: tickets.valid.map(({ id, secret }) => ({
        ticketId: id,
        envelope: sealStanding({
          secret,
          listenerKey: identity.publicKey,
          random: env.random,
          message: {
            type: 'standing',
            issuedAt: env.clock.wallTime(),
            candidates: toldCandidates(candidates, policy),
            behavior,
          },
        }),
      })),
    };
    for (const server of servers()) server.register(registration);
  };

  /** Fulfils when a server is online; errors when none can be reached. */
  const whenOnline = async (): Promise<void> => {
    const states = () => servers().map((server) => carriers.statusOf(server));
    const decided$ = carriers.statuses$.pipe(
      filter(
        () => states().some(({ state }) => state === 'online') || states().every(({ state }) => state === 'offline'),
      ),
    );
    await firstOf(decided$);
    const offline = states().find((status) => status.state === 'offline');
    if (states().some(({ state }) => state === 'online') || offline === undefined) return;
    throw new TraversalError(offline.code, offline.reason);
  };

  /** Fulfils when a server has registered this peer; errors when every server that is online has refused. */
  const whenRegistered = async (): Promise<void> => {
    const refusals = new Map<Signaling, TraversalError>();
    const decided$ = carriers.events$.pipe(
      filter(({ carrier, event }) => {
        if (event.type === 'registered') return true;
        if (event.type === 'error') refusals.set(carrier, new TraversalError(event.code, event.message));
        if (event.type === 'replaced') refusals.set(carrier, REPLACED());
        return servers().every((server) => refusals.has(server) || carriers.statusOf(server).state !== 'online');
      }),
    );
    const { carrier, event } = await firstOf(decided$);
    if (event.type !== 'registered') throw refusals.get(carrier) ?? REPLACED();
  };

  /** STUN servers for the ticket: those that were configured, or that our own rendezvous servers run. */
  const ticketStun = (): readonly string[] =>
    (env.stun.length > 0 ? env.stun : carriers.stun).filter(isStunServer).slice(0, MAX_TICKET_SERVERS);

  return {
    tickets,
    async createTicket(ticketOptions) {
      if (env.servers.length === 0) {
        throw new TraversalError(
          'ERR_USAGE',
          'a ticket names a rendezvous server: give at least one (--server ws://..)',
        );
      }
      if (carriers.isReplaced(servers())) throw REPLACED();
      await whenOnline();
      const ticket = tickets.issue({ servers: env.servers, stun: ticketStun() }, ticketOptions);
      const registered = whenRegistered();
      if (following === undefined) following = discovery.reachability$.subscribe(register);
      else register();
      await registered;
      return ticket.text;
    },
    refresh: register,
    close: () => following?.unsubscribe(),
  };
}

const REPLACED = (): TraversalError =>
  new TraversalError('ERR_REGISTRATION_REPLACED', 'another process registered this identity');

/** The first value of a stream of the carriers, which ends without one only when the peer is closed. */
async function firstOf<T>(source: Observable<T>): Promise<T> {
  const value = await firstValueFrom(source, { defaultValue: undefined });
  if (value === undefined) throw new TraversalError('ERR_CLOSED', 'the peer has been closed');
  return value;
}
