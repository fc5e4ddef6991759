import type { Subscription } from 'rxjs';
import { type Candidate, candidateKey, type RemoteCandidate } from '../core/candidate.ts';
import { asTraversalError, type ErrorCode } from '../core/errors.ts';
import { type NatBehavior, unknownBehavior } from '../core/nat-behavior.ts';
import { commonPolicy, type Policy } from '../core/policy.ts';
import type { Session } from '../core/session.ts';
import {
  type AnswerMessage,
  iceCredentials,
  type OfferMessage,
  type PeerMessage,
  type RestartMessage,
} from '../protocol/rendezvous/index.ts';
import { createIceLink } from './ice-link.ts';
import { toldCandidates } from './local-candidates.ts';
import { createRelayLink } from './relay-link.ts';
import type { ConnectionRuntime, RuntimeOptions, Send, Stop } from './runtime-contract.ts';
import { createSessionLink } from './session-link.ts';
import { createSignalLink } from './signal-link.ts';

const nothing: Stop = () => {};

export function createConnectionRuntime(options: RuntimeOptions): ConnectionRuntime {
  const { env, role, ticket, session, discovery, policy, offer } = options;
  const dialer = role === 'dialer';
  let resolveSecured: (session: Session) => void = () => {};
  const secured = new Promise<Session>((resolve) => {
    resolveSecured = resolve;
  });
  let emit: Send = () => {};
  /** What both sides allow; the dialer learns the listener's with its answer. */
  let common: Policy = (offer && commonPolicy(policy, offer.message.policy)) ?? policy;
  const expectedKey: Uint8Array | undefined = dialer ? ticket.key : offer?.message.dialerKey;
  let answered = false;
  let flight: readonly Uint8Array[] | undefined;
  let theirs: NatBehavior = offer?.message.behavior ?? unknownBehavior;
  let peerGone = false;
  let recovering = false;
  /** Keys of the local candidates that the current generation of the ICE agent knows. */
  let announced = new Set<string>();
  let reachability: Subscription | undefined;

  const link = createSessionLink({
    role: dialer ? 'client' : 'server',
    factory: options.sessions,
    routers: options.routers,
    clock: env.clock,
  });

  const ice = createIceLink({
    dialer,
    credentials: (generation) => iceCredentials(ticket.secret, session, generation),
    routers: options.routers,
    clock: env.clock,
    random: env.random,
    loopback: env.loopback,
    on: {
      validated(path, preference) {
        link.addDirect(path);
        emit({ type: 'path.validated', path: { info: path.info, preference } });
      },
      lost: (id, reason) => losePath(id, reason),
      confirmed: (id) => link.table.confirm(id),
      exhausted(reason) {
        emit({ type: 'punch.exhausted', reason });
        if (recovering) punchAgain();
      },
    },
  });

  const signal = createSignalLink({
    role,
    ticket,
    session,
    channel: options.channel,
    carriers: options.carriers,
    servers: options.servers,
    clock: env.clock,
    log: env.log,
    on: {
      message: (message) => receive(message),
      bound(carrier) {
        if (dialer) tellCandidates();
        else if (!answered) answer();
        else tellCandidates();
        relay.bound(carrier);
      },
      unbound: (carrier, reason) => relay.unbound(carrier, reason),
      unreachable(reason) {
        peerGone = true;
        ice.check();
        emit({ type: 'peer.unreachable', reason });
      },
      declined() {
        const message = 'the listener does not take this ticket: it was made by an earlier run, or the listener ended';
        emit({ type: 'offer.rejected', code: 'ERR_TICKET_REJECTED', message });
      },
      failed: (code, message) => emit({ type: 'signaling.failed', code, message }),
    },
  });

  const relay = createRelayLink({
    session,
    bound: () => signal.bound,
    on: {
      opened(path) {
        link.addRelayed(path);
        emit({ type: 'path.validated', path: { info: path.info, preference: 0 } });
      },
      lost: (id, reason) => losePath(id, reason),
      unavailable: (reason) => emit({ type: 'relay.unavailable', reason }),
    },
  });

  const losePath = (id: string, reason: string): void => {
    link.remove(id);
    emit({ type: 'path.lost', id, reason });
  };

  const localCandidates = (): readonly Candidate[] => (policy === 'relay-only' ? [] : discovery.current.candidates);
  const isComplete = (): boolean => policy === 'relay-only' || discovery.current.complete;

  /** What every message that begins something tells of this side. */
  const ownState = () => ({
    candidates: toldCandidates(localCandidates(), policy),
    behavior: discovery.current.behavior,
    end: isComplete(),
  });

  const makeOffer = (): OfferMessage | RestartMessage => {
    if (answered) return { type: 'restart', generation: ice.generation, ...ownState() };
    flight ??= common === 'direct-only' ? [] : openSession();
    return {
      type: 'offer',
      dialerKey: options.ownKey,
      listenerKey: ticket.key,
      issuedAt: env.clock.wallTime(),
      policy,
      flight,
      ...ownState(),
    };
  };

  const answer = (): void => {
    if (offer === undefined) return;
    answered = true;
    signal.send({ type: 'answer', offerHash: offer.hash, policy, ...ownState() });
  };

  const tellCandidates = (candidates = localCandidates()): void => {
    const told = toldCandidates(candidates, policy);
    signal.send({ type: 'candidates', generation: ice.generation, candidates: told, end: isComplete() });
  };

  /** Hands new local candidates to the agent; gives those that are new. */
  const announce = (): readonly Candidate[] => {
    const fresh = localCandidates().filter((candidate) => !announced.has(candidateKey(candidate)));
    for (const candidate of fresh) announced.add(candidateKey(candidate));
    ice.addLocal(fresh);
    if (isComplete()) ice.end('local');
    return fresh;
  };

  /** An address that the other side was told of is ours no more: a NAT that rebooted, a network that was left. */
  const hasLostAddress = (): boolean => {
    const own = new Set(localCandidates().map(candidateKey));
    return [...announced].some((key) => !own.has(key));
  };

  const receive = (message: PeerMessage): void => {
    if (peerGone && message.type !== 'standing') {
      peerGone = false;
      emit({ type: 'peer.returned' });
    }
    switch (message.type) {
      case 'standing':
        addRemote(message, false);
        break;
      case 'answer':
        receiveAnswer(message);
        break;
      case 'candidates':
        if (message.generation === ice.generation) addRemote(message, message.end);
        break;
      case 'restart':
        if (message.generation > ice.generation) beginGeneration(message.generation);
        if (message.generation === ice.generation) addRemote(message, message.end);
        tellCandidates();
        break;
      case 'offer':
        tellCandidates();
        break;
      case 'reject':
        emit({ type: 'offer.rejected', code: message.code as ErrorCode, message: message.message });
        break;
    }
  };

  const receiveAnswer = (message: AnswerMessage): void => {
    if (answered) return;
    answered = true;
    common = commonPolicy(policy, message.policy) ?? policy;
    if (common === 'direct-only') relay.forbid('the other side refuses relays');
    emit({ type: 'offer.accepted' });
    addRemote(message, message.end);
  };

  const addRemote = (
    from: { readonly candidates: readonly RemoteCandidate[]; readonly behavior?: NatBehavior },
    end: boolean,
  ): void => {
    theirs = from.behavior ?? theirs;
    ice.addRemote(from.candidates);
    if (end) ice.end('remote');
    emit({ type: 'remote.known' });
  };

  const beginGeneration = (generation: number): void => {
    announced = new Set();
    ice.restart(generation);
    options.refresh();
    announce();
    if (policy !== 'relay-only') ice.start();
  };

  const restart = (generation: number): void => {
    beginGeneration(generation);
    if (dialer) signal.offerAgain();
    else signal.send({ type: 'restart', generation, ...ownState() });
  };

  const punchAgain = (): void => {
    if (policy !== 'relay-only' && ice.isSpent) restart(ice.generation + 1);
  };

  const openSession = (): readonly Uint8Array[] => {
    if (expectedKey === undefined || link.session !== undefined) return [];
    try {
      const captured = link.open(expectedKey);
      if (link.session !== undefined) resolveSecured(link.session);
      return captured;
    } catch (error) {
      failSession(error);
      return [];
    }
  };

  const failSession = (error: unknown): void => {
    const { code, message } = asTraversalError(error, 'ERR_SESSION_HANDSHAKE');
    emit({ type: 'session.failed', code, message });
  };

  return {
    secured,
    table: link.table,
    handle: (carrier, event) => signal.handle(carrier, event),
    signal(send) {
      emit = send;
      if (offer !== undefined) {
        if (common !== 'direct-only') link.accept(offer.message.flight);
        addRemote(offer.message, offer.message.end);
      }
      announce();
      signal.start(dialer ? makeOffer : undefined);
      reachability = discovery.reachability$.subscribe(() => {
        if (link.table.isDoubtful && hasLostAddress()) {
          restart(ice.generation + 1);
          return;
        }
        const fresh = announce();
        if (fresh.length > 0 || isComplete()) tellCandidates(fresh);
      });
      return () => {
        reachability?.unsubscribe();
        ice.stop();
        link.close();
        signal.close();
      };
    },
    session(send) {
      secured.then((made) => {
        made.established.then(() => {
          send({ type: 'session.established' });
          made.closed.then((end) => send({ type: 'session.ended', ...end }));
        }, failSession);
      });
      return nothing;
    },
    gather(send) {
      const subscription = discovery.reachability$.subscribe(() => {
        if (isComplete()) send({ type: 'candidates.gathered' });
      });
      return () => subscription.unsubscribe();
    },
    map(send) {
      send({ type: 'mapping.unavailable' });
      return nothing;
    },
    punch() {
      ice.start();
      return nothing;
    },
    relay() {
      if (common === 'direct-only') relay.forbid('the other side refuses relays');
      relay.open();
      return nothing;
    },
    watch(send) {
      const subscription = link.table.observations$.subscribe(({ type, id }) => {
        if (type === 'suspect') {
          ice.check();
          options.refresh();
        }
        send({ type: type === 'suspect' ? 'path.suspect' : 'path.alive', id });
      });
      return () => subscription.unsubscribe();
    },
    hedge() {
      link.table.hedge(true);
      link.session?.pathChanged();
      return () => link.table.hedge(false);
    },
    punchAgain,
    recover() {
      recovering = true;
      punchAgain();
      return () => {
        recovering = false;
      };
    },
    use(pathId) {
      link.use(pathId);
      ice.use(pathId);
      if (pathId !== undefined) openSession();
    },
    evidence: () => ({
      local: localCandidates(),
      remote: ice.remotes,
      behaviors: { mine: discovery.current.behavior, theirs },
      pairs: ice.snapshot()?.pairs ?? [],
    }),
  };
}
