import { Deferred } from '../core/deferred.ts';
import { TraversalError } from '../core/errors.ts';
import type { Agreement, Json } from '../core/strategy.ts';
import { within } from '../core/within.ts';
import type { TwoSided } from '../flows/strategy.ts';
import { type AcceptMessage, type DeclineMessage, MAX_START_IN } from '../protocol/negotiation/messages.ts';
import { type NegotiationVoice, unheard } from './negotiation-voice.ts';
import type { OneAtATime } from './one-at-a-time.ts';
import type { StrategyRun } from './strategy-run.ts';

export interface ProposalsOptions {
  readonly voice: NegotiationVoice;
  /** Runs of vouched strategies that this peer proposes. */
  readonly vouchedTurns: OneAtATime;
}

/** What a dialer has proposed and not been answered. */
export class Proposals {
  readonly #voice: NegotiationVoice;
  readonly #vouchedTurns: OneAtATime;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  constructor({ voice, vouchedTurns }: ProposalsOptions) {
    this.#voice = voice;
    this.#vouchedTurns = vouchedTurns;
  }

  /** Errors: `ERR_DECLINED`, `ERR_TIMEOUT`, `ERR_BUSY`, and what the run was aborted with. */
  async propose(run: ProposingRun, { version, vouched: mustBeVouched }: TwoSided, params: Json): Promise<Agreement> {
    const { signal } = run;
    const voice = this.#voice;
    if (mustBeVouched) {
      await voice.authenticated(signal);
      await this.#vouchedTurns.takeUntil(signal);
    } else {
      await voice.reached(signal);
    }
    signal.throwIfAborted();
    const vouched = mustBeVouched || voice.speaksVouched;
    const id = ++this.#lastId;
    const strategy = run.strategy.name;
    const roundTrip = voice.roundTrip(vouched);
    const startIn = Math.round(Math.min(MAX_START_IN, roundTrip / 2));
    const sentAt = voice.clock.now();
    if (!voice.tell({ type: 'propose', id, strategy, version, params, startIn }, vouched)) throw unheard();
    const theirs = await this.#answered(run, { id, vouched, answer: new Deferred() }, roundTrip);
    return { params: theirs, vouched, crossing: (voice.clock.now() - sentAt) / 2 };
  }

  /** What the other side says. It is told when the run does not come to its end by itself, then or later. */
  async #answered(run: ProposingRun, pending: Pending, roundTrip: number): Promise<Json> {
    const { id, vouched, answer } = pending;
    const cancel = (): void => {
      if (!run.won) this.#voice.tell({ type: 'cancel', id }, vouched);
    };
    run.signal.addEventListener('abort', cancel, { once: true });
    this.#pending.set(id, pending);
    const doing = `the other side’s answer to ${run.strategy.name}`;
    const patience = PATIENCE + Math.min(MAX_ROUND_TRIP, roundTrip);
    try {
      return await within(this.#voice.clock, doing, patience, run.signal, () => answer.promise);
    } catch (error) {
      run.signal.removeEventListener('abort', cancel);
      if (error instanceof TraversalError && error.code === 'ERR_TIMEOUT') cancel();
      throw error;
    } finally {
      this.#pending.delete(id);
    }
  }

  /** An answer counts once, and when it came the way that the proposal went. */
  answer(message: AcceptMessage | DeclineMessage, vouched: boolean): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined || pending.vouched !== vouched) return;
    this.#pending.delete(message.id);
    if (message.type === 'accept') pending.answer.resolve(message.params);
    else pending.answer.reject(new TraversalError('ERR_DECLINED', `the other side declines: ${message.reason}`));
  }
}

/** What is asked of a run that proposes. */
export type ProposingRun = Pick<StrategyRun, 'strategy' | 'signal' | 'won'>;

interface Pending {
  readonly id: number;
  readonly vouched: boolean;
  readonly answer: Deferred<Json>;
}

/** ms beyond the round trip that the other side may take to answer: some strategies look at their NAT first. */
const PATIENCE = 4_000;
/** ms; what people carry by hand takes longer, and nobody waits for it. */
const MAX_ROUND_TRIP = 2 * MAX_START_IN;
