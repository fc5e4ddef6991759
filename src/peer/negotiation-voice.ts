import type { Clock } from '../core/clock.ts';
import { TraversalError } from '../core/errors.ts';
import { encodeNegotiation, type NegotiationMessage } from '../protocol/negotiation/messages.ts';
import type { ConnectionServices } from './connection-services.ts';
import { untilAborted } from './until-aborted.ts';

/** How a connection's negotiation speaks: `vouched` is inside the session, where the other side's key is proven, else in envelopes. */
export class NegotiationVoice {
  readonly clock: Clock;
  readonly #services: ConnectionServices;

  constructor(services: ConnectionServices) {
    this.clock = services.env.clock;
    this.#services = services;
  }

  /** Whether what is said now is said inside the session. One that has lost its last path carries nothing. */
  get speaksVouched(): boolean {
    const { isAuthenticated, link } = this.#services;
    return isAuthenticated && link.table.current !== undefined;
  }

  /** Fulfils when both sides have proven their keys. */
  authenticated(signal: AbortSignal): Promise<void> {
    return untilAborted(this.#services.authenticated, signal);
  }

  /** Fulfils when the other side can be told something. */
  reached(signal: AbortSignal): Promise<void> {
    if (this.speaksVouched) return Promise.resolve();
    const { isAuthenticated, authenticated, signal: envelopes } = this.#services;
    const ways = isAuthenticated ? [envelopes.reached] : [authenticated, envelopes.reached];
    return untilAborted(Promise.race(ways), signal);
  }

  /** False when it was not taken. In envelopes, what no server takes is gone without a word. */
  tell(message: NegotiationMessage, vouched: boolean): boolean {
    if (vouched) return this.#services.link.session?.note(encodeNegotiation(message)) ?? false;
    this.#services.signal.send(message);
    return true;
  }

  /** Round trip of what is told, in ms: the session's once it has measured one, else from offer to answer; 0 while there is none. */
  roundTrip(vouched: boolean): number {
    const { link, signal } = this.#services;
    const measured = vouched ? link.session?.stats().rtt : undefined;
    return measured || signal.roundTrip || 0;
  }
}

/** For what {@link NegotiationVoice.tell} did not take. */
export function unheard(): TraversalError {
  return new TraversalError('ERR_BUSY', 'what was said before has not reached the other side yet');
}
