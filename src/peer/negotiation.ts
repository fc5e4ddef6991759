import { DecodeError, TraversalError } from '../core/errors.ts';
import type { Agreement, Json, StrategyResult } from '../core/strategy.ts';
import { createTokenBucket, type TokenBucket } from '../core/token-bucket.ts';
import type { Strategy } from '../flows/strategy.ts';
import { jsonFault } from '../protocol/negotiation/json-value.ts';
import { decodeNegotiation, type NegotiationMessage } from '../protocol/negotiation/messages.ts';
import type { ConnectionServices } from './connection-services.ts';
import { Desk } from './desk.ts';
import type { DeskHost } from './desk-host.ts';
import { NegotiationVoice } from './negotiation-voice.ts';
import { Proposals, type ProposingRun } from './proposals.ts';

/**
 * How the two sides of a connection agree on two-sided strategies: the dialer proposes, the listener's {@link Desk} answers. Made when
 * the first of them is run or heard of.
 */
export class Negotiation {
  readonly #services: ConnectionServices;
  readonly #proposals: Proposals;
  readonly #desk: Desk;
  /** What the other side may still make us read. */
  readonly #notes: TokenBucket;

  constructor(services: ConnectionServices, host: DeskHost) {
    const voice = new NegotiationVoice(services);
    this.#services = services;
    this.#notes = createTokenBucket(NOTES, services.env.clock.now());
    this.#proposals = new Proposals({ voice, vouchedTurns: host.vouchedTurns.dialer });
    this.#desk = new Desk(services, host, voice);
    services.ended.addEventListener('abort', () => this.#desk.close(), { once: true });
  }

  /** For one run of a strategy. Errors: those of `PathEnvironment.agree`. */
  async agree(run: ProposingRun, params: Json): Promise<Agreement> {
    const { name, twoSided } = run.strategy;
    if (twoSided === undefined)
      throw new TraversalError('ERR_USAGE', `${name} agrees, and is not defined as two-sided`);
    const fault = jsonFault(params);
    if (fault !== undefined) throw new TraversalError('ERR_USAGE', `params of ${name}: ${fault}`);
    return this.#services.role === 'dialer'
      ? this.#proposals.propose(run, twoSided, params)
      : this.#desk.accept(run, params);
  }

  /** Listener: how the run of that strategy ends which the dialer proposes. Rejects with the signal's reason. */
  outcome(strategy: Strategy, signal: AbortSignal): Promise<StrategyResult<'direct'>> {
    return this.#desk.outcome(strategy, signal);
  }

  /** Another round begins. */
  restart(): void {
    this.#desk.restart();
  }

  /** A note of the session. */
  hear(note: Uint8Array): void {
    const { env } = this.#services;
    if (!this.#notes.take(1, env.clock.now())) return;
    try {
      this.receive(decodeNegotiation(note), true);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      env.log('note.dropped', { reason: error.message });
    }
  }

  /** A message of the other side. `vouched`: it came inside the session. What is not for this side changes nothing. */
  receive(message: NegotiationMessage, vouched: boolean): void {
    if (this.#services.ended.aborted) return;
    const isDialer = this.#services.role === 'dialer';
    if (message.type === 'accept' || message.type === 'decline') {
      if (isDialer) this.#proposals.answer(message, vouched);
    } else if (!isDialer) {
      if (message.type === 'propose') this.#desk.hear(message, vouched);
      else this.#desk.cancel(message, vouched);
    }
  }
}

/** Notes that are read: two sides in earnest say some six for each strategy. */
const NOTES = { rate: 20, burst: 40 };
