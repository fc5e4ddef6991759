import type { Candidate, RemoteCandidate } from '../core/candidate.ts';
import { type NatBehavior, unknownBehavior } from '../core/nat-behavior.ts';
import { commonPolicy, type Policy } from '../core/policy.ts';
import type { NegotiationMessage } from '../protocol/negotiation/messages.ts';
import {
  type AnswerMessage,
  envelopeHash,
  type OfferMessage,
  type PeerMessage,
  type RestartMessage,
} from '../protocol/rendezvous/index.ts';
import type { IceLink } from './ice-link-contract.ts';
import type { Acquaintance } from './introduction.ts';
import { toldCandidates } from './local-candidates.ts';
import { createOwnCandidates, type OwnCandidates } from './own-candidates.ts';
import type { RelayLink } from './relay-link.ts';
import type { RelayedLink } from './relayed-link.ts';
import { createRestarts, type GenerationMessage, type Restarts } from './restarts.ts';
import type { RuntimeOptions, Send } from './runtime-contract.ts';
import type { SessionLink } from './session-link.ts';
import type { SessionOpening } from './session-opening.ts';
import type { SignalLink } from './signal-link.ts';

export interface ExchangeOptions {
  readonly runtime: RuntimeOptions;
  readonly ice: IceLink;
  readonly signal: SignalLink;
  readonly relay: RelayLink;
  readonly link: SessionLink;
  readonly opening: SessionOpening;
  readonly emit: Send;
  readonly relayed: RelayedLink;
  /** About two-sided strategies, in envelopes: whoever holds the ticket can have said it. */
  readonly onNegotiation: (message: NegotiationMessage) => void;
  /** Candidates, behaviours or the policy have changed. */
  readonly onFacts: () => void;
  /** Another generation of checks begins, and with it another round. */
  readonly onRestart: () => void;
}

/**
 * What the two sides of a connection tell each other: offer and answer, candidates as they appear (RFC 8838), and new generations of
 * credentials (RFC 8445 section 9).
 */
export class Exchange {
  readonly own: OwnCandidates;
  readonly #options: ExchangeOptions;
  readonly #restarts: Restarts;
  /** The listener's, until its packets and candidates are in use. */
  #offer: OfferMessage | undefined;
  /** What both sides allow; the dialer learns the listener's with its answer. */
  #policy: Policy;
  #theirs: NatBehavior;
  #answered = false;
  #peerGone = false;
  #flight: readonly Uint8Array[] | undefined;

  constructor(options: ExchangeOptions) {
    const { runtime, ice, signal } = options;
    this.#options = options;
    this.#offer = runtime.offer?.message;
    this.#policy = (this.#offer && commonPolicy(runtime.policy, this.#offer.policy)) ?? runtime.policy;
    this.#theirs = this.#offer?.behavior ?? unknownBehavior;
    const { discovery, policy } = runtime;
    this.own = createOwnCandidates({ discovery, policy, relayed: () => options.relayed.candidates });
    this.#restarts = createRestarts({
      clock: runtime.env.clock,
      generation: () => ice.generation,
      renew: (generation) => this.#renew(generation),
      tell: () => (runtime.role === 'dialer' ? signal.offerAgain() : this.#tellRestart()),
    });
  }

  get policy(): Policy {
    return this.#policy;
  }

  get theirs(): NatBehavior {
    return this.#theirs;
  }

  /** Takes what the offer brought to a listener, and what is known of this side. */
  begin(): void {
    const offer = this.#offer;
    this.#offer = undefined;
    if (offer !== undefined) {
      this.#options.link.accept(offer.flight);
      this.#addRemote(offer, offer.end);
    }
    this.#announce();
  }

  /** Dialer: what it says at a server. */
  makeOffer({ prove }: Acquaintance): OfferMessage | RestartMessage {
    const { runtime, ice, opening } = this.#options;
    if (this.#answered) return { type: 'restart', generation: ice.generation, ...this.own.state() };
    this.#flight ??= opening.open();
    const issuedAt = Math.floor(runtime.env.clock.wallTime());
    return {
      type: 'offer',
      dialerKey: runtime.ownKey,
      listenerKey: runtime.introduction.listenerKey,
      issuedAt,
      ...(prove && { proof: prove(issuedAt) }),
      policy: runtime.policy,
      flight: this.#flight,
      ...this.own.state(),
    };
  }

  /** A carrier reaches the other side from now on. */
  meet(): void {
    const { offer } = this.#options.runtime;
    if (offer !== undefined && !this.#answered) this.#answer(offer.hash);
    else this.#tellCandidates();
  }

  /** The rendezvous says that the other side has ended. */
  miss(): void {
    this.#peerGone = true;
    this.#options.ice.check();
    this.#options.relayed.check();
    this.#options.emit({ type: 'peer.gone' });
  }

  /** A message of the other side, authentic and new; `envelope` is what it came in. */
  receive(message: PeerMessage, envelope: Uint8Array): void {
    const { runtime, ice, emit } = this.#options;
    if (this.#peerGone && message.type !== 'standing') {
      this.#peerGone = false;
      emit({ type: 'peer.returned' });
    }
    switch (message.type) {
      case 'standing':
        if (!this.#answered) this.#addRemote(message, false);
        break;
      case 'answer':
        this.#receiveAnswer(message);
        break;
      case 'candidates':
      case 'restart':
        this.#follow(message);
        break;
      case 'offer': {
        // Made again, so the answer was lost; or made at another server too. The session is for the key of the first
        // one only.
        const key = runtime.offer?.message.dialerKey;
        if (key === undefined || Buffer.compare(message.dialerKey, key) !== 0) break;
        this.#answer(envelopeHash(envelope));
        if (ice.generation > 0) this.#tellRestart();
        break;
      }
      case 'reject':
        emit({ type: 'offer.rejected', code: message.code, message: message.message });
        break;
      default:
        this.#options.onNegotiation(message);
    }
  }

  /** This side's candidates may have changed. */
  look(): void {
    const { opening, link } = this.#options;
    // Before both keys are proven nobody follows: what is new goes to the generation that both are at.
    if (opening.isEstablished() && link.table.isDoubtful && this.own.hasLost()) {
      this.#restarts.begin();
      return;
    }
    const fresh = this.#announce();
    if (fresh.length > 0 || this.own.isComplete) this.#tellCandidates(fresh);
  }

  /** Another generation, of which the other side is told. */
  restart(): void {
    this.#restarts.begin();
  }

  /** Both sides have proven their keys: what could not be followed before is. */
  prove(): void {
    for (const message of this.#restarts.prove()) this.#follow(message);
  }

  #answer(offerHash: Uint8Array): void {
    const { runtime, signal } = this.#options;
    this.#answered = true;
    signal.send({ type: 'answer', offerHash, policy: runtime.policy, ...this.own.state() });
  }

  #receiveAnswer(message: AnswerMessage): void {
    const { runtime, relay, relayed } = this.#options;
    if (this.#answered) return;
    this.#answered = true;
    this.#flight = undefined;
    this.#policy = commonPolicy(runtime.policy, message.policy) ?? runtime.policy;
    if (this.#policy === 'direct-only')
      for (const each of [relay, relayed]) each.forbid('the other side refuses relays');
    this.#addRemote(message, message.end);
  }

  #tellCandidates(candidates = this.own.current): void {
    const { runtime, ice, signal } = this.#options;
    const told = toldCandidates(candidates, runtime.policy);
    signal.send({ type: 'candidates', generation: ice.generation, candidates: told, end: this.own.isComplete });
  }

  #tellRestart(): void {
    const { ice, signal } = this.#options;
    signal.send({ type: 'restart', generation: ice.generation, ...this.own.state() });
  }

  /** Hands new local candidates to the agent; gives those that are new. */
  #announce(): readonly Candidate[] {
    const { ice, relayed, onFacts } = this.#options;
    const fresh = this.own.takeFresh();
    ice.addLocal(fresh);
    relayed.addLocal(fresh);
    if (this.own.isComplete) ice.end('local');
    onFacts();
    return fresh;
  }

  #follow(message: GenerationMessage): void {
    if (this.#restarts.follow(message)) this.#addRemote(message, message.end);
    if (message.type !== 'restart') return;
    if (message.generation < this.#options.ice.generation) this.#tellRestart();
    else this.#tellCandidates();
  }

  #addRemote(
    from: { readonly candidates: readonly RemoteCandidate[]; readonly behavior?: NatBehavior },
    end: boolean,
  ): void {
    const { ice, relayed, emit, onFacts } = this.#options;
    this.#theirs = from.behavior ?? this.#theirs;
    ice.addRemote(from.candidates);
    relayed.addRemote(from.candidates);
    if (end) ice.end('remote');
    onFacts();
    emit({ type: 'remote.known' });
  }

  #renew(generation: number): void {
    const { runtime, ice, emit, onRestart } = this.#options;
    this.own.forget();
    ice.restart(generation);
    onRestart();
    runtime.refresh();
    this.#announce();
    if (runtime.policy !== 'relay-only') emit({ type: 'round.began' });
  }
}
