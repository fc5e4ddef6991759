import { BehaviorSubject, Subject } from 'rxjs';
import { createActor, fromCallback } from 'xstate';
import { TraversalError } from '../core/errors.ts';
import { randomInteger } from '../core/random.ts';
import { defaultFlow, LONGEST } from '../flows/index.ts';
import { type PeerEvent, peerMachine } from '../machines/peer.ts';
import { checkTicket, createContactKey, decodeTicket } from '../protocol/rendezvous/index.ts';
import { checkKey, createAdmission } from './admission.ts';
import { createCarriers } from './carriers.ts';
import type { Connection } from './connection.ts';
import { createConnections } from './connections.ts';
import { createDiscovery } from './discovery.ts';
import { flowLeases } from './flow-leases.ts';
import { createLooks, noLooks } from './looks.ts';
import { withMappedPorts } from './mapped-discovery.ts';
import { createMappedPorts, followMapping } from './mapped-ports.ts';
import { bothInspect, observedEnvironment } from './observed-environment.ts';
import type { ConnectOptions, Peer, PeerAddress, PeerOptions } from './peer.ts';
import { connectionDelays, peerOptionsOf } from './peer-options.ts';
import { createRegistrar } from './registrar.ts';
import { openSockets } from './sockets.ts';

/**
 * ms between two looks at the network: NAT mappings stay open, changes are seen; spread so that peers do not keep step.
 */
const REFRESH = { least: 20_000, spread: 6_000 };

/**
 * Opens a peer: sockets first, discovery and the rendezvous in the background.
 * Errors: `ERR_NETWORK`, `ERR_PORT_NOT_PERMITTED`, `ERR_SESSION_PLATFORM`, `ERR_USAGE` for options that are none, and for
 * what is no server URL or no key.
 */
export async function createPeer(options: PeerOptions): Promise<Peer> {
  const { flow = defaultFlow, observer } = peerOptionsOf(options);
  const env = observer === undefined ? options.env : observedEnvironment(options.env, observer);
  const delays = connectionDelays(options.delays);
  const policy = options.policy ?? flow.policy;
  const identity = options.identity ?? env.newIdentity();
  const admission = createAdmission(options.accept ?? {}, env.log);
  const contactKey = admission.takesKeys ? createContactKey(identity, env.random) : undefined;
  const sessions = await env.sessions(identity);
  const sockets = await openSockets(env, policy).catch((error) => {
    sessions.close();
    throw error;
  });
  const carriers = createCarriers(env.signaling, env.clock);
  const incoming = new Subject<Connection>();
  let closing: Promise<void> | undefined;

  const stunServers = (): readonly string[] =>
    env.stun.length > 0 ? env.stun : [...new Set([...carriers.stun, ...carriers.hintedStun])];

  const { network, clock } = env;
  const found = createDiscovery(env, sockets.routers, sockets.lobby?.bases);
  const inspect = bothInspect(options.inspect, observer?.inspect);
  const openLeases = flowLeases({ env, flow, policy, discovery: found, stun: stunServers, inspect });
  const ports = createMappedPorts({ network, clock, sockets, policy, openLeases });
  const discovery = withMappedPorts(found, ports, env);

  const looks =
    policy === 'relay-only'
      ? noLooks
      : createLooks({
          env,
          flow,
          discovery,
          servers() {
            const stun = stunServers();
            // Until a carrier has told its STUN servers, or that it is not there, more are to be expected.
            return { stun, final: stun.length > 0 || !carriers.connecting };
          },
          onStart: () => ports.look(),
        });

  const registrar = createRegistrar({ env, identity, contact: contactKey?.contact, carriers, discovery, policy });
  const connections = createConnections({
    env,
    flow,
    scores: options.scores,
    policy,
    admission,
    contactKey,
    delays,
    identity,
    sessions,
    routers: sockets.routers,
    lobby: sockets.lobby,
    discovery,
    ports,
    carriers,
    tickets: registrar.tickets,
    incoming,
    inspect,
    observer,
    onTicketBurnt: () => registrar.refresh(),
    refresh: () => lookAgain(),
    stun: stunServers,
  });

  const lookAgain = (): void => {
    // In a turn of its own: inside another chart's action XState takes a machine that begins for a mistake, and says so.
    queueMicrotask(() => {
      if (closing === undefined) actor.send({ type: 'network.changed' });
    });
  };

  const logic = peerMachine.provide({
    actors: {
      gather: looks.gather,
      map: fromCallback<PeerEvent>(({ sendBack }) => followMapping(ports, sendBack)),
      rendezvous: fromCallback<PeerEvent>(({ sendBack }) => {
        const subscription = carriers.statuses$.subscribe(({ carrier: { name }, status }) => {
          if (status.state === 'online') sendBack({ type: 'carrier.online', name });
          if (status.state === 'offline') sendBack({ type: 'carrier.offline', name, code: status.code });
          if (env.stun.length === 0 && status.state !== 'connecting') sendBack({ type: 'network.changed' });
        });
        subscription.add(
          carriers.events$.subscribe(({ event }) => {
            if (event.type === 'replaced' && registrar.isReplaced) {
              sendBack({ type: 'registration.replaced' });
            }
          }),
        );
        return () => subscription.unsubscribe();
      }),
    },
    actions: {
      endLook({ self }) {
        const { behavior, candidates, stale } = looks.finish();
        self.send({ type: 'discovery.finished', behavior, candidates });
        if (stale) lookAgain();
      },
    },
  });

  const spread = randomInteger(env.random, REFRESH.spread);
  const input = { policy, refresh: REFRESH.least + spread, jitter: spread / REFRESH.spread };
  const actor = createActor(logic, { input, clock, id: 'peer', inspect });
  const state$ = new BehaviorSubject(actor.getSnapshot().value);
  actor.subscribe({
    next: ({ value }) => {
      if (value !== state$.value) state$.next(value);
    },
    error: (error) => env.log('peer.broken', { error: String(error) }),
  });

  const close = async (): Promise<void> => {
    actor.send({ type: 'close.requested' });
    await connections.close();
    const released = ports.close();
    registrar.close();
    incoming.complete();
    carriers.close();
    discovery.close();
    sockets.close();
    sessions.close();
    await released;
    state$.complete();
  };

  const connectByTicket = (text: string, connectOptions: ConnectOptions = {}): Connection => {
    const ticket = decodeTicket(text);
    checkTicket(ticket, env.clock.wallTime());
    return connections.dialTicket(ticket, connectOptions);
  };

  const connectByKey = (address: PeerAddress, connectOptions: ConnectOptions = {}): Connection => {
    checkKey(address.key);
    const servers = connectOptions.servers ?? address.servers ?? env.servers;
    if (servers.length === 0) {
      throw new TraversalError('ERR_USAGE', 'a peer is dialled over a rendezvous server: give at least one');
    }
    return connections.dialKey(address.key, { ...connectOptions, servers });
  };

  const peer: Peer = {
    key: identity.publicKey,
    state$: state$.asObservable(),
    reachability$: discovery.reachability$,
    incoming$: incoming.asObservable(),
    async createTicket(ticketOptions) {
      if (!admission.takesTickets) throw new TraversalError('ERR_USAGE', 'this peer was made to take no tickets');
      return registrar.createTicket(ticketOptions);
    },
    register: () => registrar.register(),
    connect(to, connectOptions) {
      if (closing !== undefined) throw new TraversalError('ERR_CLOSED', 'the peer has been closed');
      checkTimeout(connectOptions?.timeout);
      return typeof to === 'string' ? connectByTicket(to, connectOptions) : connectByKey(to, connectOptions);
    },
    close() {
      closing ??= close();
      return closing;
    },
    [Symbol.asyncDispose]: () => peer.close(),
  };
  try {
    // First of all: whoever looks at the network has to know that servers are still to come.
    carriers.ensure(env.servers);
    actor.start();
    ports.open();
    if (observer?.reachability !== undefined)
      discovery.reachability$.subscribe((seen) => observer.reachability?.(seen));
  } catch (error) {
    await peer.close();
    throw error;
  }
  return peer;
}

/** Throws `ERR_USAGE` for what is no time that a connection could take. */
function checkTimeout(timeout: number | undefined): void {
  if (timeout === undefined || (timeout > 0 && timeout <= LONGEST)) return;
  throw new TraversalError('ERR_USAGE', `a connection cannot be made within ${timeout} ms`);
}
