import { filter, firstValueFrom, type Observable, type Subscription } from 'rxjs';
import type { Environment } from '../core/environment.ts';
import { TraversalError } from '../core/errors.ts';
import type { Identity } from '../core/identity.ts';
import type { Policy } from '../core/policy.ts';
import { sealStanding } from '../protocol/rendezvous/index.ts';
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
  readonly stunServers: () => readonly string[];
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
  const { env, identity, carriers, discovery, policy, stunServers } = options;
  const tickets = createTicketBook(identity.publicKey, env);
  let following: Subscription | undefined;
  let replaced = false;

  carriers.events$.pipe(filter(({ event }) => event.type === 'replaced')).subscribe(() => {
    replaced = true;
    following?.unsubscribe();
  });

  const register = (): void => {
    if (replaced) return;
    const { candidates, behavior } = discovery.current;
    carriers.register({
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
    });
  };

  /** Fulfils when a server is online; errors when none can be reached. */
  const whenOnline = async (): Promise<void> => {
    const states = () => servers.map((server) => carriers.statusOf(server));
    const servers = carriers.ensure(env.servers);
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

  const whenRegistered = async (): Promise<void> => {
    const { event } = await firstOf(
      carriers.events$.pipe(filter(({ event }) => ['registered', 'replaced', 'error'].includes(event.type))),
    );
    if (event.type === 'error') throw new TraversalError(event.code, event.message);
    refuseReplaced();
  };

  const refuseReplaced = (): void => {
    if (replaced) throw new TraversalError('ERR_REGISTRATION_REPLACED', 'another process registered this identity');
  };

  return {
    tickets,
    async createTicket(ticketOptions) {
      if (env.servers.length === 0) {
        throw new TraversalError(
          'ERR_USAGE',
          'a ticket names a rendezvous server: give at least one (--server ws://..)',
        );
      }
      refuseReplaced();
      await whenOnline();
      const ticket = tickets.issue({ servers: env.servers, stun: stunServers() }, ticketOptions);
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

/** The first value of a stream of the carriers, which ends without one only when the peer is closed. */
async function firstOf<T>(source: Observable<T>): Promise<T> {
  const value = await firstValueFrom(source, { defaultValue: undefined });
  if (value === undefined) throw new TraversalError('ERR_CLOSED', 'the peer has been closed');
  return value;
}
