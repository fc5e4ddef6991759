import { TraversalError } from '../core/errors.ts';
import { pause } from '../core/pause.ts';
import { printable } from '../core/printable.ts';
import type { Agreement, Json, StrategyResult } from '../core/strategy.ts';
import { createTokenBucket, type TokenBucket } from '../core/token-bucket.ts';
import type { Strategy } from '../flows/strategy.ts';
import { type CancelMessage, MAX_REASON, type ProposeMessage } from '../protocol/negotiation/messages.ts';
import type { ConnectionServices } from './connection-services.ts';
import type { DeskHost, TwoSidedStrategy } from './desk-host.ts';
import { type NegotiationVoice, unheard } from './negotiation-voice.ts';
import type { EndTurn } from './one-at-a-time.ts';
import type { StrategyRun } from './strategy-run.ts';

/**
 * Where a listener hears what the dialer proposes, and starts its own side of it: each strategy as an actor beside the flow, wherever
 * that stands.
 */
export class Desk {
  readonly #services: Pick<ConnectionServices, 'id' | 'facts' | 'link' | 'attempts' | 'elapsed'>;
  readonly #host: DeskHost;
  readonly #voice: NegotiationVoice;
  /** What was heard inside the session, and in envelopes: whoever holds the ticket can use up none but his own. */
  readonly #heard: Readonly<Record<'vouched' | 'unvouched', Heard>>;
  /** By the strategy's name. */
  readonly #runs = new Map<string, DeskRun>();
  /** Ends of runs that no step of the flow has waited for. */
  readonly #outcomes = new Map<string, StrategyResult<'direct'>>();
  readonly #waiters = new Set<Waiter>();

  constructor(services: ConnectionServices, host: DeskHost, voice: NegotiationVoice) {
    this.#services = services;
    this.#host = host;
    this.#voice = voice;
    const heard = (): Heard => ({ lastId: 0, proposals: createTokenBucket(PROPOSALS, voice.clock.now()) });
    this.#heard = { vouched: heard(), unvouched: heard() };
  }

  /** A proposal of the dialer's. The same over another server is none, and neither is one that was heard before. */
  hear(proposal: ProposeMessage, vouched: boolean): void {
    const heard = this.#heard[vouched ? 'vouched' : 'unvouched'];
    if (proposal.id <= heard.lastId) return;
    heard.lastId = proposal.id;
    if (!heard.proposals.take(1, this.#voice.clock.now())) return;
    const strategy = this.#host.strategies.get(proposal.strategy);
    if (strategy === undefined) {
      this.#decline(proposal, vouched, 'not in the flow here');
      return;
    }
    const refusal = this.#refusal(strategy, proposal, vouched);
    if (refusal === undefined) this.#start(strategy, proposal, vouched);
    else {
      this.#decline(proposal, vouched, refusal);
      this.#services.attempts.refuse(strategy.name, `declined: ${refusal}`, this.#services.elapsed);
    }
  }

  /** The dialer does not run it any more. */
  cancel({ id }: CancelMessage, vouched: boolean): void {
    for (const run of [...this.#runs.values()]) {
      if (run.proposal.id === id && run.vouched === vouched) this.#stop(run, 'the other side called it off');
    }
  }

  /** A strategy of the desk says yes. Errors: `ERR_USAGE` for a second time, `ERR_BUSY`, and what the run was aborted with. */
  async accept({ strategy, signal }: Pick<StrategyRun, 'strategy' | 'signal'>, params: Json): Promise<Agreement> {
    signal.throwIfAborted();
    const run = this.#runs.get(strategy.name);
    if (run === undefined || run.answered) {
      throw new TraversalError('ERR_USAGE', `${strategy.name}: a listener agrees once to each proposal`);
    }
    const { proposal, vouched } = run;
    if (!this.#voice.tell({ type: 'accept', id: proposal.id, params }, vouched)) throw unheard();
    run.answered = true;
    if (proposal.startIn > 0) await pause(this.#voice.clock, proposal.startIn, signal);
    return { params: proposal.params, vouched, crossing: proposal.startIn };
  }

  /** How the run ends, or ended, that the dialer proposes; nothing before it does. Rejects with the signal's reason. */
  outcome({ name }: Strategy, signal: AbortSignal): Promise<StrategyResult<'direct'>> {
    const outcome = this.#outcomes.get(name);
    this.#outcomes.delete(name);
    if (outcome !== undefined && this.#stands(outcome)) return Promise.resolve(outcome);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { name, resolve };
      this.#waiters.add(waiter);
      signal.addEventListener(
        'abort',
        () => {
          this.#waiters.delete(waiter);
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  /** Another round begins, in which the dialer proposes anew. */
  restart(): void {
    this.#stopAll('another round began');
    this.#outcomes.clear();
  }

  /** The connection has ended. */
  close(): void {
    this.#stopAll('the connection has ended');
  }

  #refusal(strategy: TwoSidedStrategy, { version }: ProposeMessage, vouched: boolean): string | undefined {
    if (strategy.twoSided.version !== version) return `version ${strategy.twoSided.version} here`;
    if (strategy.twoSided.vouched && !vouched) return 'only inside the session';
    // By now the right one would have said it there, as long as there is a path to say it on.
    const { table } = this.#services.link;
    if (!vouched && this.#voice.speaksVouched && !table.isSuspect) return 'the session stands: only inside it';
    // A direct path shows our address.
    if (this.#services.facts.policy === 'relay-only') return 'the policy is relay-only';
    if (this.#runs.has(strategy.name)) return 'busy with the same';
    if (!this.#host.proposals.take(1, this.#voice.clock.now())) return 'busy';
    return undefined;
  }

  #start(strategy: TwoSidedStrategy, proposal: ProposeMessage, vouched: boolean): void {
    const endTurn = strategy.twoSided.vouched ? this.#host.vouchedTurns.listener.tryTake() : () => {};
    if (endTurn === undefined) {
      this.#decline(proposal, vouched, 'busy with another');
      return;
    }
    const run: DeskRun = { proposal, vouched, endTurn, answered: false, stop: () => {} };
    this.#runs.set(strategy.name, run);
    const { id, facts } = this.#services;
    run.stop = this.#host.start(strategy, { id, facts }, (result) => this.#ended(run, result));
  }

  #stopAll(reason: string): void {
    for (const run of [...this.#runs.values()]) this.#stop(run, reason);
  }

  #stop(run: DeskRun, reason: string): void {
    run.stop();
    this.#ended(run, { ok: false, reason, code: 'ERR_ABORTED' });
    // A step that comes later waits for the next.
    this.#outcomes.delete(run.proposal.strategy);
  }

  #ended(run: DeskRun, result: StrategyResult<'direct'>): void {
    const name = run.proposal.strategy;
    if (this.#runs.get(name) !== run) return;
    this.#runs.delete(name);
    run.endTurn();
    if (!result.ok) this.#services.attempts.explainAtDesk(name, result.reason);
    if (!run.answered) this.#decline(run.proposal, run.vouched, result.ok ? 'it did not agree' : result.reason);
    const waiters = [...this.#waiters].filter((waiter) => waiter.name === name);
    if (waiters.length === 0) this.#outcomes.set(name, result);
    for (const waiter of waiters) {
      this.#waiters.delete(waiter);
      waiter.resolve(result);
    }
  }

  #decline({ id }: ProposeMessage, vouched: boolean, reason: string): void {
    this.#voice.tell({ type: 'decline', id, reason: printable(reason, MAX_REASON) }, vouched);
  }

  /** A path that was made may be gone by now. */
  #stands(outcome: StrategyResult<'direct'>): boolean {
    return !outcome.ok || this.#services.link.table.has(outcome.path);
  }
}

interface Heard {
  lastId: number;
  readonly proposals: TokenBucket;
}

interface DeskRun {
  readonly proposal: ProposeMessage;
  readonly vouched: boolean;
  readonly endTurn: EndTurn;
  answered: boolean;
  stop: () => void;
}

/** A step of the listener's own flow. */
interface Waiter {
  readonly name: string;
  readonly resolve: (result: StrategyResult<'direct'>) => void;
}

/** Proposals that one connection hears each way: four at once, four in 10 s. More are dropped without a word. */
const PROPOSALS = { rate: 0.4, burst: 4 };
