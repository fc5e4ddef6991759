import { filter, firstValueFrom, type Observable, type Subscription, skip } from 'rxjs';
import type { Environment } from '../core/environment.ts';
import { TraversalError } from '../core/errors.ts';
import type { Identity } from '../core/identity.ts';
import type { Policy } from '../core/policy.ts';
import type { Contact, Registration, Signaling } from '../core/signaling.ts';
import { isStunServer, MAX_TICKET_SERVERS, sealStanding } from '../protocol/rendezvous/index.ts';
import type { Carriers } from './carriers.ts';
import type { Discovery, Reachability } from './discovery.ts';
import { toldCandidates } from './local-candidates.ts';
import { createTicketBook, type TicketBook, type TicketOptions } from './ticket-book.ts';

export interface RegistrarOptions {
  readonly env: Environment;
  readonly identity: Identity;
  /** For those who dial the key; absent: nobody may. */
  readonly contact: Contact | undefined;
  readonly carriers: Carriers;
  readonly discovery: Discovery;
  readonly policy: Policy;
}

/** Keeps a listening peer registered, its standing answers true to its candidates and tickets. */
export interface Registrar {
  readonly tickets: TicketBook;
  /** Another process has registered the identity, at every server. */
  readonly isReplaced: boolean;
  createTicket(options?: TicketOptions): Promise<string>;
  /** Fulfils once a server has registered this peer. */
  register(): Promise<void>;
  /** Which tickets are valid has changed. */
  refresh(): void;
  close(): void;
}

export function createRegistrar(options: RegistrarOptions): Registrar {
  const { env, identity, contact, carriers, discovery, policy } = options;
  const tickets = createTicketBook(identity.publicKey, env);
  let following: Subscription | undefined;
  let since: number | undefined;
  let own: readonly Signaling[] | undefined;
  const servers = (): readonly Signaling[] => {
    own ??= carriers.ensure(env.servers);
    return own;
  };

  const isReplaced = (): boolean => env.servers.length > 0 && servers().every((server) => carriers.isReplaced(server));

  const announce = (): void => {
    since ??= Math.floor(env.clock.wallTime());
    const { candidates, behavior } = discovery.current;
    const registration: Registration = {
      key: identity.publicKey,
      sign: (message) => identity.sign(message),
      since,
      ...(contact && { contact }),
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
    // Where another process took over, this one stays away: two that both came back would replace each other for ever.
    for (const server of servers()) if (!carriers.isReplaced(server)) server.register(registration);
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
        // An error about a session is not about the registration.
        if (event.type === 'error' && event.session === undefined)
          refusals.set(carrier, new TraversalError(event.code, event.message));
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

  /** Makes the registration tell what is true now; fulfils when a server has taken it. */
  const renew = async (): Promise<void> => {
    const registered = whenRegistered();
    // Where this peer is reached stands in the answers to tickets alone; the first to be told is what `announce` takes.
    following ??= discovery.reachability$.pipe(skip(1)).subscribe(() => {
      if (tickets.valid.length > 0) announce();
    });
    announce();
    await registered;
  };

  const reachServers = async (): Promise<void> => {
    if (env.servers.length === 0) {
      throw new TraversalError(
        'ERR_USAGE',
        'a listener registers with a rendezvous server: give at least one (--server ws://..)',
      );
    }
    if (isReplaced()) throw REPLACED();
    await whenOnline();
    // What is carried by hand is said once.
    if (servers().some((server) => server.byHand)) await firstOf(discovery.reachability$.pipe(filter(isComplete)));
  };

  return {
    tickets,
    get isReplaced() {
      return isReplaced();
    },
    async createTicket(ticketOptions) {
      await reachServers();
      const ticket = tickets.issue({ servers: env.servers, stun: ticketStun() }, ticketOptions);
      await renew();
      return ticket.text;
    },
    async register() {
      await reachServers();
      await renew();
    },
    refresh: announce,
    close: () => following?.unsubscribe(),
  };
}

const isComplete = ({ complete }: Reachability): boolean => complete;

const REPLACED = (): TraversalError =>
  new TraversalError('ERR_REGISTRATION_REPLACED', 'another process registered this identity');

/** The first value of a stream of the carriers, which ends without one only when the peer is closed. */
async function firstOf<T>(source: Observable<T>): Promise<T> {
  const value = await firstValueFrom(source, { defaultValue: undefined });
  if (value === undefined) throw new TraversalError('ERR_CLOSED', 'the peer has been closed');
  return value;
}
