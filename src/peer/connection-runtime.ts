import { filter, Subscription } from 'rxjs';
import type { Candidate, RemoteCandidate } from '../core/candidate.ts';
import { type NatBehavior, unknownBehavior } from '../core/nat-behavior.ts';
import { commonPolicy, type Policy } from '../core/policy.ts';
import {
  type AnswerMessage,
  envelopeHash,
  iceCredentials,
  type OfferMessage,
  type PeerMessage,
  type RestartMessage,
} from '../protocol/rendezvous/index.ts';
import { createIceLink } from './ice-link.ts';
import type { Acquaintance } from './introduction.ts';
import { toldCandidates } from './local-candidates.ts';
import { followMapping } from './mapped-ports.ts';
import { createOwnCandidates } from './own-candidates.ts';
import { createRelayLink } from './relay-link.ts';
import { createRestarts, type GenerationMessage } from './restarts.ts';
import type { ConnectionRuntime, RuntimeOptions, Send, Stop } from './runtime-contract.ts';
import { createSessionLink } from './session-link.ts';
import { createSessionOpening } from './session-opening.ts';
import { createSignalLink } from './signal-link.ts';

const nothing: Stop = () => {};

export function createConnectionRuntime(options: RuntimeOptions): ConnectionRuntime {
  const { env, role, introduction, session, discovery, policy, ownKey, refresh } = options;
  /** The listener's, until its packets and candidates are in use. */
  let offer = options.offer?.message;
  const offered = options.offer && { key: options.offer.message.dialerKey, hash: options.offer.hash };
  const dialer = role === 'dialer';
  const byHand = options.servers.every((server) => server.byHand === true);
  let emit: Send = () => {};
  /** What both sides allow; the dialer learns the listener's with its answer. */
  let common: Policy = (offer && commonPolicy(policy, offer.policy)) ?? policy;
  let answered = false;
  let flight: readonly Uint8Array[] | undefined;
  let theirs: NatBehavior = offer?.behavior ?? unknownBehavior;
  let peerGone = false;
  let recovering = false;
  const own = createOwnCandidates(discovery, policy);
  const subscriptions = new Subscription();

  const link = createSessionLink({
    role: dialer ? 'client' : 'server',
    factory: options.sessions,
    routers: options.routers,
    clock: env.clock,
  });

  const opening = createSessionOpening({
    link,
    expectedKey: dialer ? introduction.listenerKey : offered?.key,
    send: (event) => emit(event),
    onEstablished() {
      for (const message of restarts.prove()) follow(message);
    },
  });

  const ice = createIceLink({
    dialer,
    byHand,
    credentials(generation) {
      const { settled } = introduction;
      if (settled === undefined) throw new Error('checks began before the two sides shared a secret');
      return iceCredentials(settled.secret, session, generation);
    },
    routers: options.routers,
    network: env.network,
    lobby: options.lobby,
    clock: env.clock,
    random: env.random,
    loopback: env.loopback,
    budget: options.budget,
    on: {
      validated(path, preference) {
        link.addDirect(path);
        emit({ type: 'path.validated', path: { info: path.info, preference } });
      },
      early: (packet) => link.accept([packet]),
      lost: (id, reason) => losePath(id, reason),
      confirmed: (id) => link.table.confirm(id),
      doubtful: (id) => link.table.doubt(id),
      exhausted(reason) {
        emit({ type: 'punch.exhausted', reason });
        if (recovering) punchAgain();
      },
    },
  });

  const signal = createSignalLink({
    role,
    introduction,
    session,
    carriers: options.carriers,
    servers: options.servers,
    clock: env.clock,
    random: env.random,
    log: env.log,
    on: {
      message: (message, envelope) => receive(message, envelope),
      bound(carrier) {
        if (offered !== undefined && !answered) answer(offered.hash);
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
    bound: () => signal.bound(),
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

  const makeOffer = ({ prove }: Acquaintance): OfferMessage | RestartMessage => {
    if (answered) return { type: 'restart', generation: ice.generation, ...own.state() };
    flight ??= opening.open();
    const issuedAt = Math.floor(env.clock.wallTime());
    return {
      type: 'offer',
      dialerKey: ownKey,
      listenerKey: introduction.listenerKey,
      issuedAt,
      ...(prove && { proof: prove(issuedAt) }),
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
      case 'restart':
        follow(message);
        break;
      case 'offer':
        // Made again, so the answer was lost; or made at another server too. The session is for the key of the first
        // one only.
        if (offered === undefined || Buffer.compare(message.dialerKey, offered.key) !== 0) break;
        answer(envelopeHash(envelope));
        if (ice.generation > 0) tellRestart();
        break;
      case 'reject':
        emit({ type: 'offer.rejected', code: message.code, message: message.message });
        break;
    }
  };

  const follow = (message: GenerationMessage): void => {
    if (restarts.follow(message)) addRemote(message, message.end);
    if (message.type !== 'restart') return;
    if (message.generation < ice.generation) tellRestart();
    else tellCandidates();
  };

  const receiveAnswer = (message: AnswerMessage): void => {
    if (answered) return;
    answered = true;
    flight = undefined;
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

  const renew = (generation: number): void => {
    own.forget();
    ice.restart(generation);
    refresh();
    announce();
    if (policy !== 'relay-only') ice.start();
  };

  const tellRestart = (): void => signal.send({ type: 'restart', generation: ice.generation, ...own.state() });

  const punchAgain = (): void => {
    if (policy !== 'relay-only' && ice.isSpent) restarts.begin();
  };

  const restarts = createRestarts({
    clock: env.clock,
    generation: () => ice.generation,
    renew,
    tell: () => (dialer ? signal.offerAgain() : tellRestart()),
  });

  subscriptions.add(
    link.table.observations$.pipe(filter(({ type }) => type === 'heard')).subscribe(({ id }) => ice.hear(id)),
  );

  return {
    secured: opening.secured,
    table: link.table,
    handle: (carrier, event) => signal.handle(carrier, event),
    signal(send) {
      emit = send;
      if (offer !== undefined) {
        link.accept(offer.flight);
        addRemote(offer, offer.end);
        offer = undefined;
      }
      announce();
      let started = false;
      const start = (): void => {
        started = true;
        signal.start(dialer ? makeOffer : undefined);
      };
      if (!byHand || own.isComplete) start();
      subscriptions.add(
        discovery.reachability$.subscribe(() => {
          if (!started && own.isComplete) start();
          // Before both keys are proven nobody follows: what is new goes to the generation that both are at.
          if (opening.isEstablished() && link.table.isDoubtful && own.hasLost()) {
            restarts.begin();
            return;
          }
          const fresh = announce();
          if (fresh.length > 0 || own.isComplete) tellCandidates(fresh);
        }),
      );
      return () => {
        subscriptions.unsubscribe();
        ice.stop();
        relay.close();
        link.close();
        signal.close();
      };
    },
    session() {
      opening.follow();
      return nothing;
    },
    gather(send) {
      const subscription = discovery.reachability$.subscribe(() => {
        if (own.isComplete) send({ type: 'candidates.gathered' });
      });
      return () => subscription.unsubscribe();
    },
    map: (send) => followMapping(options.ports, send),
    punch() {
      ice.start();
      return nothing;
    },
    relay() {
      if (byHand) relay.forbid('nothing is relayed by hand');
      else if (common === 'direct-only') relay.forbid('the other side refuses relays');
      relay.open();
      return nothing;
    },
    watch(send) {
      const subscription = link.table.observations$.subscribe(({ type, id }) => {
        if (type === 'heard') return;
        if (type === 'suspect') {
          ice.check();
          refresh();
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
      if (pathId !== undefined) opening.open();
    },
    evidence: () => ({
      local: own.current,
      remote: ice.remotes,
      behaviors: { mine: discovery.current.behavior, theirs },
      pairs: ice.snapshot()?.pairs ?? [],
      ports: options.ports.current,
    }),
  };
}
