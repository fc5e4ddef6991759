import type { Subscription } from 'rxjs';
import type { Candidate, RemoteCandidate } from '../core/candidate.ts';
import { asTraversalError, type ErrorCode } from '../core/errors.ts';
import { type NatBehavior, unknownBehavior } from '../core/nat-behavior.ts';
import { commonPolicy, type Policy } from '../core/policy.ts';
import type { Session } from '../core/session.ts';
import {
  type AnswerMessage,
  type CandidatesMessage,
  envelopeHash,
  iceCredentials,
  type OfferMessage,
  type PeerMessage,
  type RestartMessage,
} from '../protocol/rendezvous/index.ts';
import { createIceLink } from './ice-link.ts';
import { toldCandidates } from './local-candidates.ts';
import { createOwnCandidates } from './own-candidates.ts';
import { createRelayLink } from './relay-link.ts';
import type { ConnectionRuntime, RuntimeOptions, Send, Stop } from './runtime-contract.ts';
import { createSessionLink } from './session-link.ts';
import { createSignalLink } from './signal-link.ts';

const nothing: Stop = () => {};

/** ms from one generation of credentials to the next that the other side may ask for. */
const LEAST_GENERATION = 500;

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
  let established = false;
  let generationBegan = 0;
  let recovering = false;
  const own = createOwnCandidates(discovery, policy);
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
      message: (message, envelope) => receive(message, envelope),
      bound(carrier) {
        if (offer !== undefined && !answered) answer(offer.hash);
        else tellCandidates();
        relay.bound(carrier);
      },
      unbound: (carrier, reason) => relay.unbound(carrier, reason),
      gone() {
        peerGone = true;
        ice.check();
        emit({ type: 'peer.gone' });
      },
      refused: (failure) => emit({ type: 'offer.rejected', ...failure }),
      failed: (failure) => emit({ type: 'signaling.failed', ...failure }),
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

  const makeOffer = (): OfferMessage | RestartMessage => {
    if (answered) return { type: 'restart', generation: ice.generation, ...own.state() };
    flight ??= openSession();
    return {
      type: 'offer',
      dialerKey: options.ownKey,
      listenerKey: ticket.key,
      issuedAt: env.clock.wallTime(),
      policy,
      flight,
      ...own.state(),
    };
  };

  const answer = (offerHash: Uint8Array): void => {
    answered = true;
    signal.send({ type: 'answer', offerHash, policy, ...own.state() });
  };

  const tellCandidates = (candidates = own.current): void => {
    const told = toldCandidates(candidates, policy);
    signal.send({ type: 'candidates', generation: ice.generation, candidates: told, end: own.isComplete });
  };

  /** Hands new local candidates to the agent; gives those that are new. */
  const announce = (): readonly Candidate[] => {
    const fresh = own.takeFresh();
    ice.addLocal(fresh);
    if (own.isComplete) ice.end('local');
    return fresh;
  };

  const receive = (message: PeerMessage, envelope: Uint8Array): void => {
    if (peerGone && message.type !== 'standing') {
      peerGone = false;
      emit({ type: 'peer.returned' });
    }
    switch (message.type) {
      case 'standing':
        if (!answered) addRemote(message, false);
        break;
      case 'answer':
        receiveAnswer(message);
        break;
      case 'candidates':
        follow(message);
        break;
      case 'restart':
        follow(message);
        if (message.generation < ice.generation) tellRestart();
        else tellCandidates();
        break;
      case 'offer':
        // Made again, so the answer was lost; or made at another server too.
        answer(envelopeHash(envelope));
        if (ice.generation > 0) tellRestart();
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

  /** The other side's candidates, of the generation that both are at or of a later one, which this side then joins. */
  const follow = (message: CandidatesMessage | RestartMessage): void => {
    if (message.generation > ice.generation && mayFollow()) beginGeneration(message.generation);
    if (message.generation === ice.generation) addRemote(message, message.end);
  };

  /** A side that has not proven its key, or one in a hurry, does not make this one send checks without end. */
  const mayFollow = (): boolean => established && env.clock.now() - generationBegan >= LEAST_GENERATION;

  const beginGeneration = (generation: number): void => {
    own.forget();
    generationBegan = env.clock.now();
    ice.restart(generation);
    options.refresh();
    announce();
    if (policy !== 'relay-only') ice.start();
  };

  const restart = (generation: number): void => {
    beginGeneration(generation);
    if (dialer) signal.offerAgain();
    else tellRestart();
  };

  const tellRestart = (): void => signal.send({ type: 'restart', generation: ice.generation, ...own.state() });

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
        link.accept(offer.message.flight);
        addRemote(offer.message, offer.message.end);
      }
      announce();
      signal.start(dialer ? makeOffer : undefined);
      reachability = discovery.reachability$.subscribe(() => {
        if (link.table.isDoubtful && own.hasLost()) {
          restart(ice.generation + 1);
          return;
        }
        const fresh = announce();
        if (fresh.length > 0 || own.isComplete) tellCandidates(fresh);
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
          established = true;
          send({ type: 'session.established' });
          made.closed.then((end) => send({ type: 'session.ended', ...end }));
        }, failSession);
      });
      return nothing;
    },
    gather(send) {
      const subscription = discovery.reachability$.subscribe(() => {
        if (own.isComplete) send({ type: 'candidates.gathered' });
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
      local: own.current,
      remote: ice.remotes,
      behaviors: { mine: discovery.current.behavior, theirs },
      pairs: ice.snapshot()?.pairs ?? [],
    }),
  };
}
